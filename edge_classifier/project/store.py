"""The classes and samples of a project on disk (its layout: see `folder`).

Every change is one file or folder that takes its name when it is whole, or a row of them after
each of which the project opens: a kill at any moment loses no sample.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.errors import InvalidValueError, ProjectError
from edge_classifier.project.classes import clean_class_name
from edge_classifier.project.copying import copy_project
from edge_classifier.project.files import Unsynced, describe, reported, write_new
from edge_classifier.project.folder import HELD_OUT, SAMPLES, make_way, move_all
from edge_classifier.project.picture_file import encode_image, read_thumbnail
from edge_classifier.project.project import Project
from edge_classifier.project.project_file import MAX_BURST, ProjectFile
from edge_classifier.project.rescue import Rescue
from edge_classifier.project.sample_files import HashIndex, burst_id_of, burst_number_of, sweep
from edge_classifier.project.sample_folder import SampleFolder
from edge_classifier.project.trash import Trash
from edge_classifier.protocols import ignore_progress, never_cancelled
from edge_classifier.values import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_classifier.project.lock import ProjectLock
    from edge_classifier.project.project_file import ClassEntry
    from edge_classifier.project.samples import Samples
    from edge_classifier.project.trash import Removed
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import EncodedImage

_log = logging.getLogger(__name__)

_MOST_MISSES: Final = 3
"""Of a folder that another program deletes each time it was made."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A project at one moment, for a thread beside the one that changes it."""

    path: Path
    name: str
    samples: tuple[Sample, ...]
    held_out: tuple[Sample, ...]
    settings: dict[str, Any]


class ProjectStore(Project):
    """A project on disk: its classes and samples.

    Every method that changes something has done so on disk when it returns. Changes come from
    one thread; pictures may be read, and `sync` called, from another one too.
    """

    # For the session, which imports no OpenCV.
    encode = staticmethod(encode_image)
    thumbnail = staticmethod(read_thumbnail)

    def __init__(self, path: Path, project_file: ProjectFile, lock: ProjectLock | None) -> None:
        super().__init__(path, project_file, lock)
        self._unsynced = Unsynced()
        self._samples = SampleFolder(path / SAMPLES, HashIndex(self.cache_folder / "hashes.txt"))
        self._held_out = SampleFolder(
            path / HELD_OUT, HashIndex(self.cache_folder / "hashes-validation.txt")
        )
        self._folders = (self._samples, self._held_out)
        self._trash = Trash(path, self._samples, self._held_out)
        self._removed_classes: dict[str, tuple[ClassEntry, int]] = {}
        self._last_burst = project_file.last_burst
        # What happens only where two programs have written at once, by the id that was given.
        self._renumbered: dict[str, str] = {}
        self._last_burst_of_others = ""
        self._rescue = Rescue(path)
        if lock is not None:
            lock.on_made_again = self._note_other_bursts

    def now(self) -> Samples:
        """The samples to train on at this moment, however many, without copying them."""
        return self._samples.now(self.class_names())

    def samples(self) -> tuple[Sample, ...]:
        """All samples to train on, by class, then in the order they were captured."""
        return tuple(self.now())

    def held_out(self) -> tuple[Sample, ...]:
        """All samples that are measured on and never trained on, in the same order."""
        return tuple(self._held_out.now(self.class_names()))

    def snapshot(self) -> Snapshot:
        """Note what there is at this moment."""
        return Snapshot(self.path, self.name, self.samples(), self.held_out(), self.settings)

    def next_burst_id(self) -> str:
        """Give an identifier that no burst has or had, sorting after all others.

        Raises:
            ProjectError: after the nine millionth.
        """
        if self._last_burst >= MAX_BURST:
            raise ProjectError(f"{self.path} is full: it has had {MAX_BURST:,} bursts.")
        self._last_burst += 1
        return burst_id_of(self._last_burst)

    def add_sample(
        self, encoded: EncodedImage, class_name: str, burst_id: str, *, held_out: bool = False
    ) -> Sample:
        """Store a sample, to train on or, if `held_out`, only to measure on (see `held_out`).

        It survives the death of the program once this returns, and a power cut once `sync`
        has returned: waiting for the disk at every key event would stall the picture. A burst, from
        `next_burst_id`, is held out as a whole, also where it is of several classes.

        Raises:
            UnknownClassError: if the project has no such class.
            InvalidValueError: if the burst is not ours.
            ProjectError: if it cannot be written; then nothing was, but that a picture for a
                project that was lost while open (see `lost`) is kept in a folder that is named.
        """
        self._entry(class_name)
        number = burst_number_of(burst_id)
        if number is None or number > self._last_burst:
            raise InvalidValueError(f"Expected a burst of this project, received {burst_id!r}.")
        folder = self._held_out if held_out else self._samples
        try:
            self.check_writable()
            return self._write_sample(folder, encoded, class_name, burst_id)
        except ProjectError:
            with suppress(ProjectError):
                self.look()  # it may have been lost just after it was looked at
            if not self.lost:
                raise
            raise ProjectError(self._kept_elsewhere(encoded, class_name)) from None

    def _write_sample(
        self, folder: SampleFolder, encoded: EncodedImage, class_name: str, burst_id: str
    ) -> Sample:
        given_id = burst_id
        burst_id = self._renumbered.get(given_id, given_id)
        misses = 0
        while True:
            if not folder.has_burst(burst_id) and burst_id <= self._last_burst_of_others:
                burst_id = self._renumbered[given_id] = self.next_burst_id()
            path = folder.next_path(class_name, burst_id, encoded.suffix)
            with reported("write", path):
                try:
                    write_new(path, encoded.data)
                except FileNotFoundError:  # the first sample of its class
                    misses += 1
                    if misses > _MOST_MISSES:
                        raise
                    folder.make_folder(class_name)
                    continue
                except FileExistsError:  # another program's, which chose the same number
                    if folder.has_burst(burst_id):
                        folder.skip(burst_id)
                    else:
                        burst_id = self._renumbered[given_id] = self.next_burst_id()
                    continue
                own_id = folder.burst_id_in(class_name, path.name)
                sample = Sample(class_name, own_id, path, encoded.sha256)
                folder.add(sample)
            self._unsynced.add(path)
            return sample

    def _kept_elsewhere(self, encoded: EncodedImage, class_name: str) -> str:
        try:
            kept = self._rescue.keep(encoded, class_name)
        except ProjectError as error:
            return f"{self._how_lost()} {error}"
        return (
            f"{self._how_lost()} The picture was kept: `edge-classifier add PROJECT {kept}` adds "
            "it to a project."
        )

    def _note_other_bursts(self) -> None:
        with suppress(ProjectError):  # what cannot be read will be met when it is written
            last = max(folder.last_burst_on_disk() for folder in self._folders)
            self._last_burst_of_others = burst_id_of(last)
            self._last_burst = max(self._last_burst, last)

    def remove_burst(self, burst_id: str) -> Removed:
        """Move a burst's samples to the project's trash.

        Raises:
            InvalidValueError: if there is no such burst.
            ProjectError: if they cannot be moved; those that were not, stay samples.
        """
        self.check_writable()
        burst = self._samples.of_burst(burst_id)
        if not burst:
            raise InvalidValueError(f"The project {self.name} has no burst {burst_id!r}.")
        self._keep_last_burst()
        return self._trash.take_samples(burst)

    def remove_samples(self, samples: Sequence[Sample]) -> Removed:
        """Move some samples of one class, of those to train on, to the project's trash.

        Raises:
            InvalidValueError: if there are none, or not all are the class's.
            ProjectError: if they cannot be moved; those that were not, stay samples.
        """
        self._prepare_to_take(samples)
        return self._trash.take_samples(tuple(samples))

    def move_samples(self, samples: Sequence[Sample], class_name: str) -> list[Sample]:
        """Move some samples of one class, of those to train on, to another; gives what is there.

        Raises:
            UnknownClassError: if the project has no such class.
            InvalidValueError: if there are no samples, or not all are of one other class.
            ProjectError: if they cannot be moved; those that were not, stay where they are.
        """
        self._entry(class_name)
        self._prepare_to_take(samples)
        with reported("move a picture to", self._samples.folder_of(class_name)):
            return self._samples.move(samples, class_name)

    def _prepare_to_take(self, samples: Sequence[Sample]) -> None:
        self.check_writable()
        self._samples.check_of_one_class(samples)
        self._keep_last_burst()

    def sync(self) -> None:
        """Wait until all samples are on the disk itself, safe from a power cut.

        Meant for the worker thread, after a burst.

        Raises:
            ProjectError: if the disk fails.
        """
        with reported("write", self._samples.path):
            self._unsynced.flush((self.path, *(folder.path for folder in self._folders)))

    def rename_class(self, class_name: str, new_name: str) -> str:
        """Rename a class, its samples with it, and return the name as stored.

        `Sample`s obtained before name files that have moved: ask `samples` again.

        Raises:
            UnknownClassError: if the project has no such class.
            InvalidClassNameError: if the new name cannot be stored or told from another one.
            ProjectError: if it cannot be renamed; then it is as before.
        """
        self.check_writable()
        self._entry(class_name)
        name = clean_class_name(new_name, (n for n in self.class_names() if n != class_name))
        if name == class_name:
            return name
        moves = [
            (folder.folder_of(class_name), folder.path / name)
            for folder in self._folders
            if folder.folder_of(class_name).exists()
        ]
        for old, new in moves:
            make_way(new, old)
        if not moves:
            self._change(lambda file: file.renamed(class_name, name, None))
        else:
            # In this order the project has every sample at every moment: until the folders
            # have moved, the note beside the new name says where to look.
            old_name = moves[0][0].name
            self._change(lambda file: file.renamed(class_name, name, old_name))
            try:
                move_all("rename", moves)
            except ProjectError:
                with suppress(ProjectError):
                    self._change(lambda file: file.renamed(name, class_name, None))
                raise
            with suppress(ProjectError):  # the note does no harm from here on
                self._change(lambda file: file.renamed(name, name, None))
        for folder in self._folders:
            folder.rename_class(class_name, name)
        return name

    def remove_class(self, class_name: str) -> Removed:
        """Move a class with its samples to the project's trash.

        Raises:
            UnknownClassError: if the project has no such class.
            ProjectError: if it cannot be moved; then it is as before.
        """
        self.check_writable()
        entry = self._entry(class_name)
        place = self.class_names().index(class_name)
        self._keep_last_burst()
        removed = self._trash.take_class(class_name)
        try:
            self._change(lambda file: file.without_class(class_name))
        except ProjectError:
            self._trash.return_class(removed)
            raise
        for folder in self._folders:
            folder.remove_class(class_name)
        self._removed_classes[class_name] = (entry, place)
        return removed

    def put_back(self, removed: Removed) -> int:
        """Move what was removed back; its class, if it is gone, to its old place and colour.

        It has to bear the class's present name. Pictures whose name was taken meanwhile get
        another one.

        Returns:
            How many pictures are back.

        Raises:
            InvalidClassNameError: if the class's name can no longer be told from another one.
            TrashEmptiedError: if the pictures are no longer in the trash.
            ProjectError: if they cannot be moved.
        """
        self.check_writable()
        name = removed.class_name
        if name not in self.class_names():
            if name in self._removed_classes:
                self._change(lambda file: file.with_entry(*self._removed_classes[name]))
            else:
                self.add_class(name)
        return self._trash.put_back(removed)

    def save_as(
        self,
        target: Path,
        progress: Progress = ignore_progress,
        cancelled: Cancelled = never_cancelled,
        *,
        more: Mapping[Path, bytes] = MappingProxyType({}),
    ) -> None:
        """Copy the whole project, but for its trash, to a new folder; whole or not at all.

        The folder does not exist, or is empty, outside this project. Files of the copy's own are
        added as `more`, by their paths within it.

        Raises:
            ProjectError: if it is none of that, or cannot be written, or this project was lost
                while open; then nothing was.
            CancelledError: if asked to stop; then nothing was written either.
        """
        self.look()
        if self.lost:
            self.check_writable()  # which says how
        copy_project(
            self.path, Path(target), self._file, more=more, progress=progress, cancelled=cancelled
        )

    def _load(self, progress: Progress, *, changed: bool) -> None:
        """Find the samples, and write down what had to be put right."""
        file = self._file
        for folder in self._folders:
            file = folder.load(file, writable=not self.read_only, progress=progress)
        file = file.settled()  # renamings are completed, or never began
        changed = changed or file != self._file
        self._file = file
        self._last_burst = max(file.last_burst, *(f.last_burst for f in self._folders))
        if not self.read_only:
            for path in (self.path, self.cache_folder, self.model_folder):
                sweep(path)
            super()._load(progress, changed=changed)
            self._save_index()

    def _before_close(self) -> None:
        self.sync()
        self._save_index()

    def _keep_last_burst(self) -> None:
        """Write down the highest burst so far, before it can vanish from the samples."""
        if self._file.last_burst < self._last_burst:
            self._change(lambda file: replace(file, last_burst=self._last_burst))

    def _save_index(self) -> None:
        try:
            for folder in self._folders:
                folder.save_index()
        except OSError as error:  # costs time when opening, nothing else
            _log.info("The index of %s was not written: %s.", self.path, describe(error))


def open_for_reading(path: Path, progress: Progress = ignore_progress) -> ProjectStore:
    """Open a project, also one that is open elsewhere or may not be written.

    Then nothing is kept in it, which a warning in the log says.

    Raises:
        ProjectError: if it cannot be opened.
    """
    store = ProjectStore.open_as_possible(path, progress=progress)
    if store.read_only:
        _log.warning(
            "%s is opened read-only: %s; nothing is kept in it.", path, store.why_read_only
        )
    return store
