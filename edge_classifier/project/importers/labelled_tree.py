"""Pictures in a folder or an archive whose class is in their paths."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.device.picture_decoder import image_size
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.folder import HELD_OUT, SAMPLES
from edge_classifier.project.importers.base import Importer, LabelledPicture, Refusal
from edge_classifier.project.importers.layout import Layout, Placed, place_pictures
from edge_classifier.project.importers.tree import some_names, sort_out
from edge_classifier.project.project_file import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

_CAPTURE_SIZE: Final = (224, 224)  # what Teachable Machine's webcam takes and its download holds
_PROJECT_PARTS: Final = 3  # samples/dog/1.jpg
_BURST: Final = re.compile(r"(b[0-9]{7})-[0-9]{4,}")


class TreeImporter(Importer):
    """A folder per class, with or without splits, or labels in file names.

    `root` is the name of the folder itself, which may be a split's, and `beside` those of the
    folders around and beside it; `class_name`, if given, is what all show; `capture_of` is the
    class of a flat tree without labels: of an archive named so.

    Attributes:
        placed: All pictures with their classes, those to train on first.
    """

    def __init__(
        self,
        tree: FileTree,
        *,
        root: str = "",
        class_name: str | None = None,
        capture_of: str | None = None,
        beside: Iterable[str] = (),
    ) -> None:
        self._tree = tree
        pictures, self._refused, others = sort_out(tree)
        self._is_project = FILE_NAME in tree.paths and any(
            path.startswith(f"{SAMPLES}/") for path in tree.paths
        )
        if self._is_project:
            self.placed, self.description = _placed_in_project(pictures, class_name), "a project"
        else:
            self._take(place_pictures(pictures, root, class_name, beside, tree.links))
            self.left_alone = tuple(tree.source(path) for path in others)
        flat = all("/" not in path for path in pictures)
        self._is_capture = (
            capture_of is not None and flat and not any(p.class_name for p in self.placed)
        )
        if self._is_capture:
            self._take(place_pictures(pictures, root, capture_of))
        self.count = len(self._refused) + len(self.placed)
        if self.placed and all(p.held_out for p in self.placed):
            why = f"All of {tree.name} is held out, as the name of a folder says"
            self.notes = (*self.notes, f"{why}; `--split train` trains on it.")

    def hold_out(self, paths: set[str], sources: Sequence[str]) -> None:
        """Hold out pictures that lists, named by their sources, say are not to be trained on."""
        more = {p.path for p in self.placed if p.path in paths and p.class_name and not p.held_out}
        if not more:
            return
        placed = [replace(p, held_out=True) if p.path in more else p for p in self.placed]
        self.placed = sorted(placed, key=attrgetter("held_out"))
        aside = tuple(f"{source} was left aside" for source in sources)
        are = "picture is" if len(more) == 1 else "pictures are"
        note = f"{len(more):,} {are} held out, as {some_names(sources)} says."
        self.notes = (*(n for n in self.notes if not n.startswith(aside)), note)
        if "held-out" not in self.description:
            self.description += ", with a held-out split"

    def _take(self, layout: Layout) -> None:
        self.placed, self.description = layout.placed, layout.description
        self.notes = layout.notes

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then pictures, class by class."""
        yield from self._refused
        captures = self._captures()
        for placed in self.placed:
            path, source = placed.path, self._tree.source(placed.path)
            if placed.reason:
                yield Refusal(source, placed.reason)
                continue
            content = partial(self._tree.read, path)
            group = self._group(path, captures)
            yield LabelledPicture(source, placed.class_name, content, group, placed.held_out)

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
        for placed in self.placed:
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


def _placed_in_project(pictures: list[str], class_name: str | None) -> list[Placed]:
    """Take over the classes and splits of another project."""
    placed = (
        Placed(path, class_name or parts[1], held_out=parts[0] == HELD_OUT)
        for path in pictures
        if len(parts := path.split("/")) == _PROJECT_PARTS and parts[0] in {SAMPLES, HELD_OUT}
    )
    return sorted(placed, key=attrgetter("order"))
