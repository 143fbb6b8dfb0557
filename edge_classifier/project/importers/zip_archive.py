"""Zip archives."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.archive import ENCRYPTED, ArchiveTree, Member, too_many_files

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_DIRECTORY: Final = 16 * 1024 * 1024  # of 150,000 pictures; each costs half a kilobyte
_LONGEST_END: Final = 66_000
_RECORD_BYTES: Final = 56 + 20  # and where it is
# LZMA may ask for 4 GB at once, by its header.
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_BY_AES: Final = 99
_UTF8: Final = 0x800
_ENCRYPTED: Final = 0x1
_UNICODE_PATH: Final = 0x7075


class ZipTree(ArchiveTree[zipfile.ZipInfo]):
    """What a zip archive holds."""

    _archive: zipfile.ZipFile

    def _list(self, file: IO[bytes]) -> Iterator[Member[zipfile.ZipInfo]]:
        """List the directory at the end, unless that is absurdly long."""
        _check_directory(file, self.name)
        try:
            self._archive = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises whatever comes to hand
            raise NotImportableError(
                f"{self.name} is damaged, or no zip archive at all."
            ) from error
        for entry in self._archive.infolist():
            packed = max(1, entry.compress_size)
            yield Member(_name_of(entry), entry.file_size, packed, entry, _problem(entry))

    def _chunks(self, member: Member[zipfile.ZipInfo], size: int) -> Iterator[bytes]:
        """Unpack so much of it."""
        with self._archive.open(member.handle) as file:
            while size > 0 and (chunk := file.read(min(size, 1 << 20))):
                size -= len(chunk)
                yield chunk


def _check_directory(file: IO[bytes], name: str) -> None:
    """Refuse an archive that lists absurdly many files, before that list is read."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(max(0, size - _LONGEST_END))
    end = file.read(_LONGEST_END)
    start = end.rfind(b"PK\x05\x06")
    announced = int.from_bytes(end[start + 12 : start + 16], "little") if start >= 0 else 0
    record = end[max(0, start - _RECORD_BYTES) : max(0, start)]  # with numbers beyond 4 GB
    if record.startswith(b"PK\x06\x06"):
        announced = int.from_bytes(record[40:48], "little")
    if announced > _LONGEST_DIRECTORY and size > _LONGEST_DIRECTORY:
        raise too_many_files(name)


def _name_of(entry: zipfile.ZipInfo) -> str | bytes:
    """Give an entry's name; bytes where it does not say how they are written."""
    written = entry.orig_filename.partition("\0")[0]
    if entry.flag_bits & _UTF8:
        return written
    raw = written.encode("cp437")  # as which it was read
    return _unicode_path(entry.extra, raw) or raw


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Find the name in UTF-8 that programs of Info-ZIP write beside the other one."""
    while len(extra) >= 4:  # noqa: PLR2004 - kind and length
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        data, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and data[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            return data[5:].decode("utf-8", "replace")
    return None


def _problem(entry: zipfile.ZipInfo) -> str:
    mode = entry.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_IFMT(mode) == 0):
        return "a link or a device, not a file"
    if entry.flag_bits & _ENCRYPTED or entry.compress_type == _BY_AES:
        return ENCRYPTED
    if entry.compress_type not in _METHODS:
        return "it is packed in an unusual way; pack the archive with Deflate"
    return ""
