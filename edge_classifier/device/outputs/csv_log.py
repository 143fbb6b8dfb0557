"""A table with a row for each new label."""

from __future__ import annotations

import csv
import errno
import io
import os
import stat
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ..console import as_text
from ..errors import InvalidValueError
from ..files import start_of

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS: Final = ("time", "label", "score", "similarity", "source", "frame")
_MOST_BYTES: Final = 10_000_000
_KEPT: Final = 5


class CsvLog:
    """Adds a row for each change, whole or not at all; a file that is full becomes `FILE.1`.

    Args:
        path: May be there, if it is such a table.
        regions: Whether rows are of several regions, of which another column tells.
        most_bytes: From where on it is begun anew; the last five are kept, as `.1` to `.5`.

    Raises:
        InvalidValueError: if it holds something else.
    """

    name = "--csv"
    retries = True

    def __init__(self, path: Path, *, regions: bool = False, most_bytes: int = _MOST_BYTES) -> None:
        self._path, self._most_bytes = path, most_bytes
        self._columns = (*_COLUMNS, "region") if regions else _COLUMNS
        self._head = _row(self._columns)
        try:
            start = start_of(path)
        except OSError:  # none yet; or it is said of the first row
            return
        if start and not start.startswith(self._head):
            raise InvalidValueError(f"--csv {path} holds something else; name another file.")

    def tell(self, change: dict[str, Any]) -> str:
        """Add it; returns what went wrong."""
        row = _row([change[column] for column in self._columns])
        try:
            self._make_room(len(row))
            _append(self._path, row, self._head)
        except OSError as error:
            reason = error.strerror or error
            return f"{self._path} cannot be written to ({reason}); it is tried again until it can."
        return ""

    def stop(self) -> None:
        """Nothing is held."""

    def _make_room(self, needed: int) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size + needed <= self._most_bytes:
            return
        names = [
            self._path,
            *(self._path.with_name(f"{self._path.name}.{n + 1}") for n in range(_KEPT)),
        ]
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(older)


def _row(values: Any) -> bytes:  # noqa: ANN401 - as csv takes it
    text = io.StringIO()
    csv.writer(text).writerow([as_text(str(v)) if v is not None else "" for v in values])
    return text.getvalue().encode()


def _append(path: Path, row: bytes, head: bytes) -> None:
    """Write a row at the end, or leave the file as it was."""
    # A pipe would be waited for; Windows has none, but text mode.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o644)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        data = row if about.st_size else head + row
        try:
            written = os.write(descriptor, data)
        except OSError:
            os.ftruncate(descriptor, about.st_size)
            raise
        if written < len(data):
            os.ftruncate(descriptor, about.st_size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)
