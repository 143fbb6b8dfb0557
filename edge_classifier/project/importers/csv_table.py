"""A table that names picture files and their labels."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.base import Importer, LabelledPicture, Refusal
from edge_classifier.project.importers.splits import held_out_by_name
from edge_classifier.project.picture_file import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

_FILE_COLUMNS: Final = (
    "file", "filename", "filepath", "path", "image", "imagepath", "imagefile", "imagename",
    "imagefilename", "img", "imgpath", "imgname", "picture", "photo", "fname", "imageid", "id",
)  # fmt: skip
_LABEL_COLUMNS: Final = (
    "label", "labels", "class", "classname", "classlabel", "category", "categoryname", "target",
    "tag", "species", "breed", "name", "classid", "labelid",
)  # fmt: skip
_SPLIT_COLUMNS: Final = ("split", "set", "subset", "partition", "usage", "phase", "dataset")
_DELIMITERS: Final = ",;\t|"
_LOOKED_AT: Final = 50
_UNDERSTOOD_BY: Final = 1 << 20  # characters, which hold the first rows
_MAX_BYTES: Final = 64 * 1024 * 1024
_LONGEST_LINE: Final = 1 << 18
_MISSING_SUFFIXES: Final = ("", ".jpg", ".jpeg", ".png", ".JPG")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table says what.

    Attributes:
        file: Number of the column that names files.
        label: Of the one that names classes; `None` where the user has said what all show.
        split: Of the one that names splits, or `None`.
        has_header: Whether the first row names the columns.
    """

    file: int
    label: int | None
    split: int | None
    has_header: bool


class CsvImporter(Importer):
    """Rows of file, label and perhaps split; in any order and with any usual names.

    Files are looked for in `tree`, from the table's folder. All show `class_name`, if given.

    Raises:
        NotImportableError: if it is no such table.
    """

    def __init__(
        self, tree: FileTree, path: str, data: bytes, class_name: str | None = None
    ) -> None:
        self._tree = tree
        self._folder = str(PurePosixPath(path).parent)
        self._source = tree.source(path)
        self._class_name = class_name
        if len(data) > _MAX_BYTES:
            raise NotImportableError(
                f"{self._source} has {len(data):,} bytes, at most {_MAX_BYTES:,} are read; "
                "split it into several tables."
            )
        self._text, encoding = _decoded(data)
        self._delimiter, columns = _understood(self._text, needs_label=class_name is None)
        if columns is None:
            first = next(iter(_rows(self._text, self._delimiter, 1)), [])
            raise NotImportableError(
                f"{self._source} has the columns {', '.join(map(repr, first[:8])) or 'none'}; "
                "call the one with the files `file` and the one with the classes `label`."
            )
        self._columns = columns
        separator = {"\t": "tabs", "|": "bars", ";": "semicolons", ",": "commas"}[self._delimiter]
        self.description = f"a table separated by {separator}"
        self.count = max(0, self._text.count("\n") + 1 - columns.has_header)
        if encoding == "cp1252":
            self.notes = (f"{self._source} is not UTF-8; it was read as Windows-1252.",)

    def __iter__(self) -> Iterator[Item]:
        """Give a picture or a refusal for each row."""
        rows = csv.reader(_lines(self._text), delimiter=self._delimiter)
        number = 0
        try:
            for number, row in enumerate(rows, start=1):
                if (number > 1 or not self._columns.has_header) and any(map(str.strip, row)):
                    yield self._item(row, f"{self._source}, row {number}")
        except csv.Error as error:
            yield Refusal(f"{self._source}, row {number + 1} and all after it", str(error))

    def finds_any(self) -> bool:
        """Say whether one of the first rows names a file that is there."""
        rows = _rows(self._text, self._delimiter, _LOOKED_AT)[self._columns.has_header :]
        return any(self._find(name) for row in rows if (name := _cell(row, self._columns.file)))

    def _item(self, row: list[str], source: str) -> Item:
        name = _cell(row, self._columns.file)
        if not name:
            return Refusal(source, "it names no file")
        label = self._class_name or _cell(row, self._columns.label)
        if not label:
            return Refusal(f"{source}: {name}", "it has no label")
        path = self._find(name)
        if path is None:
            return Refusal(f"{source}: {name}", "there is no such file")
        held_out = held_out_by_name(_cell(row, self._columns.split)) is True
        content = partial(self._tree.read, path)
        return LabelledPicture(self._tree.source(path), label, content, held_out=held_out)

    def _find(self, name: str) -> str | None:
        name = name.replace("\\", "/")
        found = (self._tree.find(self._folder, name + suffix) for suffix in _MISSING_SUFFIXES)
        return next((path for path in found if path is not None), None)


def is_picture_table(data: bytes) -> bool:
    """Say whether a table names pictures and their labels, by the names of its columns."""
    if len(data) > _MAX_BYTES:
        return False
    columns = _understood(_decoded(data)[0], needs_label=True)[1]
    return columns is not None and columns.has_header


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _decoded(data: bytes) -> tuple[str, str]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "cp1252"


def _understood(text: str, *, needs_label: bool) -> tuple[str, Columns | None]:
    """Find the delimiter with which the table makes sense, and the columns."""
    text = text[:_UNDERSTOOD_BY]
    for by_name in (True, False):
        for delimiter in _DELIMITERS:
            rows = _rows(text, delimiter, _LOOKED_AT)
            columns = _named(rows, needs_label) if by_name else _guessed(rows, needs_label)
            if columns is not None:
                return delimiter, columns
    return max(_DELIMITERS, key=text[:1000].count), None


def _lines(text: str) -> Iterator[str]:
    """Give a table's lines; one longer than any of a table of pictures is a `csv.Error`."""
    for line in io.StringIO(text, newline=""):
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"a line has {len(line):,} characters")
        yield line


def _rows(text: str, delimiter: str, count: int) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(_lines(text), delimiter=delimiter):
            if len(rows) == count:
                break
            if any(map(str.strip, row)):
                rows.append(row)
    except csv.Error:  # what comes before it may still be understood
        pass
    return rows


def _named(rows: list[list[str]], needs_label: bool) -> Columns | None:  # noqa: FBT001 - private
    """Find columns by their names."""
    if not rows:
        return None
    names = ["".join(c for c in cell.casefold() if c.isalnum()) for cell in rows[0]]
    file, label, split = (
        next((names.index(known) for known in usual if known in names), None)
        for usual in (_FILE_COLUMNS, _LABEL_COLUMNS, _SPLIT_COLUMNS)
    )
    if file is None or (label is None and needs_label):
        return None
    return Columns(file, label, split, has_header=True)


def _guessed(rows: list[list[str]], needs_label: bool) -> Columns | None:  # noqa: FBT001 - private
    """Find columns in a table without names: the one that looks like files, and its neighbour."""
    width = min(map(len, rows), default=0)
    columns = range(width)
    files = [c for c in columns if all(_looks_like_picture(row[c]) for row in rows)]
    splits = [c for c in columns if all(held_out_by_name(row[c]) is not None for row in rows)]
    labels = [c for c in columns if c not in files and c not in splits]
    if not files or (not labels and needs_label):
        return None
    label = labels[0] if labels else None
    return Columns(files[0], label, splits[0] if splits else None, has_header=False)


def _looks_like_picture(cell: str) -> bool:
    return PurePosixPath(cell.strip().replace("\\", "/")).suffix.lower() in IMAGE_SUFFIXES
