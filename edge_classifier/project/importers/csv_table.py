"""Tables as text: their encoding, what separates their cells, and their rows.

All of it is found out by trying: right is what makes a table that names files which are there.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.code_pages import code_page_of
from edge_classifier.project.importers.column_names import names_files
from edge_classifier.project.importers.columns import Columns, understand
from edge_classifier.project.importers.file_lookup import looks_like_picture
from edge_classifier.project.importers.label_table import MAX_CELLS, MAX_ROWS, LabelTable, flattened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TABLE_SUFFIXES: Final = frozenset({".csv", ".tsv", ".tab", ".txt", ".lst"})
"""What a table may be called, in lower case."""

_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
_LOOKED_AT: Final = 200
_UNDERSTOOD_BY: Final = 1 << 20  # characters, which hold the first rows
_LONGEST_LINE: Final = 1 << 18
_MOST_NESTED: Final = 100
_MOST_WORDS: Final = 1000
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES: Final = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp932", "gb18030"),
    *("big5", "cp949", "cp850", "cp852", "cp866", "cp437", "koi8-r", "mac-roman"),
)
_CELL_ENDS: Final = re.compile(rb"[,;|\t\r\n\"]+")


def read_table(
    path: str,
    text: str,
    source: str,
    knows: Callable[[str], bool],
    *,
    needs_label: bool = True,
) -> tuple[LabelTable, Columns | str]:
    """Read a table that is called `source`, and find out what its columns say.

    `knows` says what may be a file.

    Raises:
        NotImportableError: if it is too large.
    """
    separator, rows, columns = _separated(text, path, knows, needs_label=needs_label)
    numbers: list[int] = []
    cells: list[Sequence[str]] = []
    broken: tuple[tuple[int, str], ...] = ()
    size = 0
    try:
        for number, row in _rows(text, separator):
            numbers.append(number)
            cells.append(row)
            size += len(row)
            if size > MAX_CELLS or len(cells) > MAX_ROWS:
                raise NotImportableError(
                    f"{source} has more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells; split it "
                    "into several tables."
                )
    except csv.Error as error:
        broken = (((numbers or [0])[-1] + 1, f"{error}; nothing after it was read"),)
    cells = _unfolded(cells)
    if len(cells) > len(rows):
        columns = understand(cells, knows, needs_label=needs_label)
    table = LabelTable(
        path,
        f"a table separated by {_SEPARATORS[separator]}",
        cells,
        numbers,
        broken=broken,
    )
    return table, columns


def decoded(
    data: bytes, words: Sequence[str] = (), code_page: str | None = None
) -> tuple[str, str]:
    """Decode a table: as UTF-8, UTF-16 or UTF-32, or in a code page.

    The page is `code_page`, if given; else the one in which most `words` occur, which are names of
    files and folders; else the one whose letters are most likely words.

    Returns:
        The text, and the code page or nothing.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace"), ""
    for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if 4 * zeros.count(0) > len(data):
            return data.decode(encoding, "replace"), ""
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8"), ""
    if code_page is None:
        code_page = _page_of_words(data, words)
    if code_page is None:
        cells = {cell for cell in _CELL_ENDS.split(data[:_UNDERSTOOD_BY]) if not cell.isascii()}
        code_page = code_page_of(cells)
    return data.decode(code_page, "replace"), code_page


def _page_of_words(data: bytes, words: Sequence[str]) -> str | None:
    telling = [word for word in words if not word.isascii()][:_MOST_WORDS]
    found: dict[str, int] = {}
    for page in _CODE_PAGES if telling else ():
        with suppress(UnicodeDecodeError):
            text = data[:_UNDERSTOOD_BY].decode(page)
            found[page] = sum(word in text for word in telling)
    best = max(found, key=found.__getitem__, default=None)
    return best if best and found[best] else None


def _separated(
    text: str, path: str, knows: Callable[[str], bool], *, needs_label: bool
) -> tuple[str, list[Sequence[str]], Columns | str]:
    """Find what separates cells: what makes the best sense of the first rows."""
    start = text[:_UNDERSTOOD_BY]
    tried: list[tuple[tuple[int, ...], str, list[Sequence[str]], Columns | str]] = []
    separators = [*_SEPARATORS] if path.lower().endswith((".txt", ".lst")) else [*_SEPARATORS][:-1]
    if start.startswith("sep=") and start[4:5] in _SEPARATORS:
        separators = [start[4]]
    for separator in separators:
        rows: list[Sequence[str]] = []
        try:
            for _, row in _rows(start, separator):
                rows.append(row)
                if len(rows) == _LOOKED_AT:
                    break
        except csv.Error:  # what comes before it may still be understood
            pass
        rows = _unfolded(rows)
        columns = understand(rows, knows, needs_label=needs_label)
        width = max(map(len, rows), default=0)
        score = (0, 0, 0, int(width > 1))
        if not isinstance(columns, str):
            score = (1, int(columns.is_sure), columns.files, int(width > 1))
        tried.append((score, separator, rows, columns))
    best = max(tried, key=lambda one: one[0])
    return best[1], best[2], best[3]


def _lines(text: str) -> Iterator[str]:
    """Give a table's lines; one longer than any of a table of pictures is a `csv.Error`."""
    for line in io.StringIO(text, newline=""):
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"a line has {len(line):,} characters")
        yield line


def _rows(text: str, separator: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Give rows with their numbers; empty ones and comments are left out."""
    width = 0
    reader = csv.reader(_lines(text), delimiter=separator, skipinitialspace=True)
    for number, row in enumerate(reader, start=1):
        if separator == " " and len(row) > 2:  # noqa: PLR2004 - a name with spaces, and a label
            row = _spaced(row)  # noqa: PLW2901 - as it is meant
        if number == 1 and row and row[0].startswith("sep="):
            continue
        if row and row[0].startswith("#"):
            bare = row[0].lstrip("# ")
            if not width and names_files([bare, *row[1:]]):  # how some programs mark the header
                row = [bare, *row[1:]]  # noqa: PLW2901 - without the mark
            elif len(row) < max(width, 2) or not looks_like_picture(bare):
                continue
        if any(map(str.strip, row)):
            width = width or len(row)
            yield number, row


def _spaced(row: list[str]) -> list[str]:
    """Put the name of a picture together again that holds spaces."""
    cells = [cell for cell in row if cell]
    for end in range(1, len(cells)):
        if looks_like_picture(cells[end - 1]):
            return [" ".join(cells[:end]), *cells[end:]]
    return cells


def _unfolded(rows: list[Sequence[str]]) -> list[Sequence[str]]:
    """Give what is nested in cells as JSON objects columns of its own."""
    header, *body = rows or [()]
    nested = [n for n in range(len(header)) if any(map(_is_object, _column(body[:_LOOKED_AT], n)))]
    if not nested:
        return rows
    objects = [flattened({header[n]: _object(cell) for n, cell in enumerate(row) if n in nested})
               for row in body]  # fmt: skip
    names = tuple(dict.fromkeys(name for cells in objects for name in cells))[:_MOST_NESTED]
    width = len(header)
    return [
        (*("" if n in nested else name for n, name in enumerate(header)), *names),
        *(
            (
                *("" if n in nested else cell for n, cell in enumerate(row[:width])),
                *([""] * (width - len(row))),
                *(cells.get(name, "") for name in names),
            )
            for row, cells in zip(body, objects, strict=True)
        ),
    ]


def _column(rows: Sequence[Sequence[str]], n: int) -> Iterator[str]:
    return (row[n] for row in rows if len(row) > n)


def _is_object(cell: str) -> bool:
    return cell.lstrip().startswith('{"')


def _object(cell: str) -> object:
    try:
        return json.loads(cell, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return ""
