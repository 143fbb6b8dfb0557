"""Which column of a table says what: by the columns' names, else by what is in them.

- Files: the column most of whose values are files that are there.
- Splits: one whose values are called like splits, or true and false under such a name.
- Labels: one that is called so; else one 0/1 column a class; else the one whose few values repeat.
  Of numbers and names that go together one to one, the names are taken.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_classifier.project.importers.column_names import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    plain_name,
    rank_of,
)
from edge_classifier.project.importers.file_lookup import looks_like_picture
from edge_classifier.project.importers.label_table import cell, plain_number
from edge_classifier.project.importers.splits import held_out_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_TRUE: Final = frozenset({"1", "true", "yes", "t", "y"})
_FALSE: Final = frozenset({"0", "false", "no", "f", "n", ""})
_ONES_AND_ZEROS: Final = frozenset({"1", "0", "-1", "true", "false", ""})
_SPLIT_NUMBERS: Final = {"0": False, "1": True, "2": True}
_NUMBER: Final = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+(?:e[+-]?[0-9]+)?|nan")
_FLAG: Final = re.compile(r"(?:is|has|was)(?:[_ -]|(?=[A-Z]))", re.IGNORECASE)
_CELLS_LOOKED_AT: Final = 200_000
_FEW_ROWS, _MANY_ROWS = 50, 2000
_FEW: Final = 4
_LONGEST_WORD: Final = 60
_WIDEST: Final = 2000
_DISTINCT: Final = 0.9  # of all rows: a column that tells rows apart, not classes
_REPEATED: Final = 0.5
_ONE_OF: Final = 0.95  # of all rows have exactly one 1


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table say.

    Attributes:
        names: Of the columns; empty without a header.
        file: Number of the column that names files.
        label: Of the one that names classes, if one does.
        one_hot: Those that are a class each, with its name; without a header, its number.
        split: Of the one that says which rows are held out, if one does.
        held_out: What its values mean.
        is_sure: Whether the column with the files is called so, or its values like files.
        files: How many of the files that were looked for may be there.
        notes: What the user should know about how the table was understood.
    """

    names: tuple[str, ...]
    file: int
    label: int | None = None
    one_hot: dict[int, str] = field(default_factory=dict)
    split: int | None = None
    held_out: dict[str, bool] = field(default_factory=dict)
    is_sure: bool = False
    files: int = 0
    notes: tuple[str, ...] = ()


def understand(
    rows: Sequence[Sequence[str]], knows: Callable[[str], bool], *, needs_label: bool = True
) -> Columns | str:
    """Find out what the columns of a table say; `knows` says what may be a file.

    Returns:
        The columns; or why they say nothing, to be told after the table's name.
    """
    width = max(map(len, rows), default=0)
    looked_at = min(max(_CELLS_LOOKED_AT // max(width, 1), _FEW_ROWS), _MANY_ROWS)
    step = max(1, len(rows) // looked_at)
    sample = [[*map(str.strip, row), *[""] * (width - len(row))] for row in rows[::step]]
    if width > _WIDEST:
        return f"it has {width:,} columns"
    if not width:
        return "it is empty"
    return _Understanding(sample, rows, width, knows).columns(needs_label=needs_label)


class _Understanding:
    """Some rows of a table, stripped and `width` wide; and all of it, as it is."""

    def __init__(
        self,
        rows: list[list[str]],
        everything: Sequence[Sequence[str]],
        width: int,
        knows: Callable[[str], bool],
    ) -> None:
        self._everything = everything
        self._columns = [[row[column] for row in rows] for column in range(width)]
        self._names = tuple(plain_name(name) for name in rows[0])
        self._first = rows[0]
        self._knows = knows
        self._notes: list[str] = []

    def columns(self, *, needs_label: bool) -> Columns | str:
        file, files = self._file()
        if file is None:
            return f"none of its columns {self._listed()} names pictures"
        has_header = self._find_header(file)
        if has_header:
            self._columns = [column[1:] for column in self._columns]
        else:
            self._names = ("",) * len(self._columns)
        rest = [
            n
            for n, values in enumerate(self._columns)
            if n != file and (any(values) or self._names[n] in LABEL_COLUMNS)
        ]
        split = self._split(rest)
        if split is not None:
            rest.remove(split)
        label, one_hot = self._label(rest) if needs_label else (None, ())
        if split is not None and label is None and not one_hot and needs_label:
            label, split = split, None  # nothing else tells classes apart
        if not rest and needs_label and label is None:
            return "it names pictures and no classes"
        if label is None and not one_hot and needs_label:
            return f"it does not say which of its columns {self._listed(rest)} names the classes"
        held_out = {} if split is None else self._meaning(split)
        return Columns(
            names=tuple(self._first) if has_header else (),
            file=file,
            label=label,
            one_hot=self._named_classes(one_hot),
            split=split if held_out else None,
            held_out=held_out,
            is_sure=self._names[file] in FILE_COLUMNS
            or self._mostly_pictures(self._columns[file])
            or all("/" in value for value in self._columns[file] if value),
            files=files,
            notes=tuple(self._notes),
        )

    def _listed(self, columns: Iterable[int] | None = None) -> str:
        named = range(len(self._first)) if columns is None else columns
        names = [repr(self._first[n][:40]) for n in named]
        return f"{', '.join(names[:8])}{' …' if len(names) > 8 else ''}"  # noqa: PLR2004 - a line

    def _file(self) -> tuple[int | None, int]:
        """Find the column with the files, and how many different ones it may name."""
        found = [
            sum(map(self._knows, dict.fromkeys(value for value in values if value)))
            for values in self._columns
        ]
        most = max(found)
        if most:
            candidates = [n for n, count in enumerate(found) if 2 * count >= most]
        else:
            candidates = [
                n
                for n, values in enumerate(self._columns)
                if self._names[n] in FILE_COLUMNS or self._mostly_pictures(values)
            ]
        if not candidates:
            return None, 0
        best = min(
            candidates,
            key=lambda n: (
                not self._mostly_pictures(self._columns[n]),
                rank_of(self._names[n], FILE_COLUMNS),
                -found[n],
                n,
            ),
        )
        return best, found[best]

    @staticmethod
    def _mostly_pictures(values: list[str]) -> bool:
        return 2 * sum(map(looks_like_picture, values)) >= len(values)

    def _find_header(self, file: int) -> bool:
        """Say whether the first row names the columns."""
        first = self._first[file]
        if looks_like_picture(first):
            return False
        known = (*FILE_COLUMNS, *LABEL_COLUMNS, *SPLIT_COLUMNS)
        if any(name in known for name in self._names):
            return True
        # The label of a row is in other rows, too; the name of a column is not.
        repeated = any(
            self._first[n] and not _is_number(self._first[n]) and self._first[n] in values[1:]
            for n, values in enumerate(self._columns)
            if n != file
        )
        return not repeated and not self._knows(first)

    def _split(self, rest: list[int]) -> int | None:
        candidates = []
        for n in rest:
            values = set(self._columns[n]) - {""}
            said = {value: _held_out(value) for value in values}
            named = self._names[n] in SPLIT_COLUMNS
            known = [meaning for meaning in said.values() if meaning is not None]
            if (named and (known or _are_split_numbers(values))) or (
                len(set(known)) > 1 and 2 * len(known) >= len(values)
            ):
                candidates.append((not named, n))
            elif named and len(values) > 1 and len(values) <= len(self._columns[n]) // 2:
                self._notes.append(
                    f"the column {self._first[n]!r} was not understood as a split: it says "
                    f"{', '.join(map(repr, sorted(values)[:4]))}"
                )
            elif self._says_split(n):
                candidates.append((True, n))
        return min(candidates)[1] if candidates else None

    def _says_split(self, n: int) -> bool:
        """Say whether a column is of true and false, and called like a split: `is_valid`."""
        values = {plain_number(value.casefold()) for value in self._columns[n]}
        if not values <= _TRUE | _FALSE or self._named_split(n) is None:
            return False
        others = [c for c in self._binary(range(len(self._columns))) if c != n]
        return not others or self._one_of(others) >= self._one_of([*others, n])

    def _named_split(self, n: int) -> bool | None:
        if not self._names[n]:
            return None
        words = re.findall(r"[^\W_]+", self._first[n])
        words = [w for w in words if w.casefold() not in {"is", "in", "for", "image", "img"}]
        return _held_out(" ".join(words))

    def _meaning(self, split: int) -> dict[str, bool]:
        """Say what the values of a split's column mean."""
        every = (cell(row, split) for row in self._everything[bool(self._names[split]) :])
        values = Counter(value for value in every if value)  # a rare one is held out, too
        name = self._first[split] if self._names[split] else f"number {split + 1}"
        said_by_name = self._named_split(split)
        if said_by_name is not None and {plain_number(v.casefold()) for v in values} <= (
            _TRUE | _FALSE
        ):
            return {
                value: (plain_number(value.casefold()) in _TRUE) is said_by_name for value in values
            }
        if _are_split_numbers(set(values)):
            numbers = Counter({plain_number(v): count for v, count in values.items()})
            if numbers.most_common(1)[0][0] != "0":
                self._notes.append(f"the column {name!r} was not understood as a split")
                return {}
            self._notes.append(
                f"in the column {name!r} 0 was taken for training and 1 and 2 as held out"
            )
            return {value: _SPLIT_NUMBERS[plain_number(value)] for value in values}
        said = {value: _held_out(value) for value in values}
        unclear = [value for value, meaning in said.items() if meaning is None]
        if unclear:
            # What is not for training is held out, if it is said what is.
            held_out = False in said.values()
            self._notes.append(
                f"{', '.join(map(repr, unclear[:4]))} in the column {name!r} was taken "
                + ("as held out" if held_out else "for training")
            )
            return {v: held_out if meaning is None else meaning for v, meaning in said.items()}
        return {value: bool(meaning) for value, meaning in said.items()}

    def _label(self, rest: list[int]) -> tuple[int | None, tuple[int, ...]]:
        """Find the column with the labels, or a column a class."""
        named = sorted(
            (n for n in rest if self._names[n] in LABEL_COLUMNS),
            key=lambda n: (self._tells_rows_apart(n), rank_of(self._names[n], LABEL_COLUMNS)),
        )
        if named:
            label = self._readable(named[0], rest)
            others = [n for n in named if n != label and not self._goes_with(n, label)]
            if others:
                self._notes.append(
                    f"the labels were taken from the column {self._first[label]!r}; "
                    f"{', '.join(repr(self._first[n]) for n in others[:3])} says something else"
                )
            return label, ()
        hot = self._one_hot(rest)
        one_of = self._one_of(hot)
        found = None if one_of >= _ONE_OF else self._label_by_content(rest)
        return (found, ()) if found is not None or not one_of else (None, hot)

    def _label_by_content(self, rest: list[int]) -> int | None:
        repeating = [
            n
            for n in rest
            if 1 < len(set(self._columns[n])) <= max(2, _REPEATED * len(self._columns[n]))
        ]
        words = [n for n in repeating if not self._is_numeric(n)]
        candidates = words or [n for n in repeating if self._is_whole(n)]
        if not candidates and len(rest) == 1 and len(self._columns[rest[0]]) < _FEW:
            candidates = rest  # as with names of files, it takes some to tell titles from labels
        if not self._names or not any(self._names):
            candidates = candidates[:1] or rest[:1]
        distinct = [n for n in candidates if not self._goes_with(n, candidates[0])]
        if not candidates or distinct:
            return None
        label = self._readable(candidates[0], rest)
        if self._names[label]:
            self._notes.append(
                f"the labels were taken from the column {self._first[label]!r}, whose values repeat"
            )
        return label

    def _readable(self, label: int, rest: list[int]) -> int:
        """Prefer names to the numbers that go with them."""
        if not self._is_numeric(label):
            return label
        return next(
            (n for n in rest if not self._is_numeric(n) and self._goes_with(label, n)), label
        )

    def _goes_with(self, one: int, other: int) -> bool:
        """Say whether the values of two columns go together one to one."""
        pairs = set(zip(self._columns[one], self._columns[other], strict=True))
        ones, others = ({pair[side] for pair in pairs} for side in (0, 1))
        return len(pairs) == len(ones) == len(others)

    def _named_classes(self, one_hot: Sequence[int]) -> dict[int, str]:
        if not any(self._names):
            return {n: str(number) for number, n in enumerate(one_hot)}
        names = {n: self._first[n] for n in one_hot}
        if len({name.rpartition(".")[0] for name in names.values()}) == 1:  # kind.cat, kind.dog
            names = {n: name.rpartition(".")[2] for n, name in names.items()}
        return names

    def _one_hot(self, rest: list[int]) -> tuple[int, ...]:
        hot = self._binary(rest)
        if len(hot) < 2:  # noqa: PLR2004 - one column of 0 and 1 is a label
            return ()
        flags = [n for n in hot if _FLAG.match(self._first[n])]
        if flags and len(hot) - len(flags) > 1 and self._one_of(hot) < _ONE_OF:
            self._notes.append(f"{', '.join(repr(self._first[n]) for n in flags)} are no classes")
            return tuple(n for n in hot if n not in flags)
        return tuple(hot)

    def _binary(self, columns: Iterable[int]) -> list[int]:
        return [
            n
            for n in columns
            if {plain_number(v.casefold()) for v in self._columns[n]} <= _ONES_AND_ZEROS
            and any(self._columns[n])
        ]

    def _one_of(self, columns: Sequence[int]) -> float:
        """Give the part of the rows that have exactly one 1 in these columns."""
        rows = list(zip(*(self._columns[n] for n in columns), strict=True))
        return sum(sum(map(_is_one, row)) == 1 for row in rows) / max(1, len(rows))

    def _tells_rows_apart(self, n: int) -> bool:
        values = self._columns[n]
        return len(values) >= 10 and len(set(values)) > _DISTINCT * len(values)  # noqa: PLR2004 - a few rows say nothing

    def _is_numeric(self, n: int) -> bool:
        return all(map(_is_number, filter(None, self._columns[n])))

    def _is_whole(self, n: int) -> bool:
        return all(plain_number(v).lstrip("+-").isdigit() for v in self._columns[n] if v)


def is_one(row: Sequence[str], column: int) -> bool:
    """Say whether a row has a 1 in a 0/1 column."""
    return _is_one(cell(row, column))


def _is_one(value: str) -> bool:
    return plain_number(value.casefold()) in {"1", "true"}


def _are_split_numbers(values: set[str]) -> bool:
    return len(values) > 1 and {plain_number(value) for value in values} <= set(_SPLIT_NUMBERS)


def _held_out(word: str) -> bool | None:
    """Say what a word calls a split; a text is none."""
    return held_out_by_name(word) if len(word) <= _LONGEST_WORD else None


def _is_number(value: str) -> bool:
    return len(value) <= _LONGEST_WORD and _NUMBER.fullmatch(value.casefold()) is not None
