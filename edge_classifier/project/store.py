"""The classes and samples of a project on disk (its layout: see `project_folder`).

Every change is one `os.replace` of a file or one `rename` of a folder, or a row of them after
each of which the project opens: a kill at any moment loses no sample.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import (
    InvalidValueError,
    ProjectError,
)
from edge_classifier.project import folder as project_folder
from edge_classifier.project import sample_files
from edge_classifier.project.document import (
    MAX_BURST,
    ProjectDocument,
)
from edge_classifier.project.files import (
    Unsynced,
    describe,
    reported,
    write_atomic,
)
from edge_classifier.project.names import clean_class_name
from edge_classifier.project.picture_file import encode_image, read_image, read_thumbnail
from edge_classifier.project.project import Project
from edge_classifier.project.sample_table import SampleTable
from edge_classifier.project.trash import Trash
from edge_classifier.values import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.project.document import ClassEntry
    from edge_classifier.project.files import FileLock
    from edge_classifier.project.trash import Removed
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import EncodedImage

_log = logging.getLogger(__name__)


class ProjectStore(Project):
    """A project with its samples. Implements `protocols.ProjectStore`.

    Changes come from one thread; pictures may be read, and `sync` called, from another one too.
    """

    def __init__(self, path: Path, document: ProjectDocument, lock: FileLock | None) -> None:
        super().__init__(path, document, lock)
        self._unsynced = Unsynced()
        index = sample_files.HashIndex(self.cache_folder / "index.json")
        self._table = SampleTable(self._samples_folder, index)
        index = sample_files.HashIndex(self.cache_folder / "index-validation.json")
        self._held_out = SampleTable(self._held_out_folder, index)
        self._trash = Trash(path, self._table, self._held_out)
        self._removed_classes: dict[str, tuple[ClassEntry, int]] = {}
        self._last_burst = document.last_burst

    def samples(self) -> tuple[Sample, ...]:
        """All samples to train on, by class, then in the order they were captured."""
        return self._table.all(self.class_names())

    def held_out(self) -> tuple[Sample, ...]:
        """All samples that are measured on and never trained on, in the same order."""
        return self._held_out.all(self.class_names())

    def encode(self, image: Image) -> EncodedImage:
        """Turn a frame's picture into what will be stored.

        Args:
            image: `(H, W, 3)` uint8, BGR, of any size.

        Raises:
            InvalidImageError: if it is none, or too large.
        """
        return encode_image(image)

    def thumbnail(self, sample: Sample) -> Image:
        """Read a sample's picture, its longest side at most 96 pixels, BGR.

        Raises:
            InvalidImageError: if the file is no picture (any more).
        """
        return read_thumbnail(sample.path)

    def read_image(self, sample: Sample) -> Image:
        """Read a sample's picture, whole, BGR.

        Raises:
            InvalidImageError: if the file is no picture (any more).
        """
        return read_image(sample.path)

    def next_burst_id(self) -> str:
        """Give an identifier that no burst has or had, sorting after all others.

        Raises:
            ProjectError: after the nine millionth.
        """
        if self._last_burst >= MAX_BURST:
            raise ProjectError(f"{self._path} is full: it has had {MAX_BURST:,} bursts.")
        self._last_burst += 1
        return sample_files.burst_id_of(self._last_burst)

    def add_sample(
        self, encoded: EncodedImage, class_name: str, burst_id: str, *, held_out: bool = False
    ) -> Sample:
        """Store a sample.

        It survives the death of the program once this returns, and a power cut once `sync`
        has returned: waiting for the disk at every key event would stall the picture.

        Args:
            encoded: From `encode`.
            class_name: A class of the project.
            burst_id: From `next_burst_id`; a burst has one class, and is held out as a whole.
            held_out: Whether it is only measured on: it is then one of `held_out`, never of
                `samples`.

        Raises:
            UnknownClassError: if the project has no such class.
            InvalidValueError: if the burst is not ours, or belongs to another class.
            ProjectError: if it cannot be written; then nothing was.
        """
        self.check_writable()
        self._entry(class_name)
        number = sample_files.burst_number_of(burst_id)
        if number is None or number > self._last_burst:
            raise InvalidValueError(f"Expected a burst of this project, received {burst_id!r}.")
        table = self._held_out if held_out else self._table
        path = table.next_path(class_name, burst_id, encoded.suffix)
        sample = Sample(class_name, burst_id, path, encoded.sha256)
        with reported("write", path):
            try:
                write_atomic(path, encoded.data)
            except FileNotFoundError:  # the first sample of its class
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, encoded.data)
            table.add(sample)
        self._unsynced.add(path)
        return sample

    def remove_burst(self, burst_id: str) -> Removed:
        """Move a burst's samples to the project's trash.

        Raises:
            InvalidValueError: if there is no such burst.
            ProjectError: if they cannot be moved; those that were not, stay samples.
        """
        self.check_writable()
        burst = tuple(sample for sample in self.samples() if sample.burst_id == burst_id)
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
        self.check_writable()
        there = self._table.of_class(samples[0].class_name) if samples else ()
        if not samples or not all(sample in there for sample in samples):
            raise InvalidValueError(
                f"Expected samples of one class of {self.name}, received {len(samples)}, "
                f"{sum(sample in there for sample in samples)} of them such."
            )
        self._keep_last_burst()
        return self._trash.take_samples(tuple(samples))

    def sync(self) -> None:
        """Wait until all samples are on the disk itself, safe from a power cut.

        Meant for the worker thread, after a burst.

        Raises:
            ProjectError: if the disk fails.
        """
        with reported("write", self._samples_folder):
            self._unsynced.flush((self._samples_folder, self._held_out_folder))

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
        tables = self._tables_with(class_name)
        for table in tables:
            project_folder.make_way(table.folder / name, table.folder_of(class_name))
        if not tables:
            self._change(lambda d: d.renamed(class_name, name, None))
        else:
            # In this order the project has every sample at every moment: until the folders
            # have moved, the note beside the new name says where to look.
            old = tables[0].folder_of(class_name).name
            self._change(lambda d: d.renamed(class_name, name, old))
            moves = [(table.folder_of(class_name), table.folder / name) for table in tables]
            try:
                project_folder.move_all("rename", moves)
            except ProjectError:
                with suppress(ProjectError):
                    self._change(lambda d: d.renamed(name, class_name, None))
                raise
            with suppress(ProjectError):  # the note does no harm from here on
                self._change(lambda d: d.renamed(name, name, None))
        for table in self._tables:
            table.rename_class(class_name, name)
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
            self._change(lambda d: d.without_class(class_name))
        except ProjectError:
            self._trash.return_class(removed)
            raise
        for table in self._tables:
            table.remove_class(class_name)
        self._removed_classes[class_name] = (entry, place)
        return removed

    def put_back(self, removed: Removed) -> int:
        """Move what was removed back; its class, if it is gone, to its old place and colour.

        Args:
            removed: As the removal returned it, under the class's present name.

        Returns:
            How many pictures are back; those that have a new name meanwhile get another one.

        Raises:
            InvalidClassNameError: if the class's name can no longer be told from another one.
            TrashEmptiedError: if the pictures are no longer in the trash.
            ProjectError: if they cannot be moved.
        """
        self.check_writable()
        name = removed.class_name
        if name not in self.class_names():
            if name in self._removed_classes:
                self._change(lambda d: d.with_entry(*self._removed_classes[name]))
            else:
                self.add_class(name)
        return self._trash.put_back(removed)

    def save_as(
        self,
        target: Path,
        progress: Progress = lambda _done, _what=None: None,
        cancelled: Cancelled = lambda: False,
    ) -> None:
        """Copy the whole project, but for its trash, to a new folder; whole or not at all.

        Args:
            target: A folder that does not exist, or is empty, outside this project.
            progress: Told the part done.
            cancelled: Asked before each file whether to stop.

        Raises:
            ProjectError: if it exists or cannot be written; then nothing was.
            CancelledError: if asked to stop; then nothing was written either.
        """
        project_folder.copy_project(
            self._path, Path(target), self._document, progress=progress, cancelled=cancelled
        )

    @property
    def _samples_folder(self) -> Path:
        return self._path / project_folder.SAMPLES

    @property
    def _held_out_folder(self) -> Path:
        return self._path / project_folder.HELD_OUT

    @property
    def _tables(self) -> tuple[SampleTable, SampleTable]:
        return self._table, self._held_out

    def _tables_with(self, class_name: str) -> list[SampleTable]:
        return [table for table in self._tables if table.folder_of(class_name).exists()]

    def _load(self, progress: Progress, *, changed: bool) -> None:
        """Find the samples, and write down what had to be put right."""
        document = self._document
        for table in self._tables:
            document = table.load(document, writable=not self.read_only, progress=progress)
        for name in document.class_names:  # their renamings are completed, or never began
            document = document.renamed(name, name, None)
        changed = changed or document != self._document
        self._document = document
        self._last_burst = max(document.last_burst, *(t.last_burst for t in self._tables))
        if not self.read_only:
            for folder in (self._path, self.cache_folder, self.model_folder):
                sample_files.sweep(folder)
            super()._load(progress, changed=changed)
            self._save_index()

    def _before_close(self) -> None:
        self.sync()
        self._save_index()

    def _keep_last_burst(self) -> None:
        """Write down the highest burst so far, before it can vanish from the samples."""
        if self._document.last_burst < self._last_burst:
            self._change(lambda d: replace(d, last_burst=self._last_burst))

    def _save_index(self) -> None:
        try:
            for table in self._tables:
                table.save_index()
        except OSError as error:  # costs time when opening, nothing else
            _log.info("The index of %s was not written: %s.", self._path, describe(error))
