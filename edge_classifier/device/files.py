"""Reading files that a stranger may have put there, and writing them whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from .media import START_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEMPORARY_PREFIX: Final = ".tmp-"
_NO_FILE: Final = "it is not a regular file"


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file, unbuffered.

    Raises:
        OSError: if it cannot be read, or is a pipe or a device rather than a file.
    """
    # A pipe would be waited for; Windows has none, but text mode.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    file = open(descriptor, "rb", buffering=0)  # noqa: PTH123, SIM115 - of a descriptor, for the caller
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, _NO_FILE, str(path))
    return file


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """Read a file of no more than any honest one's size.

    Raises:
        OSError: if it cannot be read, is larger, or is a pipe or a device rather than a file.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {max_bytes:,} bytes", str(path))
        return file.read(size)


def start_of(path: str | Path) -> bytes:
    """Read a file's first bytes, which tell its kind.

    Raises:
        OSError: as with `open_regular`.
    """
    with open_regular(path) as file:
        return file.read(START_BYTES)


def is_temporary(name: str) -> bool:
    """Say whether a file of this name is a write that never ended."""
    return name.startswith(_TEMPORARY_PREFIX)


def temporary_name() -> str:
    """Make up a name for what is being written; `is_temporary` knows it again."""
    return f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}"


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all; see `atomic_file`."""
    with atomic_file(path, durable=durable) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that comes to be whole, at the end of the block, or not at all.

    The bytes go to a temporary file beside it, which then takes its name. From then on they
    survive the death of the program. They survive a power cut only if `durable`.

    The folder has to exist. To be `durable` is to wait for the disk itself: below a millisecond on
    an SSD, tens of milliseconds on an SD card.

    Raises:
        OSError: if it could not be written, or something else than a file has its name; then that
            is as it was before.
    """
    check_replaceable(path)
    temporary = path.with_name(temporary_name())
    try:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        flush_folder(path.parent)


def check_replaceable(path: Path) -> None:
    """See that a file can take a name without putting a device, a pipe or a socket out of place.

    Raises:
        OSError: if it would.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, _NO_FILE, str(path))


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk itself (Windows does so by itself)."""
    if sys.platform != "win32":
        flush(folder, os.O_RDONLY)


def flush(path: Path, flags: int) -> None:
    """Wait until a file or folder, opened with these flags, is on the disk itself."""
    with suppress(FileNotFoundError):  # what is gone is no matter
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
