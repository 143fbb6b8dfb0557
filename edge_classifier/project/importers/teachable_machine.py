"""Project files of Teachable Machine (`.tm`), and the sample archives it gives per class.

What is known of a `.tm` file, and from where:

- It is a zip archive with the labels in a JSON file: its makers say so in issue 38 of
  googlecreativelab/teachablemachine-community.
- Its entries are `manifest.json` and, at the top, the pictures, called `<class>-!-<number>`
  with a suffix: read off a public program that opens such files and splits the names at `-!-`.
  No original file was at hand to check this against, nor any description of the manifest; so
  the manifest is not read, and if no name holds `-!-`, the file is read as any archive is.
- Pictures are what the webcam gave, 224 x 224: checked on a real capture.

A class's own download is an archive `<class>-samples.zip` of pictures called 0, 1, 2 and so on
(the same capture). In both, a class's pictures are frames of one recording, as far as anyone
can tell: one burst.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_classifier.project.importers.base import Importer, LabelledPicture
from edge_classifier.project.importers.labels import natural_key
from edge_classifier.project.importers.tree import sort_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

SUFFIX: Final = ".tm"
_MARK: Final = "-!-"
_MANIFEST: Final = "manifest.json"
_SAMPLES_ARCHIVE: Final = re.compile(r"(.*?)[-_ ]?samples(?: ?\([0-9]+\))?", re.IGNORECASE)


def is_project(tree: FileTree) -> bool:
    """Say whether an archive is laid out as a `.tm` file, whatever it is called."""
    return any(_MARK in path for path in tree.paths)


def class_of_archive(stem: str) -> str | None:
    """Give the class whose samples an archive of this name holds, or `None` for another name."""
    match = _SAMPLES_ARCHIVE.fullmatch(stem)
    return match[1].strip() or None if match else None


class TeachableMachineImporter(Importer):
    """The image project in a `.tm` file; `class_name` if the user said what all pictures show."""

    description = "a Teachable Machine project"

    def __init__(self, tree: FileTree, class_name: str | None = None) -> None:
        self._tree = tree
        self._class_name = class_name
        pictures, self._refused, others = sort_out(tree)
        marked = {path for path in (*pictures, *others) if _MARK in path}
        self._pictures = sorted(marked, key=natural_key)
        self.left_alone = tuple(
            tree.source(path) for path in others if path not in marked and path != _MANIFEST
        )
        self.count = len(self._refused) + len(self._pictures)

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then pictures, class by class."""
        yield from self._refused
        for path in self._pictures:
            label = path.rpartition(_MARK)[0]
            yield LabelledPicture(
                self._tree.source(path),
                self._class_name or label,
                partial(self._tree.read, path),
                group=f"{self._tree.name}/{label}",
            )
