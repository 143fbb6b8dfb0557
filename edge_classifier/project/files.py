"""Reading and writing so that a crash, a full disk or a second program never leaves half a file."""

from __future__ import annotations

import errno
import os
import sys
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import (
    atomic_file,
    flush,
    flush_folder,
    is_temporary,
    temporary_name,
    write_atomic,
)
from edge_classifier.errors import EdgeClassifierError, ProjectError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "NOFOLLOW",
    "FileLock",
    "Unsynced",
    "atomic_file",
    "describe",
    "flush_folder",
    "is_temporary",
    "reported",
    "temporary_name",
    "write_atomic",
]

NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
"""Flag for `os.open`: fail on a link (Windows has no such flag)."""

_BINARY: Final = getattr(os, "O_BINARY", 0)
# From here on one flush of the whole disk is quicker than one of each file.
_MANY_FILES: Final = 200
_REASONS: Final = {
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "your quota of the disk is used up; free some space and try again",
    errno.EACCES: "permission denied; change its permissions or use another folder",
    errno.EPERM: "permission denied; change its permissions or use another folder",
    errno.EROFS: "the disk is read-only; use another folder",
    errno.ENOENT: "it is not there",
}


@contextmanager
def reported(action: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` into one line: what (`write`, `read`, `rename`) could not be done where.

    Raises:
        ProjectError: in place of an `OSError` that is not one of ours.
    """
    try:
        yield
    except EdgeClassifierError:
        raise
    except OSError as error:
        raise ProjectError(f"Cannot {action} {path}: {describe(error)}.") from error


def describe(error: OSError) -> str:
    """Say why the system refused, and what to do about it where that is known."""
    reason = _REASONS.get(error.errno) if error.errno is not None else None
    return reason or error.strerror or str(error)


class Unsynced:
    """Remembers what was written, by one thread, until another one has flushed it."""

    def __init__(self) -> None:
        self._paths: deque[Path] = deque()

    def add(self, path: Path) -> None:
        """Take note of a file that was just written."""
        self._paths.append(path)

    def flush(self, folders: Iterable[Path]) -> None:
        """Wait until all that was noted is on the disk, with its folders and these.

        Raises:
            OSError: if the disk fails.
        """
        pending = set(folders)
        if len(self._paths) > _MANY_FILES and hasattr(os, "sync"):
            self._paths.clear()
            os.sync()
        while self._paths:
            path = self._paths.popleft()
            flush(path, os.O_RDWR | _BINARY)
            pending.add(path.parent)
        for folder in pending:
            flush_folder(folder)


class FileLock:
    """A lock file, made and left there, that the system gives back when its owner dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free, without waiting, and say whether it is ours now.

        Raises:
            OSError: if the lock file cannot be made.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | NOFOLLOW, 0o666)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:  # it is taken
                return False
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
