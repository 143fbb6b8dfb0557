"""A child process that the system ends when it takes too long or too much: both ends.

Nobody can say how long a decoder takes for a file that was made to keep it busy, and a thread that
is in one cannot be ended. A child ends with its parent, too, however that went: nobody holds the
other end of its standard input then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SECONDS: Final = 5
"""Of processor time between two calls of `limit`."""

_MOST_BYTES: Final = 1 << 30
_WALL_S: Final = 15.0 if sys.platform == "win32" else 60.0
"""Windows limits no processor time; elsewhere this is for a computer busy with other things."""


class BoundedChild:
    """A child process, seen from its parent; for one thread at a time.

    Args:
        module: By its dotted name, of this package; its `serve` is called.

    Raises:
        OSError: if no process can be started.
    """

    def __init__(self, module: str) -> None:
        root = Path(__file__).resolve().parents[(__package__ or "").count(".") + 1]
        start = (
            f"import sys; root = {str(root)!a}; sys.path[:] = filter(None, sys.path); "
            f"root in sys.path or sys.path.insert(0, root); from {module} import serve; serve()"
        )
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what decoders in C say of damaged files
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

        self.end = weakref.finalize(self, _end, self._process, os.getpid())
        """Ends it, also in the middle of its work; may be called twice."""

    def is_alive(self) -> bool:
        """Say whether it has not ended."""
        return self._process.poll() is None

    @contextlib.contextmanager
    def deadline(self) -> Iterator[None]:
        """End it if what is asked of it in the block takes far too long by the clock."""
        watch = threading.Timer(_WALL_S, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def ask(self, *parts: bytes) -> None:
        """Send it something.

        Raises:
            EOFError: if it has ended.
        """
        assert self._process.stdin is not None  # noqa: S101 - asked for
        try:
            for part in parts:
                self._process.stdin.write(part)
            self._process.stdin.flush()
        except OSError as error:
            raise EOFError from error

    def read(self, size: int) -> bytes:
        """Read so many bytes of what it says.

        Raises:
            EOFError: if it has ended before.
        """
        assert self._process.stdout is not None  # noqa: S101 - asked for
        data = self._process.stdout.read(size)
        if len(data) != size:
            raise EOFError
        return data

    def read_into(self, target: memoryview) -> None:
        """Fill an array with what it says.

        Raises:
            EOFError: if it has ended before.
        """
        done, stream = 0, self._process.stdout
        while done < len(target):
            count = stream.readinto(target[done:])  # type: ignore[union-attr]  # a pipe that was asked for
            if not count:
                raise EOFError
            done += count


def _end(process: subprocess.Popen[bytes], parent: int) -> None:
    if os.getpid() != parent:  # a fork has no say in it
        return
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()


# The child's end


def standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Give the streams from and to the parent, and leave Ctrl-C to it, who then ends this child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return sys.stdin.buffer, sys.stdout.buffer


def limit() -> None:
    """Let the system end this process where what comes next takes too long or too much."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        until = int(used.ru_utime + used.ru_stime) + MOST_SECONDS
        if hard == resource.RLIM_INFINITY or until <= hard:
            resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
        most = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if most == resource.RLIM_INFINITY or most > _MOST_BYTES:
            resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
