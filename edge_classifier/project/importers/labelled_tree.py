"""Pictures in a folder or an archive whose class is in their paths."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError
from edge_classifier.project.document import FILE_NAME
from edge_classifier.project.folder import HELD_OUT, SAMPLES
from edge_classifier.project.importers.candidate import Candidate, FilePicture, Refusal
from edge_classifier.project.importers.labels import natural_key
from edge_classifier.project.importers.layout import Layout, Placed, understand
from edge_classifier.project.importers.tree import sort_out
from edge_classifier.project.picture_file import image_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.candidate import Item
    from edge_classifier.project.importers.tree import Tree

_CAPTURE_SIZE: Final = (224, 224)  # what Teachable Machine's webcam takes and its download holds
_PROJECT_PARTS: Final = 3  # samples/dog/1.jpg
_BURST: Final = re.compile(r"(b[0-9]{7})-[0-9]{4,}")


class TreeImporter:
    """A folder per class, with or without splits, or labels in file names.

    Args:
        tree: The files.
        root: Name of the folder itself: it may be a split's.
        class_name: What all pictures show, if the user has said so.
        capture_of: The class of a flat tree without labels: of an archive that is named so.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        root: str = "",
        class_name: str | None = None,
        capture_of: str | None = None,
    ) -> None:
        self._tree = tree
        pictures, refused, others = sort_out(tree)
        self._is_project = _is_project(tree)
        if self._is_project:
            layout = _project_layout(pictures, class_name)
        else:
            layout = understand(pictures, root, class_name)
        flat = all("/" not in path for path in pictures)
        self._is_capture = (
            capture_of is not None and flat and not any(p.class_name for p in layout.placed)
        )
        if self._is_capture:
            layout = understand(pictures, root, capture_of)
        self._layout = layout
        self._refused = [*tree.refusals, *refused]
        self._others = tuple(tree.source(path) for path in others if not self._is_project)
        self._note = ""
        if layout.placed and all(p.held_out for p in layout.placed):
            self._note = f"All of {tree.name} is held out, as the name of a folder says."

    @property
    def placed(self) -> tuple[Placed, ...]:
        """All pictures with their classes, those to train on first."""
        return self._layout.placed

    @property
    def description(self) -> str:
        """What was found, for the user."""
        return self._layout.description

    @property
    def count(self) -> int:
        """How many items will come."""
        return len(self._refused) + len(self._layout.placed)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Files that are not meant to be pictures."""
        return self._others

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        return (self._note,) if self._note else ()

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then candidates, class by class."""
        yield from self._refused
        captures = self._captures()
        for placed in self._layout.placed:
            path, source = placed.path, self._tree.source(placed.path)
            if placed.reason:
                yield Refusal(source, placed.reason)
                continue
            picture = FilePicture(source, partial(self._tree.read, path))
            group = self._group(path, captures)
            yield Candidate(source, placed.class_name, picture, group, placed.held_out)

    def _group(self, path: str, captures: set[str]) -> str | None:
        if self._is_capture:
            return self._tree.name
        if self._is_project and (match := _BURST.match(PurePosixPath(path).name)):
            return f"{self._tree.name}/{match[1]}"
        folder = str(PurePosixPath(path).parent)
        return f"{self._tree.name}/{folder}" if folder in captures else None

    def _captures(self) -> set[str]:
        """Find folders that are webcam recordings of Teachable Machine, unpacked.

        Their pictures are called 0, 1, 2 and so on, and are 224 pixels wide and high.
        """
        folders: dict[str, list[str]] = defaultdict(list)
        for placed in self._layout.placed:
            folders[str(PurePosixPath(placed.path).parent)].append(placed.path)
        found = set()
        for folder, paths in folders.items():
            stems = {PurePosixPath(path).stem for path in paths}
            if len(paths) > 1 and stems == {str(n) for n in range(len(paths))}:
                try:
                    sizes = {image_size(self._tree.read(path)) for path in (paths[0], paths[-1])}
                except InvalidImageError:
                    continue
                if sizes == {_CAPTURE_SIZE}:
                    found.add(folder)
        return found


def _is_project(tree: Tree) -> bool:
    return FILE_NAME in tree.paths and any(p.startswith(f"{SAMPLES}/") for p in tree.paths)


def _project_layout(pictures: list[str], class_name: str | None) -> Layout:
    """Take over the classes and splits of another project."""
    placed = [
        Placed(path, class_name or parts[1], held_out=parts[0] == HELD_OUT)
        for path in pictures
        if len(parts := path.split("/")) == _PROJECT_PARTS and parts[0] in {SAMPLES, HELD_OUT}
    ]
    placed.sort(key=lambda p: (p.held_out, natural_key(p.class_name), natural_key(p.path)))
    return Layout(tuple(placed), "a project")
