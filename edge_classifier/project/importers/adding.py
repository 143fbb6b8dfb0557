"""Pictures into a project: checked, told apart from what is there, and stored."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from edge_classifier.device.interpreter import core_count
from edge_classifier.errors import (
    CancelledError,
    InvalidClassNameError,
    InvalidImageError,
    InvalidValueError,
    ProjectError,
)
from edge_classifier.languages.text import Text
from edge_classifier.project.classes import (
    UNKNOWN_CLASS,
    clean_class_name,
    fold_class_name,
    is_unknown,
)
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.importers.known_pictures import KnownPictures, pixel_hash
from edge_classifier.project.sample_files import burst_number_of
from edge_classifier.project.sources import note_source
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.project.importers.base import Item, LabelledPicture
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import EncodedImage, Sample


_MOST_THREADS: Final = 4
"""Each holds a whole picture, which may be 0.2 GB."""

_THUMBNAIL: Final = 16


class AddedTo(Protocol):
    """What pictures are added to: a `ProjectStore`, or what has its changes made elsewhere."""

    @property
    def path(self) -> Path:
        """Of the project's folder."""

    @property
    def cache_folder(self) -> Path:
        """Where hashes are remembered."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed, any more."""

    def samples(self) -> tuple[Sample, ...]:
        """All samples to train on."""

    def held_out(self) -> tuple[Sample, ...]:
        """All samples that are only measured on."""

    def class_names(self) -> tuple[str, ...]:
        """The classes."""

    def add_class(self, class_name: str, /) -> str:
        """Add a class and return its name as stored."""

    def next_burst_id(self) -> str:
        """Give an identifier for what is to be one burst."""

    def add_sample(
        self, encoded: EncodedImage, class_name: str, burst_id: str, *, held_out: bool = False
    ) -> Sample:
        """Store a sample."""


@dataclass(slots=True)
class ImportReport:
    """What became of the pictures.

    Attributes:
        added: Pictures added to train on (or that would be), by class.
        held_out: Pictures added that are only measured on, by class.
        duplicates: Pictures that were there already, in the same class.
        refused: What was not added, with the reason.
        notes: What the user should know about class names.
        cancelled: Whether the user stopped before the end.
        thumbnails: Of the pictures added one by one to train on, by class and in their order, each
            `(T, T)` uint8: enough to see which are frames of one recording.
        stopped: Why nothing more could be stored, for example as the disk is full; or empty.
    """

    added: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cancelled: bool = False
    stopped: str = ""
    thumbnails: dict[str, list[npt.NDArray[np.uint8]]] = field(default_factory=dict)

    @property
    def added_count(self) -> int:
        """Pictures added, held out or not."""
        return self.added.total() + self.held_out.total()

    def counts(self, added: str) -> list[str]:
        """Count for the user what there is any of; of those added it says `added`."""
        held_out, known, refused = self.held_out.total(), self.duplicates, len(self.refused)
        return [
            f"{added} ({held_out:,} of them held out)" if held_out else added,
            *([f"{known:,} there already"] if known else []),
            *([f"{refused:,} refused"] if refused else []),
        ]


def add(
    store: AddedTo | None,
    items: Iterable[Item],
    *,
    total: int | None = None,
    dry_run: bool = False,
    progress: Progress = ignore_progress,
    cancelled: Cancelled = never_cancelled,
) -> ImportReport:
    """Add pictures to a project. What is there stays; nothing is added twice.

    `store` may be `None` in a dry run, which reads and checks all and stores nothing, of a project
    that does not exist yet; `cancelled` is asked before each picture, and Ctrl-C has the same
    effect.

    Returns:
        What was added, also if it was cancelled or the disk is full: that stays added.
    """
    if store is None and not dry_run:
        raise InvalidValueError("Expected a project to add to, received none.")
    adding = _Adding(store, progress, cancelled, stored=not dry_run)
    report = adding.report
    reading = _read_ahead(items, adding.is_known)
    try:
        for number, (item, read) in enumerate(reading):
            if cancelled():
                report.cancelled = True
                break
            done = number / max(total, number + 1) if total else 0.0
            progress(done, Text("adding, {count} done", count=f"{number:,}"))
            if isinstance(item, Refusal):
                report.refused.append(item)
            else:
                adding.take(item, read)
    except (CancelledError, KeyboardInterrupt):
        report.cancelled = True
    except ProjectError as error:
        report.stopped = str(error)
    finally:
        reading.close()
        adding.finish()
    return report


class _Adding:
    """One call of `add`."""

    def __init__(
        self, store: AddedTo | None, progress: Progress, cancelled: Cancelled, *, stored: bool
    ) -> None:
        self.report = ImportReport()
        self._progress = progress
        self._cancelled = cancelled
        self._store = store if stored else None
        trained_on, held_out = (store.samples(), store.held_out()) if store else ((), ())
        cache_folder = store.cache_folder if store else None
        self._known = KnownPictures(cache_folder, (*trained_on, *held_out))
        self._burst_of_file = {
            (sample.image_sha256, is_held_out): sample.burst_id
            for is_held_out, part in ((False, trained_on), (True, held_out))
            for sample in part
        }
        self._class_names = list(store.class_names()) if store else []
        self._classes: dict[str, str] = {}
        self._noted: defaultdict[str, list[str]] = defaultdict(list)
        self._bursts: dict[tuple[str, bool, str | None], str] = {}

    def is_known(self, sha256: str) -> bool:
        """Say whether the very file is in the project."""
        return self._known.find_bytes(sha256) is not None

    def take(self, item: LabelledPicture, read: Callable[[], _Read]) -> None:
        """Add one picture, which `read` gives, or note why not.

        Raises:
            ProjectError: if it cannot be stored.
            CancelledError: if the user stopped.
        """
        try:
            class_name = self._class_of(item.class_name)
            picture = read()
        except (InvalidImageError, InvalidClassNameError) as error:
            self._refuse(item, str(error))
            return
        there = self._known.find_bytes(picture.sha256)
        if there is None and picture.encoded is not None:
            height, width = picture.encoded.image.shape[:2]
            there = self._known.find_pixels(
                (width, height), picture.pixels, self._progress, self._cancelled
            )
            if there is None:
                if picture.encoded.note:
                    self._noted[picture.encoded.note].append(item.source)
                self._add(item, picture.encoded, class_name)
                if item.group is None and not item.held_out:
                    self.report.thumbnails.setdefault(class_name, []).append(picture.thumbnail)
                self._known.add(picture.sha256, picture.pixels, class_name)
                return
        if there == class_name:
            self.report.duplicates += 1
            self._go_on_with_burst(item, class_name, picture.sha256)
        else:
            self._refuse(item, f"the same picture is in the class {there!r} already")

    def finish(self) -> None:
        """Tell what pictures were found to be, and remember what was learned of them."""
        for note, sources in self._noted.items():
            more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
            self.report.notes.append(f"{sources[0]}{more}: {note}.")
        if self._store is not None and not self._store.read_only:  # as it is where it was lost
            self._known.save()

    def _add(self, item: LabelledPicture, encoded: EncodedImage, class_name: str) -> None:
        if self._store is not None:
            if class_name not in self._store.class_names():
                self._store.add_class(class_name)
            key = (class_name, item.held_out, item.group)
            if item.group is None or key not in self._bursts:
                self._bursts[key] = self._store.next_burst_id()
            sample = self._store.add_sample(
                encoded, class_name, self._bursts[key], held_out=item.held_out
            )
            note_source(self._store.path, sample, item.source)
        (self.report.held_out if item.held_out else self.report.added)[class_name] += 1

    def _go_on_with_burst(self, item: LabelledPicture, class_name: str, sha256: str) -> None:
        """Put what follows of a recording into the burst that its beginning is in.

        Otherwise a recording whose import was cut off would be two bursts, and be measured on
        frames that resemble those it was trained on.
        """
        burst_id = self._burst_of_file.get((sha256, item.held_out))
        if item.group is None or burst_id is None:
            return
        if burst_number_of(burst_id) is not None:  # else the rest of it is of another class
            self._bursts.setdefault((class_name, item.held_out, item.group), burst_id)

    def _class_of(self, label: str) -> str:
        """Give the class that a label means.

        Raises:
            InvalidClassNameError: if it cannot be the name of one.
        """
        if label not in self._classes:
            name = clean_class_name(label, is_stored=True)
            same = {fold_class_name(known): known for known in self._class_names}
            class_name = same.get(fold_class_name(name), name)
            if is_unknown(class_name) and class_name not in self._class_names:
                class_name = same.get(UNKNOWN_CLASS, UNKNOWN_CLASS)
                self.report.notes.append(
                    f"{name!r} goes into the class {class_name!r}: what resembles no class is "
                    f"called {name!r}."
                )
            elif class_name != name:
                self.report.notes.append(
                    f"{name!r} goes into the class {class_name!r}: they differ only in case or "
                    "invisibly."
                )
            if class_name not in self._class_names:
                self._class_names.append(class_name)
            self._classes[label] = class_name
        return self._classes[label]

    def _refuse(self, item: LabelledPicture, reason: str) -> None:
        self.report.refused.append(Refusal(item.source, reason))


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A picture as it was read.

    Attributes:
        sha256: Hash of the file that it is, or will be.
        encoded: As it will be stored, with an image of the right size and without its pixels;
            `None` if the very file is known.
        pixels: Its `pixel_hash`; empty likewise.
        thumbnail: `(T, T)` uint8, grey; empty likewise.
    """

    sha256: str
    encoded: EncodedImage | None = None
    pixels: str = ""
    thumbnail: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))


def _read_ahead(
    items: Iterable[Item], is_known: Callable[[str], bool]
) -> Generator[tuple[Item, Callable[[], _Read]], None, None]:
    """Read, decode and hash pictures on several cores, in their order and a few ahead.

    Items are taken only as far ahead as the threads need. `is_known` says, from the threads,
    whether a file of this SHA-256 is there already, so that it need not be decoded.

    Yields:
        Each item, and what waits for its picture: it raises `InvalidImageError` where that
        cannot be used, and always for a refusal.
    """
    threads = min(core_count(), _MOST_THREADS)
    running: deque[tuple[Item, Callable[[], _Read]]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="import")
    try:
        for item in items:
            running.append((item, executor.submit(_read, item, is_known).result))
            if len(running) > threads:
                yield running.popleft()
        while running:
            yield running.popleft()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _read(item: Item, is_known: Callable[[str], bool]) -> _Read:
    if isinstance(item, Refusal):
        raise InvalidImageError(item.reason)
    if callable(item.content):
        data = item.content()
        sha256 = hashlib.sha256(data).hexdigest()
        if is_known(sha256):
            return _Read(sha256)
        item = replace(item, content=lambda: data)
    encoded = item.encoded()
    pixels = pixel_hash(encoded.image)
    # What waits to be stored needs no pixels any more, only their number: up to 0.2 GB each.
    no_pixels = np.broadcast_to(np.zeros(3, np.uint8), encoded.image.shape)
    small = cv2.resize(encoded.image, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    thumbnail = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
    return _Read(encoded.sha256, replace(encoded, image=no_pixels), pixels, thumbnail)
