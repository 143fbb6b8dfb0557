"""A list of files and labels as rows, whatever it was written in."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_CELLS: Final = 4_000_000
"""Of 200,000 pictures with twenty columns; each costs some 60 bytes."""
MAX_ROWS: Final = 200_000

_DEEPEST: Final = 6
_WHOLE: Final = re.compile(r"([+-]?[0-9]+)[.,]0+")
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
        notes: What the user should know about how it was read.
        broken: What could not be read, by number, and why.
    """

    path: str
    description: str
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]
    unit: str = "row"
    notes: tuple[str, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()


def cell(row: Sequence[str], column: int | None) -> str:
    """Give what a row has in a column, or nothing."""
    return row[column].strip() if column is not None and column < len(row) else ""


def plain_number(text: str) -> str:
    """Write a whole number as such, as programs make 3.0 of a class 3 where others are missing."""
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


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


def cell_of(labels: Iterable[str]) -> str:
    """Write labels into one cell, as `labels_in` reads them: a list if they differ."""
    distinct = list(dict.fromkeys(label for label in labels if label))
    return json.dumps(distinct) if len(distinct) > 1 else "".join(distinct)


def flattened(record: dict[str, Any]) -> dict[str, str]:
    """Make cells of what is nested in an entry: by its path, lists by the texts that they hold."""
    if not any(isinstance(value, dict | list) for value in record.values()):
        return {name: text_of(value) for name, value in record.items()}
    cells: dict[str, list[str]] = defaultdict(list)
    _flatten(record, "", cells, _DEEPEST)
    return {name: cell_of(values) for name, values in cells.items()}


def text_of(value: object) -> str:
    """Give a value of JSON as a cell; numbers have been read as text."""
    if isinstance(value, bool):
        return str(value).casefold()
    return value if isinstance(value, str) else ""


def _flatten(value: Any, name: str, cells: dict[str, list[str]], depth: int) -> None:  # noqa: ANN401 - JSON
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else key, cells, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _flatten(inner, name, cells, depth - 1)
    else:
        cells[name].append(text_of(value))


def _parsed(text: str) -> object:
    """Read a list as JSON or as Python writes it; anything else gives `None`."""
    with suppress(ValueError, RecursionError):
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return ast.literal_eval(text)
    return None
