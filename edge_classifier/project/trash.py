"""A project's trash: what was undone or removed, and the way back from there."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import TrashEmptiedError
from edge_classifier.project.files import reported
from edge_classifier.project.folder import TRASH, move_all

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.project.sample_folder import SampleFolder
    from edge_classifier.values import Sample


@dataclass(frozen=True, slots=True)
class Trashed:
    """Samples that lie in a folder of the trash.

    Attributes:
        folder: Where they lie, by the file names that they had.
        samples: As they were.
    """

    folder: Path
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What `ProjectStore.put_back` puts back.

    Attributes:
        class_name: Of all that was removed.
        whole_class: Whether the class went with its samples.
        samples: What was there to train on, or `None`.
        held_out: What was there to measure on only, or `None`.
    """

    class_name: str
    whole_class: bool
    samples: Trashed | None = None
    held_out: Trashed | None = None

    @property
    def count(self) -> int:
        """How many pictures were removed."""
        return sum(len(part.samples) for part in (self.samples, self.held_out) if part)


class Trash:
    """Moves files between class folders and `trash/<n>/<class>/`, with the samples in step."""

    def __init__(self, project: Path, samples: SampleFolder, held_out: SampleFolder) -> None:
        self._project = project
        self._samples = samples
        self._held_out = held_out

    def take_samples(self, samples: tuple[Sample, ...]) -> Removed:
        """Move samples of one class, all of them to train on, to the trash.

        Raises:
            ProjectError: if they cannot be moved; those that were not, stay samples.
        """
        class_name = samples[0].class_name
        folder = self._new_folder(class_name)
        moved: list[Sample] = []
        try:
            for sample in samples:
                with reported("move to the trash", sample.path), suppress(FileNotFoundError):
                    sample.path.replace(folder / sample.path.name)
                moved.append(sample)
        finally:
            self._samples.remove(class_name, moved)
        return Removed(class_name, whole_class=False, samples=Trashed(folder, samples))

    def take_class(self, class_name: str) -> Removed:
        """Move a class's folders to the trash; the samples still count.

        Raises:
            ProjectError: if one cannot be moved; then all are as before.
        """
        moves: dict[SampleFolder, tuple[Path, Path]] = {}
        for samples in (self._samples, self._held_out):
            folder = samples.folder_of(class_name)
            if folder.exists():
                moves[samples] = (folder, self._new_folder(class_name))
        for _, target in moves.values():
            with reported("write in", target):
                target.rmdir()
        move_all("move to the trash", list(moves.values()))

        def part(samples: SampleFolder) -> Trashed | None:
            if samples not in moves:
                return None
            return Trashed(moves[samples][1], tuple(samples.of_class(class_name)))

        return Removed(
            class_name, whole_class=True, samples=part(self._samples), held_out=part(self._held_out)
        )

    def return_class(self, removed: Removed) -> None:
        """Undo `take_class` before its samples are forgotten, as far as possible."""
        for samples, part in self._parts(removed):
            with suppress(OSError):
                part.folder.rename(samples.folder_of(removed.class_name))

    def put_back(self, removed: Removed) -> int:
        """Move what was removed back to its class; what is gone from the trash stays gone.

        Returns:
            How many pictures are back.

        Raises:
            TrashEmptiedError: if none of them is there any longer.
            ProjectError: if they cannot be moved; what is back stays back, and the others can
                be put back by another call.
        """
        count = 0
        for samples, part in self._parts(removed):
            folder = samples.folder_of(removed.class_name)
            with reported("put back", part.folder):
                if removed.whole_class and part.folder.is_dir() and not folder.exists():
                    folder.parent.mkdir(exist_ok=True)
                    part.folder.rename(folder)
                else:
                    samples.make_folder(removed.class_name)
                count += len(samples.put_back(part.samples, part.folder, removed.class_name))
            with suppress(OSError):  # not empty, or moved as a whole
                part.folder.rmdir()
            with suppress(OSError):
                part.folder.parent.rmdir()
        if removed.count and not count:
            raise TrashEmptiedError(
                f"The pictures of {removed.class_name} are no longer in {self._project}/"
                f"{TRASH}, so they cannot be put back."
            )
        return count

    def _parts(self, removed: Removed) -> list[tuple[SampleFolder, Trashed]]:
        pairs = ((self._samples, removed.samples), (self._held_out, removed.held_out))
        return [(samples, part) for samples, part in pairs if part is not None]

    def _new_folder(self, class_name: str) -> Path:
        trash = self._project / TRASH
        with reported("write in", trash):
            trash.mkdir(exist_ok=True)
            numbers = [int(name) for name in os.listdir(trash) if name.isdecimal()]  # noqa: PTH208 - names only
            folder = trash / f"{max(numbers, default=0) + 1:06d}" / class_name
            folder.mkdir(parents=True)
        return folder
