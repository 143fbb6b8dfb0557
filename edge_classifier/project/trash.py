"""A project's trash: what was undone or removed, and the way back from there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import TrashEmptiedError
from edge_classifier.project import folder as project_folder
from edge_classifier.project.files import reported
from edge_classifier.values import Sample

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.project.sample_table import SampleTable
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
    """Moves files between the class folders and `trash/<n>/<class>/`, and tells the tables.

    Args:
        project: The project's folder.
        table: Of the samples to train on.
        held_out: Of those that are only measured on.
    """

    def __init__(self, project: Path, table: SampleTable, held_out: SampleTable) -> None:
        self._project = project
        self._table = table
        self._held_out = held_out

    def take_samples(self, samples: tuple[Sample, ...]) -> Removed:
        """Move samples of one class, all of them to train on, to the trash.

        Raises:
            ProjectError: if they cannot be moved; those that were not, stay samples.
        """
        class_name = samples[0].class_name
        folder = project_folder.new_trash_folder(self._project, class_name)
        for sample in samples:
            with reported("move to the trash", sample.path), suppress(FileNotFoundError):
                sample.path.replace(folder / sample.path.name)
            self._table.remove(sample)
        return Removed(class_name, whole_class=False, samples=Trashed(folder, samples))

    def take_class(self, class_name: str) -> Removed:
        """Move a class's folders to the trash; the tables still count them.

        Raises:
            ProjectError: if one cannot be moved; then all are as before.
        """
        moves: dict[SampleTable, tuple[Path, Path]] = {}
        for table in (self._table, self._held_out):
            if table.folder_of(class_name).exists():
                folder = project_folder.new_trash_folder(self._project, class_name)
                moves[table] = (table.folder_of(class_name), folder)
        for _, folder in moves.values():
            with reported("write in", folder):
                folder.rmdir()
        project_folder.move_all("move to the trash", list(moves.values()))

        def part(table: SampleTable) -> Trashed | None:
            return Trashed(moves[table][1], table.of_class(class_name)) if table in moves else None

        return Removed(
            class_name, whole_class=True, samples=part(self._table), held_out=part(self._held_out)
        )

    def return_class(self, removed: Removed) -> None:
        """Undo `take_class` before the tables have forgotten the class, as far as possible."""
        for table, part in self._parts(removed):
            with suppress(OSError):
                part.folder.rename(table.folder_of(removed.class_name))

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
        for table, part in self._parts(removed):
            folder = table.folder_of(removed.class_name)
            with reported("put back", part.folder):
                if removed.whole_class and part.folder.is_dir() and not folder.exists():
                    folder.parent.mkdir(exist_ok=True)
                    part.folder.rename(folder)
                else:
                    folder.mkdir(parents=True, exist_ok=True)
                count += table.put_back(part.samples, part.folder, removed.class_name)
            with suppress(OSError):  # not empty, or moved as a whole
                part.folder.rmdir()
            with suppress(OSError):
                part.folder.parent.rmdir()
        if removed.count and not count:
            raise TrashEmptiedError(
                f"The pictures of {removed.class_name} are no longer in {self._project}/"
                f"{project_folder.TRASH}, so they cannot be put back."
            )
        return count

    def _parts(self, removed: Removed) -> list[tuple[SampleTable, Trashed]]:
        pairs = ((self._table, removed.samples), (self._held_out, removed.held_out))
        return [(table, part) for table, part in pairs if part is not None]
