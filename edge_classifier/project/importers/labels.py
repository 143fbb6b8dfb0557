"""Which class and which split pictures belong to, by their paths.

Folders at the top are classes, as for Keras and scikit-learn; deeper ones are not (pictures in
`dog/garden/` are of `dog`). Around that, folders that hold nothing but one other folder are
skipped, and `train`, `validation`, `test` and the like are splits, above the classes or in them.
Where there are no folders, the label is in the file name (`dog-1.jpg`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

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

_TRAINING: Final = frozenset({"train", "training"})
_HELD_OUT: Final = frozenset(
    {
        "validation", "validate", "valid", "val", "test", "testing", "eval", "evaluation",
        "holdout", "hold-out", "hold_out", "heldout", "held-out", "held_out",
    }
)  # fmt: skip

# Digits at the end, with what stands between them and the label: dog-1, dog_12, dog 3, dog (4).
_NUMBERED: Final = re.compile(r"(.*?)([\s._#-]*[(\[]?)[0-9]+[)\]]?", re.DOTALL)
_SEPARATORS: Final = " \t._#-"
# Given by cameras, phones and programs; they tell nothing of what a picture shows.
_GENERIC: Final = re.compile(
    r"(img|dsc|dscn|dscf|dcim|pxl|mvimg|vid|photo|picture|pic|image|bild|foto|frame|capture|"
    r"screenshot|screen shot|whatsapp image|scan|snapshot|untitled|unnamed|download|sample|"
    r"webcam|file|pexels|unsplash)[\W\d_]*",
    re.IGNORECASE,
)
_MOST_DIGITS: Final = 3  # a class may be called 7 or 100; 20240501 is a date
_FEW: Final = 4
_NUMBER_RUNS: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture's place in a data set.

    Attributes:
        class_name: Its label; empty where there is none.
        held_out: Whether it is to be measured on.
        reason: Why there is no label.
    """

    path: str
    class_name: str
    held_out: bool = False
    reason: str = ""

    @property
    def order(self) -> tuple[object, ...]:
        """What to sort by: those to train on first, then by class as people count."""
        return self.held_out, natural_key(self.class_name), natural_key(self.path)


def place_pictures(
    paths: Sequence[str], root: str = "", class_name: str | None = None
) -> tuple[list[Placed], str]:
    """Find classes and splits of pictures' relative paths, with `/` between their parts.

    `root` is the name of the folder itself, which may be a split's; `class_name` is what all of
    them show, if the user has said so.

    Returns:
        Every picture in its `order`, and how they lie, for the user.
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
    return sorted(placed, key=attrgetter("order")), description


def _unwrapped(parts: list[list[str]], root: str) -> tuple[bool, list[list[str]]]:
    """Skip folders that hold only one other folder; say whether they hold all out."""
    held_out = held_out_by_name(root) is True
    while (
        parts
        and min(map(len, parts)) >= _SPLIT_CLASS_AND_FILE
        and len({part[0] for part in parts}) == 1
    ):
        held_out = held_out or held_out_by_name(parts[0][0]) is True
        parts = [part[1:] for part in parts]
    return held_out, parts


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


def held_out_by_name(name: str) -> bool | None:
    """Say what a folder or a column calls a split.

    Returns:
        `True` for one to measure on, `False` for one to train on, `None` for any other name.
    """
    word = name.strip().casefold()
    if word in _HELD_OUT:
        return True
    return False if word in _TRAINING else None


def labels_of(stems: Sequence[str]) -> list[str | None]:
    """Find the labels in file names that belong together.

    A number at the end is not part of the label, but one inside is: `class10-1` is of `class10`,
    and so is `class10`, if there is a `class10-1`; else it is of `class`.

    Returns:
        A label for each stem, `None` where a name tells none. All are `None` if every single name
        would be a class of its own: such names are titles, not labels.
    """
    found = [_label_before_number(stem, set_apart=True) for stem in stems]
    known = {label for label in found if label}
    labels = [
        label or (stem if stem in known else _label_before_number(stem, set_apart=False))
        for stem, label in zip(stems, found, strict=True)
    ]
    distinct = [label for label in labels if label]
    if len(labels) >= _FEW and len(set(distinct)) == len(distinct):
        return [None] * len(labels)
    return labels


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Give a key that sorts `class2` before `class10`, whatever the case."""
    runs = _NUMBER_RUNS.split(text.casefold())
    return tuple(
        (len(run.lstrip("0")) + 1, run.lstrip("0")) if odd % 2 else (0, run)
        for odd, run in enumerate(runs)
    )


def _label_before_number(stem: str, *, set_apart: bool) -> str | None:
    """Give the label before a number that is set apart (`dog-1`) or is not (`dog1`)."""
    match = _NUMBERED.fullmatch(stem)
    if match is None or bool(match[2]) != set_apart:
        return None
    label = match[1].strip(_SEPARATORS)
    letters = any(c.isalpha() for c in label)
    short = label.isdecimal() and len(label) <= _MOST_DIGITS
    if not (letters or short) or _GENERIC.fullmatch(label):
        return None
    return label
