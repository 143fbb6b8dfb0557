"""Zip archives, read in place: nothing is unpacked, so no name in one can point anywhere."""

from __future__ import annotations

import io
import re
import stat
import threading
import zipfile
import zlib
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import open_regular
from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.importers.tree import FileTree, is_junk
from edge_classifier.project.picture_file import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

_LONGEST_DIRECTORY: Final = 16 * 1024 * 1024  # of 150,000 pictures; each costs half a kilobyte
_LONGEST_END: Final = 66_000
# LZMA may ask for 4 GB at once, by its header.
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_BOMB_BYTES: Final = 64 * 1024 * 1024
_BOMB_RATIO: Final = 200  # of a white 8000 x 8000 BMP it may be more, but that is larger, too


class ZipTree(FileTree):
    """What a zip archive holds.

    Raises:
        NotImportableError: if it is damaged, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._reading = threading.Lock()
        try:
            with open_regular(path) as file:  # a pipe would be waited for
                _check_directory(file, path)
            self._archive = zipfile.ZipFile(path)
        except OSError as error:
            raise NotImportableError(f"Cannot read {path}: {describe(error)}.") from error
        except NotImportableError:
            raise
        except Exception as error:  # zipfile raises whatever comes to hand
            raise NotImportableError(f"{path} is damaged, or no zip archive at all.") from error
        self._entries = self._list()
        self.paths = sorted(self._entries)

    @property
    def stored(self) -> Sequence[str]:
        """The paths in the order in which the archive holds them."""
        return tuple(self._entries)

    def source(self, path: str) -> str:
        """Name a file for the user: `archive.zip/dog/1.jpg`."""
        return f"{self.name}/{path}"

    def find(self, folder: str, name: str) -> str | None:
        """Find the file that a list in `folder` calls `name`; only in the archive."""
        parts: list[str] = []
        for part in (PurePosixPath(folder) / name).parts:
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            else:
                parts.append(part)
        path = "/".join(parts)
        return path if path in self._entries else None

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            InvalidImageError: if it is damaged or a bomb.
        """
        entry, name = self._entries[path], self.source(path)
        size, packed = entry.file_size, max(1, entry.compress_size)
        if size > MAX_FILE_BYTES or (size > _BOMB_BYTES and size > _BOMB_RATIO * packed):
            raise InvalidImageError(f"{name} would unpack to {size:,} bytes; no picture does.")
        try:
            # one file under all entries; and no more is unpacked than was announced
            with self._reading, self._archive.open(entry) as file:
                data = file.read(size + 1)
        except (
            zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError,
            RuntimeError,
        ) as error:  # fmt: skip
            raise InvalidImageError(f"{name} is damaged in the archive: {error}.") from error
        if len(data) != size:
            raise InvalidImageError(f"{name} is not as long as the archive says.")
        return data

    def _list(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            path = _name_of(entry)
            if path.endswith("/") or any(is_junk(part) for part in path.split("/") if part != ".."):
                continue
            reason = _problem(entry, path)
            if not reason and path in entries:
                reason = "its name is in the archive twice; the first one is taken"
            if reason:
                self.refusals.append(Refusal(self.source(path), reason))
            else:
                entries[path] = entry
        return entries


def _check_directory(file: BinaryIO, path: Path) -> None:
    """Refuse an archive that lists absurdly many files, before that list is read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _LONGEST_END))
    end = file.read(_LONGEST_END)
    start = end.rfind(b"PK\x05\x06")
    # What is beyond 4 GB says so elsewhere; zipfile then reads from there to this very place.
    announced = int.from_bytes(end[start + 12 : start + 16], "little") if start >= 0 else 0
    if announced > _LONGEST_DIRECTORY and size > _LONGEST_DIRECTORY:
        raise NotImportableError(
            f"{path} lists more files than are read at once; split it into several archives."
        )


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Give an entry's name; many programs write UTF-8 and do not say so."""
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _problem(entry: zipfile.ZipInfo, path: str) -> str:
    parts = path.split("/")
    if not path:
        return "it has no name"
    if path.startswith("/") or ".." in parts or _DRIVE.match(path):
        return "its name points outside of the archive"
    mode = entry.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_IFMT(mode) == 0):
        return "a link or a device, not a file"
    if entry.compress_type not in _METHODS:
        return "it is packed in an unusual way; pack the archive with Deflate"
    if entry.flag_bits & _ENCRYPTED:
        return "it is encrypted; unpack the archive first"
    return ""
