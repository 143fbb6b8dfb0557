"""The samples in a folder of class folders: found on disk once, then kept in step with it."""

from __future__ import annotations

import gc
import itertools
import logging
import os
from bisect import insort
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from edge_classifier.errors import InvalidClassNameError, InvalidValueError
from edge_classifier.project.classes import clean_class_name
from edge_classifier.project.files import describe, move_new, reported
from edge_classifier.project.folder import check_folder
from edge_classifier.project.natural_order import natural_key
from edge_classifier.project.sample_files import (
    Found,
    burst_id_of,
    burst_number_of,
    captured_as,
    find_class_folders,
    find_pictures,
    foreign_burst_id,
    sample_file_name,
)
from edge_classifier.project.samples import NO_SAMPLES, ClassSamples, Samples
from edge_classifier.values import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edge_classifier.project.project_file import ProjectFile
    from edge_classifier.project.sample_files import FoundFile, HashIndex
    from edge_classifier.protocols import Progress

_log = logging.getLogger(__name__)


class SampleFolder:
    """Which samples lie where.

    Attributes:
        path: Where the class folders lie: the project's `samples`, or its `validation`.
    """

    def __init__(self, path: Path, index: HashIndex) -> None:
        self.path = path
        self._index = index
        self._folders: dict[str, Path] = {}
        self._samples: dict[str, ClassSamples] = {}
        self._now: Samples | None = None
        self._burst_classes: dict[str, str] = {}
        self._next_index: dict[str, int] = {}

    @property
    def last_burst(self) -> int:
        """The highest number of a burst that was found or added."""
        numbers = map(burst_number_of, self._burst_classes)
        return max((number for number in numbers if number is not None), default=0)

    def load(self, file: ProjectFile, *, writable: bool, progress: Progress) -> ProjectFile:
        """Look at what is on disk, and give the project file with the classes that were found.

        Renamings that were cut short are completed (their notes stay in the file); folders that
        the file lacks become classes; what cannot be taken is told in one warning. Only if
        `writable` is anything changed on disk.

        Raises:
            ProjectError: if something cannot be read.
        """
        self._finish_renames(file, writable=writable)
        found = find_class_folders(self.path)
        moving = {folder.name for folder in self._folders.values()}
        known = set(file.class_names)
        for name, folder_name in found.folders.items():
            if folder_name in moving:
                continue
            if name not in known:
                if not _is_class_name(name, file.class_names):
                    found.left_alone.append(f"{folder_name!r} (cannot be a class name)")
                    continue
                file = file.with_class(name)
            self._folders[name] = self.path / folder_name
        for name in file.class_names:
            check_folder(self.path / name)
        pictures = {
            name: find_pictures(folder, found, sweep=writable)
            for name in file.class_names
            if (folder := self._folders.get(name))
        }
        total, done = sum(map(len, pictures.values())), 0
        self._index.read(total)
        with _uncollected():
            for name, of_class in pictures.items():
                samples: list[Sample] = []
                for picture in of_class:
                    progress(done / total)
                    done += 1
                    if sample := self._load_picture(name, picture, found):
                        samples.append(sample)
                samples.sort(key=_order)
                self._samples[name] = ClassSamples(samples)
        self._index.forget_the_rest()
        self._now = None
        if found.left_alone:
            _log.warning("Left alone in %s: %s.", self.path, found.summary())
        return file

    def _finish_renames(self, file: ProjectFile, *, writable: bool) -> None:
        for entry in file.classes:
            if entry.renamed_from is None:
                continue
            old, new = self.path / entry.renamed_from, self.path / entry.name
            # the same, if only the case changed
            free = not new.exists() or (old.exists() and new.samefile(old))
            if old.is_dir() and free and entry.renamed_from not in file.class_names:
                check_folder(old)
                if not writable:
                    self._folders[entry.name] = old
                    continue
                with reported("rename", old):
                    old.rename(new)

    def _load_picture(self, class_name: str, picture: FoundFile, found: Found) -> Sample | None:
        folder = self.folder_of(class_name)
        try:
            digest = self._index.digest(folder, picture)
        except FileNotFoundError:  # the program that has the project open moved it away
            return None
        except OSError as error:
            name = f"{class_name}/{picture.name}"
            found.left_alone.append(f"{name!r} ({describe(error)})")
            return None
        burst_id = self._burst_id(class_name, picture)
        return Sample(class_name, burst_id, folder / picture.name, digest)

    def _burst_id(self, class_name: str, picture: FoundFile) -> str:
        if picture.burst_number is None:
            return foreign_burst_id(class_name, picture.name)
        burst_id = burst_id_of(picture.burst_number)
        if self._burst_classes.setdefault(burst_id, class_name) != class_name:
            # copied here from another project; undoing one must not take the other along
            return foreign_burst_id(class_name, burst_id)
        self._next_index[burst_id] = max(self._next_index.get(burst_id, 0), picture.burst_index + 1)
        return burst_id

    def of_class(self, class_name: str) -> ClassSamples:
        """The samples of one class, in the order of capture."""
        return self._samples.get(class_name, NO_SAMPLES)

    def now(self, class_names: tuple[str, ...]) -> Samples:
        """All samples at this moment."""
        if self._now is None:
            self._now = Samples({name: self.of_class(name) for name in class_names})
        return self._now

    def check_of_one_class(self, samples: Sequence[Sample]) -> None:
        """Raise an `InvalidValueError` unless there are some, all of one class."""
        there = set(self.of_class(samples[0].class_name) if samples else ())
        such = sum(sample in there for sample in samples)
        if not samples or such < len(samples):
            raise InvalidValueError(
                f"Expected samples of one class, received {len(samples)}, {such} of them such."
            )

    def of_burst(self, burst_id: str) -> tuple[Sample, ...]:
        """The samples of one burst, in the order of capture."""
        owner = self._burst_classes.get(burst_id)
        classes = [self.of_class(owner)] if owner else self._samples.values()
        return tuple(s for samples in classes for s in samples if s.burst_id == burst_id)

    def folder_of(self, class_name: str) -> Path:
        """Where a class's samples lie, or will."""
        return self._folders.get(class_name) or self.path / class_name

    def next_path(self, class_name: str, burst_id: str, suffix: str) -> Path:
        """Name the file of a burst's next sample, of whichever class."""
        index = self._next_index.get(burst_id, 0)
        return self.folder_of(class_name) / sample_file_name(burst_id, index, suffix)

    def skip(self, burst_id: str) -> None:
        """Go on to the next name of a burst, as another program has given its `next_path`."""
        self._next_index[burst_id] = self._next_index.get(burst_id, 0) + 1

    def has_burst(self, burst_id: str) -> bool:
        """Say whether samples of a burst were found or added."""
        return burst_id in self._burst_classes

    def last_burst_on_disk(self) -> int:
        """Look for the highest number of a burst once more: another program may have written.

        Raises:
            ProjectError: if something cannot be read.
        """
        numbers = [0]
        for folder in find_class_folders(self.path).folders.values():
            found = find_pictures(self.path / folder, Found(), sweep=False)
            numbers += [picture.burst_number or 0 for picture in found]
        return max(numbers)

    def make_folder(self, class_name: str) -> None:
        """Make the folder of a class, in the project as it is, never that itself.

        Raises:
            OSError: if it cannot be made.
        """
        folder = self.folder_of(class_name)
        self.path.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)

    def add(self, sample: Sample) -> None:
        """Take in a sample that was just written to its `next_path`.

        Raises:
            OSError: if it is not there.
        """
        self._index.note(sample.path, sample.image_sha256)
        self._burst_classes[sample.burst_id] = sample.class_name
        number, index = captured_as(sample.path.name)
        if number is not None:
            self._next_index[burst_id_of(number)] = index + 1
        self._folders[sample.class_name] = sample.path.parent
        self._put(sample.class_name, [sample])

    def _put(self, class_name: str, samples: Iterable[Sample]) -> None:
        there = self.of_class(class_name)
        between: list[Sample] = []
        for sample in samples:
            if not there or _order(there[-1]) <= _order(sample):  # nearly always
                there = there.with_next(sample)
            else:
                between.append(sample)
        if between:  # all at once: a class may have thousands
            others = list(there)
            for sample in between:
                insort(others, sample, key=_order)
            there = ClassSamples(others)
        self._samples[class_name] = there
        self._now = None

    def remove(self, class_name: str, samples: Sequence[Sample]) -> None:
        """Forget samples of a class that were just moved away."""
        gone = {sample.path for sample in samples}
        left = (s for s in self._samples[class_name] if s.path not in gone)
        self._samples[class_name] = ClassSamples(left)
        for path in gone:
            self._index.forget(path)
        self._now = None

    def put_back(self, samples: Iterable[Sample], trash: Path, class_name: str) -> list[Sample]:
        """Move samples that were removed back, to a class by its present name.

        `trash` is the folder where they lie, or lay until it was moved back as a whole.

        Returns:
            Those that are back: not those that somebody has deleted from the trash.

        Raises:
            OSError: if one cannot be moved; those before it are back and counted.
        """
        folder = self.folder_of(class_name)
        counted = {sample.path.name for sample in self.of_class(class_name)}
        there: list[Sample] = []
        try:
            for sample in samples:
                name = sample.path.name
                if (trash / name).exists():
                    name = _move_to_free_name(trash / name, folder)
                elif name in counted or not (folder / name).exists():
                    continue
                burst_id = self.burst_id_in(class_name, name)
                back = Sample(class_name, burst_id, folder / name, sample.image_sha256)
                self._index.note(back.path, back.image_sha256)
                self._burst_classes[back.burst_id] = class_name
                there.append(back)
        finally:
            self._put(class_name, there)
            if folder.exists():
                self._folders[class_name] = folder
        return there

    def burst_id_in(self, class_name: str, name: str) -> str:
        """Name the burst of a picture that is put into a class, as `load` will find it there."""
        number = captured_as(name)[0]
        if number is None:
            return foreign_burst_id(class_name, name)
        burst_id = burst_id_of(number)
        owner = self._burst_classes.get(burst_id, class_name)
        if owner != class_name and any(s.burst_id == burst_id for s in self.of_class(owner)):
            return foreign_burst_id(class_name, burst_id)
        return burst_id

    def move(self, samples: Sequence[Sample], class_name: str) -> list[Sample]:
        """Move samples of one class to another one.

        Returns:
            Those that are there: not those that somebody has deleted.

        Raises:
            OSError: if one cannot be moved; those before it are there, the others where they were.
        """
        before = samples[0].class_name
        folder = self.folder_of(before)
        self.make_folder(class_name)
        self.remove(before, samples)
        try:
            return self.put_back(samples, folder, class_name)
        finally:
            left = [sample for sample in samples if sample.path.exists()]
            for sample in left:
                self._index.note(sample.path, sample.image_sha256)
            self._put(before, left)

    def remove_class(self, class_name: str) -> None:
        """Forget a class that was just moved away."""
        self._folders.pop(class_name, None)
        for sample in self._samples.pop(class_name, NO_SAMPLES):
            self._index.forget(sample.path)
        self._now = None

    def rename_class(self, class_name: str, new_name: str) -> None:
        """Follow a class folder to its new name."""
        folder = self.path / new_name
        foreign = foreign_burst_id(class_name, "")
        renamed: list[Sample] = []
        for sample in self._samples.pop(class_name, NO_SAMPLES):
            burst_id = sample.burst_id
            if burst_id.startswith(foreign):
                burst_id = foreign_burst_id(new_name, burst_id[len(foreign) :])
            path = folder / sample.path.name
            self._index.move(sample.path, path)
            renamed.append(replace(sample, class_name=new_name, burst_id=burst_id, path=path))
        self._samples[new_name] = ClassSamples(renamed)
        for burst_id, owner in self._burst_classes.items():
            if owner == class_name:
                self._burst_classes[burst_id] = new_name
        if self._folders.pop(class_name, None):
            self._folders[new_name] = folder
        self._now = None

    def save_index(self) -> None:
        """Write what is known of the hashes.

        Raises:
            OSError: if it cannot be written.
        """
        self._index.save()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make much that stays: the collector would walk through all of it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _order(sample: Sample) -> tuple[bool, str, int, tuple[tuple[int, str], ...], str]:
    """Sort as they were captured; pictures of other tools come first, by the numbers in them."""
    name = sample.path.name
    if _is_foreign(sample):
        return False, "", 0, natural_key(name), name
    return True, sample.burst_id, len(name), (), name  # a longer name has a higher number


def _is_foreign(sample: Sample) -> bool:
    return burst_number_of(sample.burst_id) is None


def _move_to_free_name(path: Path, folder: Path) -> str:
    """Move a picture to a folder, and give the name it has there: another one if it was taken."""
    stem, suffix = os.path.splitext(path.name)  # noqa: PTH122 - of a name alone
    for name in itertools.chain([path.name], (f"{stem} ({n}){suffix}" for n in itertools.count(2))):
        with suppress(FileExistsError):
            move_new(path, folder / name)
            return name
    raise AssertionError("There is always a free name.")  # pragma: no cover


def _is_class_name(name: str, taken: tuple[str, ...]) -> bool:
    try:
        return clean_class_name(name, taken) == name
    except InvalidClassNameError:
        return False
