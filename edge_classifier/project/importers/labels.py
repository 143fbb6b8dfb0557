"""Labels in names: of files (`dog-1.jpg`), and of the folders that say how pictures are used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    Args:
        stems: The names, without folder and suffix.

    Returns:
        A label for each, `None` where a name tells none. All are `None` if every single name
        would be a class of its own: such names are titles, not labels.
    """
    found = [_separated(stem) for stem in stems]
    known = {label for label in found if label}
    labels = [
        label or (stem if stem in known else _attached(stem))
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


def _separated(stem: str) -> str | None:
    """Give the label of a name whose number is set apart, if it is one."""
    match = _NUMBERED.fullmatch(stem)
    return _checked(match[1]) if match and match[2] else None


def _attached(stem: str) -> str | None:
    match = _NUMBERED.fullmatch(stem)
    return _checked(match[1]) if match and not match[2] else None


def _checked(label: str) -> str | None:
    label = label.strip(_SEPARATORS)
    letters = any(c.isalpha() for c in label)
    short = label.isdecimal() and len(label) <= _MOST_DIGITS
    if not (letters or short) or _GENERIC.fullmatch(label):
        return None
    return label
