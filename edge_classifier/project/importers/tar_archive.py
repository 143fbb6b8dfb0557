"""Tar archives, packed or not.

Their headers are read here: `tarfile` takes a damaged one for the end, decodes names at once, and
in Pythons that are in use takes minutes for one that was made for it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.archive import ArchiveTree, Member, copied, is_bomb
from edge_classifier.project.importers.base import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK: Final = 1 << 20
_BLOCK: Final = 512
_XZ_MEMORY: Final = 128 * 1024 * 1024  # twice what `xz -9` asks for
_LONGEST_HEADER: Final = 1 << 16
_MAGIC_AT: Final = 257
_MAGIC_BYTES: Final = 6

_FILES, _FOLDER, _LINKS_AND_DEVICES = b"07\0", b"5", b"12346"
_PAX, _LONG_NAME, _SPARSE = b"xX", b"L", b"S"
_ABOUT_OTHERS: Final = b"gKVDAI"


class _DamagedError(Exception):
    """What follows cannot be read."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What a tar archive says of a file, which begins at `start`."""

    kind: bytes
    name: str | bytes
    size: int
    start: int
    is_sparse: bool


class TarTree(ArchiveTree[int]):
    """What a tar archive holds that is not packed; a file's handle is where it begins."""

    _tar: IO[bytes]

    def _list(self, file: IO[bytes]) -> Iterator[Member[int]]:
        """Go from header to header."""
        self._tar = file
        last = ""
        try:
            for header in _headers(file):
                name = header.name
                last = name if isinstance(name, str) else name.decode("utf-8", "replace")
                if header.kind not in _FOLDER + _ABOUT_OTHERS:
                    size = header.size
                    yield Member(name, size, max(1, size), header.start, _problem(header))
        except _DamagedError as error:
            if not last:
                raise NotImportableError(
                    f"{self.name} is damaged, or no tar archive at all."
                ) from error
            reason = f"damaged or cut short behind {last}: what comes then is missing"
            self.refusals.append(Refusal(self.name, reason))

    def _chunks(self, member: Member[int], size: int) -> Iterator[bytes]:
        """Read it where it lies."""
        self._tar.seek(member.handle)
        left = min(size, member.size)
        while left > 0 and (chunk := self._tar.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk


def is_tar(start: bytes) -> bool:
    """Say whether a file begins as a tar archive does that is not packed."""
    return start[_MAGIC_AT : _MAGIC_AT + 5] == b"ustar" or _is_header(start[:_BLOCK])


def is_packed(start: bytes) -> bool:
    """Say whether a file is packed as tar archives may be."""
    return any(start.startswith(magic) for magic in _UNPACKERS)


def unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    """Unpack the whole of it, so that it can be read at any place. What is cut short is not told.

    Raises:
        NotImportableError: if there is no room, or it would be absurdly much.
    """
    file.seek(0, io.SEEK_END)
    packed = file.tell()
    file.seek(0)
    start = file.read(_MAGIC_BYTES)
    file.seek(0)
    unpack = next(unpack for magic, unpack in _UNPACKERS.items() if start.startswith(magic))

    return copied(_bounded(_until_damaged(unpack(file)), packed, name), name)


def _until_damaged(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError):
        return  # what came before it is read, and the tar archive in there ends too early


def _bounded(chunks: Iterator[bytes], packed: int, name: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if is_bomb(size, packed):
            raise NotImportableError(f"{name} unpacks to more than {size:,} bytes; no pictures do.")
        yield chunk


def _of_gzip(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as unpacking:
        while chunk := unpacking.read1(_CHUNK):
            yield chunk


def _of_bzip2(file: IO[bytes]) -> Iterator[bytes]:
    with bz2.BZ2File(file) as unpacking:
        while chunk := unpacking.read1(_CHUNK):
            yield chunk


def _of_xz(file: IO[bytes]) -> Iterator[bytes]:
    data = file.read(_CHUNK)
    while data:
        unpacking = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        while not unpacking.eof:
            yield unpacking.decompress(data, _CHUNK)
            data = b"" if not unpacking.needs_input else file.read(_CHUNK)
            if unpacking.needs_input and not data:
                return
        data = unpacking.unused_data.lstrip(b"\0") or file.read(_CHUNK)


_UNPACKERS: Final[dict[bytes, Callable[[IO[bytes]], Iterator[bytes]]]] = {
    b"\x1f\x8b": _of_gzip,
    b"BZh": _of_bzip2,
    b"\xfd7zXZ\0": _of_xz,
}


def _headers(file: IO[bytes]) -> Iterator[_Header]:
    """Read all headers, those of longer names and numbers with the one that they are for.

    Raises:
        _DamagedError: where the archive is damaged or ends too early.
    """
    place = 0
    longer: dict[str, bytes | str] = {}
    file.seek(0, io.SEEK_END)
    size_of_archive = file.tell()
    while place < size_of_archive:
        file.seek(place)
        block = file.read(_BLOCK)
        if not block.strip(b"\0"):
            return
        if not _is_header(block):
            raise _DamagedError
        kind, start, size = block[156:157], place + _BLOCK, _number(block[124:136])
        if kind not in _PAX + _LONG_NAME:
            size = int(longer.get("size", size))
        has_content = kind not in _FOLDER + _LINKS_AND_DEVICES
        place = start + has_content * -(-size // _BLOCK) * _BLOCK
        if has_content and start + size > size_of_archive:
            raise _DamagedError
        if kind in _PAX:
            longer |= _records(file.read(min(size, _LONGEST_HEADER)))
        elif kind in _LONG_NAME:
            longer["path"] = file.read(min(size, _LONGEST_HEADER)).partition(b"\0")[0]
        else:
            name = longer.get("path") or _name_of(block)
            is_sparse = kind in _SPARSE or any(key.startswith("GNU.sparse") for key in longer)
            yield _Header(kind, name, size, start, is_sparse)
            longer = {}
    raise _DamagedError


def _is_header(block: bytes) -> bool:
    try:
        checksum = _number(block[148:156])
    except _DamagedError:
        return False
    return len(block) == _BLOCK and sum(block) - sum(block[148:156]) + 8 * ord(" ") == checksum


def _number(data: bytes) -> int:
    if data[:1] == b"\x80":
        return int.from_bytes(data[1:], "big")
    digits = data.strip(b" \0") or b"0"
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise _DamagedError
    return int(digits, 8)


def _name_of(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _records(text: bytes) -> dict[str, bytes | str]:
    """Read `length key=value` lines; what is none ends them."""
    found: dict[str, bytes | str] = {}
    place = 0
    while (space := text.find(b" ", place, place + 9)) > 0 and text[place:space].isdigit():
        end = place + int(text[place:space])
        key, _, value = text[space + 1 : end - 1].partition(b"=")
        if end <= space:
            break
        if key == b"path":
            found["path"] = value.decode("utf-8", "replace")
        elif key == b"size" and value.isdigit() and len(value) < 20:  # noqa: PLR2004 - of 64 bits
            found["size"] = value
        elif key.startswith(b"GNU.sparse"):
            found["GNU.sparse"] = value
        place = end
    return found


def _problem(header: _Header) -> str:
    if header.kind in _LINKS_AND_DEVICES:
        return "a link or a device, not a file"
    if header.is_sparse or header.kind not in _FILES:
        return "it is packed in an unusual way; unpack the archive first"
    return ""
