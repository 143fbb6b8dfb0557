"""Writing files so that a crash, a full disk or a second program never leaves half of one."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from edge_classifier.errors import EdgeClassifierError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


# From here on one flush of the whole disk is quicker than one of each file.
_MANY_FILES: Final = 200


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
            flush_file(path)
            pending.add(path.parent)
        for folder in pending:
            flush_folder(folder)


if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEMPORARY_PREFIX: Final = ".tmp-"
_BINARY: Final = getattr(os, "O_BINARY", 0)
# Opening a named pipe must not wait for its writer; Windows has no such files.
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
"""Flag for `os.open`: fail on a link (Windows has no such flag)."""
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
    """Turn an `OSError` into one line for the user.

    Args:
        action: What was being done: `write`, `read`, `rename`.
        path: With which file or folder.

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


def is_temporary(name: str) -> bool:
    """Say whether a file of this name is a write that never ended."""
    return name.startswith(_TEMPORARY_PREFIX)


def temporary_name() -> str:
    """Make up a name for what is being written; `is_temporary` knows it again."""
    return f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}"


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all.

    Args:
        path: The file; its folder has to exist.
        data: Its content.
        durable: Whether to wait for the disk itself, see `atomic_file`.

    Raises:
        OSError: if it could not be written; then it is as it was before.
    """
    with atomic_file(path, durable=durable) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that comes to be whole, at the end of the block, or not at all.

    The bytes go to a temporary file beside it, which then takes its name. From then on they
    survive the death of the program. They survive a power cut only if `durable`.

    Args:
        path: The file; its folder has to exist.
        durable: Whether to wait for the disk itself: below a millisecond on an SSD, tens of
            milliseconds on an SD card.

    Raises:
        OSError: if it could not be written; then it is as it was before.
    """
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


def flush_file(path: Path) -> None:
    """Wait until a file's content is on the disk itself; one that is gone is no matter."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR | _BINARY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk itself (Windows does so by itself)."""
    if sys.platform == "win32":
        return
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file, unbuffered, that a stranger may have put there.

    Raises:
        OSError: if it cannot be read, or is a pipe or a device rather than a file.
    """
    descriptor = os.open(path, os.O_RDONLY | _BINARY | _NONBLOCK)
    file = open(descriptor, "rb", buffering=0)  # noqa: PTH123, SIM115 - of a descriptor, for the caller
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file")
    return file


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """Read a file that a stranger may have put there.

    Args:
        path: The file.
        max_bytes: What is more than any honest file of its kind.

    Returns:
        Its content.

    Raises:
        OSError: if it cannot be read, is larger, or is a pipe or a device rather than a file.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {max_bytes:,} bytes")
        return file.read(size)


def count_files(source: Path, skip: Callable[[Path], bool]) -> int:
    """Count the files that `copy_tree` would copy, as far as the folder stands still.

    Raises:
        OSError: if a folder cannot be read.
    """
    count, folders = 0, [source]
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.is_dir(follow_symlinks=False) and not skip(Path(entry.path)):
                folders.append(Path(entry.path))
            count += entry.is_file(follow_symlinks=False)
    return count


def copy_tree(
    source: Path,
    target: Path,
    skip: Callable[[Path], bool],
    before_file: Callable[[], None] = lambda: None,
) -> None:
    """Copy a folder's files and folders, with their times, but no links and no devices.

    Args:
        source: What to copy. Files may vanish from it meanwhile.
        target: A folder that does not exist.
        skip: Says which paths under `source` to leave out.
        before_file: Is called before each file; what it raises ends the copying.

    Raises:
        OSError: if something cannot be read or written.
    """
    folders = [(source, target)]
    while folders:
        here, there = folders.pop()
        there.mkdir()
        with os.scandir(here) as entries:
            for entry in entries:
                path = Path(entry.path)
                if is_temporary(entry.name) or skip(path):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append((path, there / entry.name))
                elif entry.is_file(follow_symlinks=False):
                    before_file()
                    try:
                        shutil.copy2(path, there / entry.name)
                    except FileNotFoundError:
                        if path.exists():
                            raise


class FileLock:
    """A lock that the system gives back by itself when its owner dies.

    Args:
        path: The lock file; it is made and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free, without waiting.

        Returns:
            Whether it is ours now.

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


def core_count() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
