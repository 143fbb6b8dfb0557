"""Reading and writing so that a crash, a full disk or a second program never leaves half a file."""

from __future__ import annotations

import errno
import os
import sys
from collections import deque
from contextlib import contextmanager, suppress
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
    "is_at",
    "is_temporary",
    "move_new",
    "reported",
    "temporary_name",
    "write_atomic",
    "write_new",
]

NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
"""Flag for `os.open`: fail on a link (Windows has no such flag)."""

_BINARY: Final = getattr(os, "O_BINARY", 0)
# From here on one flush of the whole disk is quicker than one of each file.
_MANY_FILES: Final = 200
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
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


def write_new(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file as `write_atomic` does, but never in the place of another one.

    Raises:
        FileExistsError: if the name is taken, be it by another program at this very moment.
        OSError: if it could not be written.
    """
    temporary = path.with_name(temporary_name())
    try:
        with temporary.open("xb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        move_new(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def move_new(source: Path, target: Path) -> None:
    """Give a file another name on the same disk, but never that of another file.

    Raises:
        FileExistsError: if the name is taken.
        OSError: if it cannot be moved.
    """
    if sys.platform == "win32":
        source.rename(target)  # which refuses a name that is taken, there only
        return
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a disk without hard links, as memory cards and sticks are
        _move_by_claim(source, target)
    else:
        source.unlink()


def _move_by_claim(source: Path, target: Path) -> None:
    """Do the same in two steps; a kill between them leaves an empty file, which is no picture."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW, 0o666))
    try:
        source.replace(target)
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise


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
        moved = False
        while self._paths:
            path = self._paths.popleft()
            flush(path, os.O_RDWR | _BINARY)
            pending.add(path.parent)
            moved = moved or not path.parent.exists()
        if moved and hasattr(os, "sync"):  # with its class or the project, who knows where
            os.sync()
        for folder in pending:
            flush_folder(folder)


class FileLock:
    """A lock file, made and left there, that the system gives back when its owner dies.

    Attributes:
        why_in_vain: Why it keeps nobody out although it was taken: some disks in a network have no
            locks. Empty where it does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.why_in_vain = ""

    def acquire(self, *, new: bool = False) -> bool:
        """Take the lock if it is free, without waiting, and say whether it is ours now.

        If `new`, only a file that is not there yet is taken.

        Raises:
            OSError: if the lock file cannot be made or opened.
        """
        flags = os.O_RDWR | os.O_CREAT | NOFOLLOW | (os.O_EXCL if new else 0)
        while self._descriptor is None:
            descriptor = os.open(self._path, flags, 0o666)
            try:
                if sys.platform == "win32":
                    msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                else:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    os.close(descriptor)
                    if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:  # taken
                        return False
                    raise
                self.why_in_vain = describe(error)
            self._descriptor = descriptor
            if not self.is_there():  # deleted or replaced before it was locked: that one is no use
                self.release()
        return True

    def is_there(self) -> bool:
        """Say whether the file that is locked is still the one at its path.

        Where not, another program can lock the one that is, or none is there.
        """
        if sys.platform == "win32":  # which neither deletes nor moves a file that is open
            return self._descriptor is not None
        return self._descriptor is not None and is_at(self._descriptor, self._path)

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_at(descriptor: int, path: Path) -> bool:
    """Say whether an open file or folder is still the one at its path."""
    try:
        there = os.stat(path)  # noqa: PTH116 - at each write, and quicker
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a disk that answers nothing: what is written there will say so
        return True
    return os.path.samestat(os.fstat(descriptor), there)
