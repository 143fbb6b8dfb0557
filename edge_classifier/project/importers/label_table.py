"""A list of files and labels as rows, whatever it was written in."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_classifier.project.importers.columns import plain_number

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_CELLS: Final = 4_000_000
"""Of 200,000 pictures with twenty columns; each costs some 60 bytes."""

_NO_LABEL: Final = frozenset({"", "nan", "null", "unlabeled", "unlabelled"})


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Rows of a list that names files and their labels.

    Attributes:
        path: Of the list in its tree.
        description: What it is, for the user: `a table separated by commas`.
        rows: Its cells, as text; the first row may name the columns.
        numbers: Of each row, as the user counts: the line, or the entry of a JSON list.
        unit: What a row is called: `row`, `entry`.
        class_names: Names of its class numbers, where the list itself tells them.
        notes: What the user should know about how it was read.
        broken: What could not be read, by number, and why.
    """

    path: str
    description: str
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]
    unit: str = "row"
    class_names: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()


def labels_in(text: str) -> list[str]:
    """Give the labels in a cell: none, one, or several that were written as a list."""
    text = plain_number(text.strip())
    if text.casefold() in _NO_LABEL:
        return []
    if not text.startswith(("[", "{")):
        return [text]
    value = _parsed(text)
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, list) and all(isinstance(v, str | int) for v in value):
        return list(dict.fromkeys(str(v) for v in value))
    return [text]


def _parsed(text: str) -> object:
    """Read a list as JSON or as Python writes it; anything else gives `None`."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None
