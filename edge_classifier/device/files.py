"""Reading files that a stranger may have put there."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


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
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
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
