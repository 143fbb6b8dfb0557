"""Which class and which split the pictures in a folder or an archive belong to, by their paths.

Folders at the top are classes, as for Keras and scikit-learn; deeper ones are not (pictures in
`dog/garden/` are of `dog`). Around that, folders that hold nothing but one other folder are
skipped, and `train`, `validation`, `test` and the like are splits, above the classes or in them.
Where there are no folders, the label is in the file name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.project.importers.labels import held_out_by_name, labels_of, natural_key

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_LABEL: Final = (
    "neither a folder nor its name tells its class (dog/1.jpg, dog-1.jpg); "
    "`--class NAME` says what it shows"
)
_BESIDE: Final = "it lies beside class folders, so it has no label; move it into one"
_UNLABELLED: Final = (
    "it lies in {folder!r}, which tells how pictures are used and not what they show; "
    "put it into a folder of its class in there"
)
_CLASS_AND_FILE: Final = 2
_SPLIT_CLASS_AND_FILE: Final = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture's place.

    Attributes:
        path: Its path.
        class_name: Its label; empty where there is none.
        held_out: Whether it is to be measured on.
        reason: Why there is no label.
    """

    path: str
    class_name: str
    held_out: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How pictures are laid out.

    Attributes:
        placed: Every picture, those to train on first, then by class in the natural order.
        description: For the user.
    """

    placed: tuple[Placed, ...]
    description: str


def understand(paths: Sequence[str], root: str = "", class_name: str | None = None) -> Layout:
    """Find classes and splits.

    Args:
        paths: Of pictures, relative, with `/` between their parts.
        root: Name of the folder itself: it may be a split's.
        class_name: What all of them show, if the user has said so.
    """
    all_held_out, parts = _unwrapped([path.split("/") for path in paths], root)
    tops = {p[0] for p in parts if len(p) >= _CLASS_AND_FILE}
    only_splits = bool(tops) and all(held_out_by_name(top) is not None for top in tops)
    placed: list[Placed] = []
    by_name: dict[str, tuple[bool, str]] = {}  # the label is to be found in the file's name
    for path, part in zip(paths, parts, strict=True):
        held_out, rest = _split_of(part, only_splits=only_splits)
        held_out = held_out or all_held_out
        if class_name is not None:
            placed.append(Placed(path, class_name, held_out))
        elif len(rest) >= _CLASS_AND_FILE:
            if len(part) == _CLASS_AND_FILE and held_out_by_name(rest[0]):
                by_name[path] = (True, _UNLABELLED.format(folder=rest[0]))
            else:
                placed.append(Placed(path, rest[0], held_out))
        else:
            by_name[path] = (held_out, "")
    folders = {p.class_name for p in placed}
    placed += _labelled_by_name(by_name, folders)
    description = "one class" if class_name else "a folder per class"
    if class_name is None and not folders:
        description = "labels in file names"
    if any(p.held_out and p.class_name for p in placed):
        description += ", with a held-out split"
    placed.sort(key=lambda p: (p.held_out, natural_key(p.class_name), natural_key(p.path)))
    return Layout(tuple(placed), description)


def _unwrapped(parts: list[list[str]], root: str) -> tuple[bool, list[list[str]]]:
    """Skip folders that hold only one other folder; say whether they hold all out."""
    held_out = held_out_by_name(root) is True
    while parts and min(map(len, parts)) >= _SPLIT_CLASS_AND_FILE and len(_tops(parts)) == 1:
        held_out = held_out or held_out_by_name(parts[0][0]) is True
        parts = [part[1:] for part in parts]
    return held_out, parts


def _tops(parts: list[list[str]]) -> set[str]:
    return {part[0] for part in parts}


def _split_of(part: list[str], *, only_splits: bool) -> tuple[bool, list[str]]:
    """Say whether a picture is held out, and give its path without the split's folder."""
    held_out = held_out_by_name(part[0]) if len(part) >= _CLASS_AND_FILE else None
    if held_out is not None and (only_splits or len(part) >= _SPLIT_CLASS_AND_FILE):
        return held_out, part[1:]
    if len(part) >= _SPLIT_CLASS_AND_FILE:  # dog/train/1.jpg
        held_out = held_out_by_name(part[1])
        if held_out is not None:
            return held_out, [part[0], *part[2:]]
    return False, part


def _labelled_by_name(by_name: dict[str, tuple[bool, str]], folders: set[str]) -> list[Placed]:
    labels = labels_of([PurePosixPath(path).stem for path in by_name])
    placed: list[Placed] = []
    for (path, (held_out, reason)), label in zip(by_name.items(), labels, strict=True):
        if label and (not folders or label in folders):
            placed.append(Placed(path, label, held_out))
        else:
            placed.append(Placed(path, "", held_out, reason or (_BESIDE if folders else NO_LABEL)))
    return placed
