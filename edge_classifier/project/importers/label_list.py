"""One list of files and labels in a tree, and which file and label each of its rows means."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.importers.code_pages import is_written_in
from edge_classifier.project.importers.columns import Columns, is_one, understand
from edge_classifier.project.importers.csv_table import TABLE_SUFFIXES, decoded, read_table
from edge_classifier.project.importers.file_lookup import held_out_by_folder
from edge_classifier.project.importers.json_list import JSON_SUFFIXES, read_json_list
from edge_classifier.project.importers.label_table import MAX_BYTES, LabelTable, cell, labels_in
from edge_classifier.project.importers.splits import SplitName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.project.importers.file_lookup import FileLookup
    from edge_classifier.project.importers.tree import FileTree

LIST_SUFFIXES: Final = TABLE_SUFFIXES | JSON_SUFFIXES
"""What a list of files and labels may be called, in lower case."""

NO_FILE: Final = "there is no such file"
UNDECIDED: Final = ("it does not say which of its columns", "it names pictures and no classes")

_LIST_WORDS: Final = frozenset(
    {
        "label", "labels", "annotation", "annotations", "instances", "class", "classes", "list",
        "metadata", "info", "csv", "table", "default",
    }
)  # fmt: skip
_NAMED: Final = 3
_MOST_REFUSED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of a list says of a picture that is there.

    Attributes:
        number: As the user counts.
        path: Of the picture in its tree.
        held_out: What the row itself says of it, if it does.
    """

    number: int
    path: str
    label: str
    held_out: bool | None


class LabelList:
    """The rows of a list.

    Attributes:
        path: Of the list in its tree, and `folder` where it lies.
        source: The same, for the user.
        held_out: Which split the list is of by its name (`valid_labels.csv`), if it says so.
        rows: Those that name a picture and its label.
        refused: The others.
    """

    def __init__(
        self,
        tree: FileTree,
        table: LabelTable,
        columns: Columns,
        lookup: FileLookup,
        class_name: str | None,
    ) -> None:
        self.path = table.path
        self.folder = str(PurePosixPath(self.path).parent)
        self.source = tree.source(table.path)
        self.description = table.description
        self.unit = table.unit
        self.columns = columns
        self.notes = (*table.notes, *(f"{self.source}: {note}." for note in columns.notes))
        name = SplitName.of(PurePosixPath(self.path).stem)
        self.held_out = name.held_out if name.rest <= _LIST_WORDS else None
        self.rows: list[Row] = []
        self.refused: list[Refusal] = []
        self._more = 0
        self._found: dict[tuple[str, bool | None], tuple[str, ...]] = {}
        self._lookup = lookup
        self._class_name = class_name
        self._resolve(table)
        self._found.clear()

    @cached_property
    def labels(self) -> frozenset[str]:
        """The different labels of its pictures."""
        return frozenset(row.label for row in self.rows)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The pictures that it names."""
        return frozenset(row.path for row in self.rows)

    @property
    def is_submission(self) -> bool:
        """Whether it is what a competition wants to be handed in, with labels that are none."""
        return "submission" in PurePosixPath(self.path).name.casefold()

    def _resolve(self, table: LabelTable) -> None:
        unclear: list[tuple[Row, str, tuple[str, ...]]] = []
        start = bool(self.columns.names)
        for number, row in zip(table.numbers[start:], table.rows[start:], strict=True):
            name = cell(row, self.columns.file)
            labels = self._labels(row)
            if not name:
                self._refuse(number, "", "it names no file")
            elif not labels:
                self._refuse(number, name, "it has no label")
            elif len(labels) > 1:
                said = f"{name} ({', '.join(labels[:_NAMED])})"
                self._refuse(number, said, "it has several labels; a picture has one here")
            else:
                held_out = self.columns.held_out.get(cell(row, self.columns.split))
                found = self._find(name, held_out)
                if len(found) == 1:
                    self.rows.append(Row(number, found[0], labels[0], held_out))
                elif found:
                    unclear.append((Row(number, "", labels[0], held_out), name, found))
                else:
                    self._refuse(number, name, NO_FILE)
        self._decide(unclear)
        for number, why in table.broken:
            self._refuse(number, "", why)
        if self._more:
            source = f"{self.source}: {self._more:,} more"
            self.refused.append(Refusal(source, "like the others, they cannot be used"))

    def _refuse(self, number: int, name: str, reason: str) -> None:
        """Keep why a row is not taken; of very many, their number."""
        if len(self.refused) < _MOST_REFUSED:
            where = f"{self.source}, {self.unit} {number}"
            self.refused.append(Refusal(f"{where}: {name}" if name else where, reason))
        else:
            self._more += 1

    def _find(self, name: str, held_out: bool | None) -> tuple[str, ...]:  # noqa: FBT001 - a split
        if (name, held_out) not in self._found:
            preferred = self.held_out if held_out is None else held_out
            found = self._lookup.find(self.folder, name, held_out=preferred)
            if self.held_out is False and held_out is None:
                # What is trained on may not be unpacked, and a picture of the test called the same.
                found = tuple(path for path in found if not held_out_by_folder(path))
            self._found[name, held_out] = found
        return self._found[name, held_out]

    def _decide(self, unclear: list[tuple[Row, str, tuple[str, ...]]]) -> None:
        """Of several files of a name, take the one where all the others are, if they are so."""
        homes = {posixpath.dirname(row.path) for row in self.rows}
        for row, name, found in unclear:
            home = [path for path in found if posixpath.dirname(path) in homes]
            if len(homes) == len(home) == 1:
                self.rows.append(Row(row.number, home[0], row.label, row.held_out))
            else:
                said = f"{name} ({', '.join(found[:_NAMED])})"
                self._refuse(row.number, said, "several files are called so")

    def _labels(self, row: Sequence[str]) -> list[str]:
        if self._class_name is not None:
            return [self._class_name]
        if self.columns.one_hot:
            classes = (name for n, name in self.columns.one_hot.items() if is_one(row, n))
            return [label for name in classes for label in labels_in(name)]
        return labels_in(cell(row, self.columns.label))


def read_list(
    tree: FileTree,
    path: str,
    lookup: FileLookup,
    class_name: str | None = None,
    code_page: str | None = None,
) -> LabelList | str:
    """Read a list; or say why it is none, to be told after its name.

    Raises:
        NotImportableError: if it cannot be read.
    """
    source = tree.source(path)
    try:
        data = tree.read(path)
    except InvalidImageError as error:
        raise NotImportableError(f"Cannot read the list {source}.") from error
    if len(data) > MAX_BYTES:
        raise NotImportableError(
            f"{source} has {len(data):,} bytes, at most {MAX_BYTES:,} are read; split it into "
            "several tables."
        )
    knows = partial(lookup.knows, str(PurePosixPath(path).parent))
    needs_label = class_name is None
    columns: Columns | str
    if PurePosixPath(path).suffix.lower() in JSON_SUFFIXES:
        table = read_json_list(path, data, source)
        if table is None:
            return "it is no list of pictures and their labels"
        columns = understand(table.rows, knows, needs_label=needs_label)
    else:
        text, page = decoded(data, lookup.words, code_page)
        table, columns = read_table(path, text, source, knows, needs_label=needs_label)
        if page and page == code_page and not is_written_in(data, page):
            raise NotImportableError(
                f"{source} is not written in {page}; name another code page with `--code-page`, or "
                "leave that out to have it found."
            )
        if page:
            note = f"{source} is not UTF-8 and was read as {page}; --code-page says another one."
            table = replace(table, notes=(note,))
    if isinstance(columns, str):
        return columns
    return LabelList(tree, table, columns, lookup, class_name)
