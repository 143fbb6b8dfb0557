"""What a target may touch: one folder. Everything else is watched."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_WRITES: Final = frozenset(
    {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
)
_FORBIDDEN: Final = frozenset(
    {
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile"),
        *("socket.connect", "socket.getaddrinfo", "urllib.Request", "pickle.find_class"),
    }
)
_OURS: Final = " import serve; serve()"
"""The one program that readers of pictures start; it ends itself after 5 s or 1 GB."""
_TO_WRITE: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Refuses and remembers what a reader of a file has no business to do.

    Writing outside of the allowed folders, starting a program, opening a connection, and
    resolving a name for a pickle: Python tells its audit hooks of all of them, be they done by
    this package or by a library.

    Args:
        allowed: Where may be written.
    """

    def __init__(self, *allowed: Path) -> None:
        self.active = False
        self.offences: list[str] = []
        self._allowed = tuple(os.path.realpath(path) for path in (*allowed, Path(os.devnull)))
        sys.addaudithook(self._hook)  # there is no way to take one away again

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.active:
            return
        if event in _FORBIDDEN and _OURS not in str(arguments):
            self._refuse(f"{event} {arguments!r:.300}")
        elif event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & _TO_WRITE
            if isinstance(mode, str):
                writes = writes or any(c in mode for c in "wax+")
            if writes:
                self._check(event, path)
        elif event in _WRITES:
            for path in arguments[: 2 if event in {"os.rename", "os.link"} else 1]:
                self._check(event, path)

    def _check(self, event: str, path: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a descriptor that was opened, and looked at, before
        try:
            # a link itself is inside or outside by its folder, not by where it leads
            folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - links are to stay
            real = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - same
        except ValueError:  # a name that no file can have
            return
        inside = any(real == root or real.startswith(root + os.sep) for root in self._allowed)
        if not inside:
            self._refuse(f"{event} {real!r:.300}")

    def _refuse(self, offence: str) -> None:
        self.offences.append(offence)
        raise PermissionError(1, f"the fuzzer's watch: {offence}")


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Give size and time of every file below a folder, to compare later."""
    found: dict[str, tuple[int, int]] = {}
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(os.path.join(here, name))  # noqa: PTH118 - thousands of times
            size = 0 if name in folders else status.st_size
            found[os.path.join(here, name)] = (size, status.st_mtime_ns)  # noqa: PTH118 - same
    return found


def reset_peak() -> None:
    """Let the peak of resident memory start anew (Linux; elsewhere it is that of all inputs)."""
    try:
        with Path("/proc/self/clear_refs").open("wb", buffering=0) as file:
            file.write(b"5")
    except OSError:
        pass


def peak_bytes() -> int:
    """Give the peak of resident memory since `reset_peak`."""
    try:
        for line in (
            Path("/proc/self/status").read_text(encoding="ascii", errors="replace").split("\n")
        ):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
