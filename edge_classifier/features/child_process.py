"""Work that could freeze, bloat or crash this program, done by a child process: both ends.

The child is a module of this package run as a program: TensorFlow, or a file that may crash the
runtime. It says on standard output, a line each, `step <fraction> <what>` while it works, and
before it ends with a status that is not 0 `mismatch <one line>` for a `WeightsMismatchError` or
`failed <one line>`.
"""

from __future__ import annotations

import contextlib
import importlib.util
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

from edge_classifier.errors import (
    BackboneError,
    CancelledError,
    EdgeClassifierError,
    WeightsMismatchError,
)
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.protocols import Cancelled, Progress

_log = logging.getLogger(__name__)
_POLL_S: Final = 0.1
_NICENESS: Final = 10
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]

TENSORFLOW: Final = "TensorFlow, which is not installed: pip install 'edge-classifier[tensorflow]'"
"""What some work needs, and how to get it, as the end of a sentence."""

_STEP: Final = "step"
_MISMATCH: Final = "mismatch"
_FAILED: Final = "failed"


def has_tensorflow() -> bool:
    """Say whether TensorFlow is installed with its Keras; imports neither, which takes seconds."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "keras"))


def require_tensorflow(what: str) -> None:
    """Refuse what needs TensorFlow where there is none, before any work for it.

    Raises:
        BackboneError: saying that `what`, the beginning of a sentence, needs it.
    """
    if not has_tensorflow():
        raise BackboneError(f"{what} needs {TENSORFLOW}")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a child failed.

    Attributes:
        kind: `mismatch` or `failed`; empty if it ended without a word.
        message: What it said, or else the last line of its standard error.
        status: Its exit status; the negative number of the signal that ended it.
    """

    kind: str
    message: str
    status: int

    def as_error(
        self, what_failed: str, error: type[EdgeClassifierError] = BackboneError
    ) -> EdgeClassifierError:
        """Make what the child's caller raises: a `WeightsMismatchError`, or else `error`.

        `what_failed` is told before a message that the child did not mean for the user.
        """
        if self.kind == _MISMATCH:
            return WeightsMismatchError(self.message)
        return error(self.message if self.kind else f"{what_failed}: {self.message}")


# Not by `-m`, which looks for modules in the current folder first: it may be a stranger's.
_START: Final = """\
import sys
sys.path[:] = filter(None, sys.path)
import runpy
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run_child(
    module: str, arguments: Sequence[str], *, progress: Progress, cancelled: Cancelled, stopped: str
) -> Failure | None:
    """Run a module as a child process and wait for it; returns `None` if it succeeded.

    `module`, by its dotted name, calls `serve`; `cancelled` is asked ten times a second, and the
    child then killed; `stopped` is what the user is told.

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
                [sys.executable, "-c", _START, module, *arguments],
                stdin=subprocess.PIPE,  # see `_end_with_parent`
                stdout=stdout,
                stderr=stderr,
                env=_environment(),
            )
        try:
            _watch(process, said, progress, cancelled, stopped)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        if process.returncode == 0:
            return None
        return _failure(module, process.returncode, _lines(said), _lines(complained))


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
        steps = [line for line in _lines(said) if line.startswith(f"{_STEP} ")]
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


def _failure(module: str, status: int, said: list[str], complained: list[str]) -> Failure:
    """Make one line of what the child said in the end."""
    kind, _, message = said[-1].partition(" ") if said else ("", "", "")
    if message and kind in (_MISMATCH, _FAILED):
        return Failure(kind, message, status)
    for line in complained:
        _log.info("%s: %s", module, line)
    return Failure("", complained[-1] if complained else "it ended without a word", status)


def _environment() -> dict[str, str]:
    """The child's environment: it must import this very package, installed or not."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"}
    if str(_PACKAGE_ROOT) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    return environment


def serve(work: Callable[[Sequence[str]], None]) -> int:
    """Be the child: do the work, given the command line's arguments, and say how it went.

    `work` says its steps by `say_step`. Other programs go first: the live picture goes on
    meanwhile.

    Returns:
        The exit status.
    """
    _end_with_parent()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    try:
        work(sys.argv[1:])
    except EdgeClassifierError as error:
        say_failure(error)
        return 1
    except OSError as error:
        _say(_FAILED, f"Cannot use {error.filename or 'a temporary file'}: {describe(error)}.")
        return 1
    return 0


def say_step(done: float, what: str) -> None:
    """Tell the parent the part of the work that is done, 0.0 to 1.0, and what comes now."""
    _say(f"{_STEP} {done:.3f}", what)


def say_failure(error: EdgeClassifierError) -> None:
    """Tell the parent why the work ends here; whatever is said later takes its place."""
    _say(_MISMATCH if isinstance(error, WeightsMismatchError) else _FAILED, str(error))


def take_back_failure() -> None:
    """Tell the parent that the work goes on after all."""
    _say("going", "on")


def _say(kind: str, text: str) -> None:
    sys.stdout.write(" ".join(f"{kind} {text}".split()) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """End this process when the one that started it by `run_child` is gone, however it went.

    A parent that was killed cannot stop its child; but then nobody holds the other end of the
    child's standard input any more.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(0, 1)  # not by `sys.stdin`, whose lock would be held at the end
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
