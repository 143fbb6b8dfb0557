"""Work that needs TensorFlow, done by a child process: watched, cancelled, told in one line.

The child is a module of this package run as a program. What it writes on standard output, a line
each: `step <fraction> <what>` while it works, and a word for the kind of failure followed by one
line for the user before it ends with a status that is not 0.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.protocols import Cancelled, Progress

_log = logging.getLogger(__name__)
_POLL_S: Final = 0.1
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Failure:
    """How a child failed.

    Attributes:
        kind: The first word of its last line; empty if it ended without one.
        message: The rest of that line, or the last line of what it complained about.
    """

    kind: str
    message: str


def run_child(
    module: str,
    arguments: Sequence[str],
    *,
    progress: Progress,
    cancelled: Cancelled,
    stopped: str,
    on_end: Callable[[int], object] = lambda _pid: None,
) -> Failure | None:
    """Run a module as a child process and wait for it.

    Args:
        module: Its dotted name.
        arguments: For it.
        progress: Told its steps.
        cancelled: Asked ten times a second; the child is then killed.
        stopped: What the user is told when it was cancelled.
        on_end: Called with the child's process id once it is gone, in any case.

    Returns:
        `None` if it succeeded.

    Raises:
        CancelledError: if asked to stop.
        OSError: if it cannot be started.
    """
    # The child writes to files rather than to pipes: they never fill up, and can be read while
    # it works without a thread for each.
    with tempfile.TemporaryDirectory() as scratch:
        said, complained = Path(scratch, "stdout"), Path(scratch, "stderr")
        with said.open("wb") as stdout, complained.open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603 - our own module and the user's own paths
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,  # see `end_with_parent`
                stdout=stdout,
                stderr=stderr,
                env=child_environment(),
            )
        try:
            _watch(process, said, progress, cancelled, stopped)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
            on_end(process.pid)
        if process.returncode == 0:
            return None
        return _failure(module, _lines(said), _lines(complained))


def end_with_parent() -> None:
    """End this process when the one that started it by `run_child` is gone, however it went.

    For the child, first of all. A parent that was killed cannot stop it; but then nobody holds
    the other end of its standard input any more.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)  # not by `sys.stdin`, whose lock would be held at the end
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _watch(
    process: subprocess.Popen[bytes],
    said: Path,
    progress: Progress,
    cancelled: Cancelled,
    stopped: str,
) -> None:
    """Pass the child's steps on until it ends."""
    seen = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_POLL_S)
        ended = process.poll() is not None
        steps = [line for line in _lines(said) if line.startswith("step ")]
        for line in steps[seen:]:
            _, fraction, what = line.split(" ", 2)
            progress(float(fraction), what)
        seen = len(steps)
        if ended:
            return
        if cancelled():
            raise CancelledError(stopped)


def _lines(path: Path) -> list[str]:
    """The lines that are complete by now."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return text[: text.rfind("\n") + 1].splitlines()


def _failure(module: str, said: list[str], complained: list[str]) -> Failure:
    """Make one line of what the child said in the end."""
    last = said[-1] if said else ""
    kind, _, message = last.partition(" ")
    if message and kind != "step":
        return Failure(kind, message)
    for line in complained:
        _log.info("%s: %s", module, line)
    return Failure("", complained[-1] if complained else "it ended without a word")


def child_environment() -> dict[str, str]:
    """The child's environment: it must import this very package, installed or not."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"}
    if str(_PACKAGE_ROOT) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    return environment
