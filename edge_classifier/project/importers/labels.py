"""Labels in the names of files: `dog-1.jpg` shows a dog."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_LABEL: Final = (
    "neither a folder nor its name tells its class (dog/1.jpg, dog-1.jpg); "
    "`--class NAME` says what it shows"
)
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
