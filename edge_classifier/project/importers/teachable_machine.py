"""Project files of Teachable Machine (`.tm`), and the sample archives it gives per class.

What is known of a `.tm` file, and from where:

- It is a zip archive with the labels in a JSON file: its makers say so in issue 38 of
  googlecreativelab/teachablemachine-community.
- Its entries are `manifest.json` and, at the top, the samples, called `<class>-!-<number>`
  with a suffix: read off a public program that opens such files and splits the names at `-!-`.
  The samples of image and pose projects are pictures, those of audio projects archives.
- The manifest's `type` is `image`, `pose` or `audio`: read off public project files. Nothing else
  of it is needed; if no name holds `-!-`, the file is read as any archive is.
- Pictures are what the webcam gave, 224 x 224: checked on a real capture.
- Classes lie in the archive in their order, so that is kept.

A class's own download is an archive `<class>-samples.zip` of pictures called 0, 1, 2 and so on
(the same capture), or of an audio project recordings with a `samples.json`. In both, a class's
pictures are frames of one recording, as far as anyone can tell: one burst.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.importers.base import Importer, LabelledPicture
from edge_classifier.project.importers.tree import sort_out
from edge_classifier.project.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

SUFFIX: Final = ".tm"
_MARK: Final = "-!-"
_MANIFEST: Final = "manifest.json"
_LONGEST_MANIFEST: Final = 1 << 20
_RECORDINGS: Final = "samples.json"
_SAMPLES_ARCHIVE: Final = re.compile(r"(.*?)[-_ ]?samples(?: ?\([0-9]+\))?", re.IGNORECASE)


def is_project(tree: FileTree) -> bool:
    """Say whether an archive is laid out as a `.tm` file, whatever it is called."""
    return bool(_kind(tree))


def _kind(tree: FileTree) -> str:
    """Give the kind of project that an archive is of, or nothing: by its manifest or samples."""
    samples = [path for path in tree.paths if _MARK in path]
    sounds = samples or (tree.paths if _RECORDINGS in tree.paths else ())
    if sounds and all(path.endswith((".webm", ".json", ".zip")) for path in sounds):
        return "audio"
    manifest = None
    if _MANIFEST in tree.paths:
        with suppress(InvalidImageError, ValueError, RecursionError):
            manifest = json.loads(tree.read(_MANIFEST)[:_LONGEST_MANIFEST])
    kind = manifest.get("type") if isinstance(manifest, dict) and "appdata" in manifest else None
    if isinstance(kind, str) and (samples or kind == "audio"):
        return kind
    return "image" if samples else ""


def class_of_archive(stem: str) -> str | None:
    """Give the class whose samples an archive of this name holds, or `None` for another name."""
    match = _SAMPLES_ARCHIVE.fullmatch(stem)
    return match[1].strip() or None if match else None


class TeachableMachineImporter(Importer):
    """The project in a `.tm` file; `class_name` if the user said what all pictures show.

    Raises:
        NotImportableError: if it is of sounds.
    """

    description = "a Teachable Machine project"

    def __init__(self, tree: FileTree, class_name: str | None = None) -> None:
        kind = _kind(tree)
        if kind == "audio":
            raise NotImportableError(
                f"{tree.name} is of an audio project of Teachable Machine; it holds sounds, and "
                "only pictures can be added."
            )
        self._tree = tree
        self._class_name = class_name
        pictures, self._refused, others = sort_out(tree)
        marked = {path for path in (*pictures, *others) if _MARK in path}
        order = {_label(path): n for n, path in reversed([*enumerate(tree.stored)])}
        self._pictures = sorted(marked, key=lambda path: (order[_label(path)], natural_key(path)))
        self.left_alone = tuple(
            tree.source(path) for path in others if path not in marked and path != _MANIFEST
        )
        self.count = len(self._refused) + len(self._pictures)
        if kind == "pose":
            self.description = "a pose project of Teachable Machine"
            self.notes = (f"{tree.name}: its pictures are learned, not the postures of bodies.",)

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then pictures, class by class."""
        yield from self._refused
        for path in self._pictures:
            label = _label(path)
            yield LabelledPicture(
                self._tree.source(path),
                self._class_name or label,
                partial(self._tree.read, path),
                group=f"{self._tree.name}/{label}",
            )


def _label(path: str) -> str:
    return path.rpartition(_MARK)[0]
