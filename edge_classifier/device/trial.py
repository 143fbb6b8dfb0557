"""The first run of a model file that somebody else may have made, in a process that may die of it.

What LiteRT does with a damaged file nobody can say beforehand: it crashes, and nothing in the same
process can interrupt it. So a file is looked at (`operators`), run once by a child process with
limits of time and memory, and then remembered by its hash, so that it costs nothing any more.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .errors import EdgeClassifierError
from .interpreter import Interpreter, load_runtime
from .operators import check_operators

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION: Final = 1
"""Part of where files are remembered: raise it when more is refused."""

_LIMIT_S: Final = 5
_LIMIT_BYTES: Final = 900 << 20
_PATIENCE_S: Final = 60.0
"""What a run may take of processor time and memory; and by the clock, with the start of Python."""

_MOST_KNOWN: Final = 1000
_REFUSED: Final = 3
_WHAT: Final = (ValueError, RuntimeError, TypeError, MemoryError, IndexError, EdgeClassifierError)
_START: Final = """\
import sys
sys.path[:] = [sys.argv[1], *filter(None, sys.path)]  # of the current folder nothing
import importlib
importlib.import_module(sys.argv[2]).serve()
"""
_lock = threading.Lock()


def check_model(content: bytes, sha256: str | None = None) -> None:
    """Refuse a model file that does not do what a classifier does, crashes, or does not end.

    Args:
        content: The file.
        sha256: Its hash, hexadecimal, if that is known.

    Raises:
        ValueError: with what is wrong, as the end of a sentence.
        ImportError: if there is nothing to run it with.
    """
    load_runtime()
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    with _lock:  # threads that ask about one file wait for one trial
        if not _is_known(sha256):
            check_operators(content)
            _run_in_a_child(content)
            remember(sha256)


def remember(sha256: str) -> None:
    """Take note that a model file was run here, or was made here; where that can be noted."""
    with suppress(OSError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / sha256).touch()
        known = list(folder.iterdir())
        if len(known) > _MOST_KNOWN:
            min(known, key=lambda path: path.stat().st_mtime).unlink()


def run_within_limits(content: bytes) -> None:
    """Run a network once, and limit the time of this process from now on; for child processes.

    Raises:
        ValueError: if it cannot be run, or answers no numbers, as the end of a sentence.
    """
    _limit_time()
    try:
        check_operators(content)
        with limited_memory(_LIMIT_BYTES):
            interpreter = Interpreter(content)
            about = interpreter.input_details
            chance = np.random.default_rng(0).uniform(
                0, 1 if about["dtype"] == np.float32 else 127, about["shape"]
            )
            for output in interpreter.run(chance.astype(about["dtype"])):
                if output.dtype.kind == "f" and not np.isfinite(output).all():
                    raise ValueError("what it answers are no finite numbers")
    except _WHAT as error:
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise ValueError(reason) from error


def serve() -> None:
    """Be the child: run the network on standard input, and say on standard output what is wrong."""
    content = sys.stdin.buffer.read()
    try:
        run_within_limits(content)
    except ValueError as error:
        sys.stdout.write(str(error))
        sys.stdout.flush()
        os._exit(_REFUSED)
    os._exit(0)


def _run_in_a_child(content: bytes) -> None:
    root = Path(__file__).resolve().parents[__name__.count(".")]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:replace", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", _START, str(root), __name__],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"a run of it does not end within {_PATIENCE_S:.0f} s") from error
    except OSError as error:
        raise ValueError(f"no process could be started to try it ({error.strerror})") from error
    if done.returncode == _REFUSED:
        raise ValueError(done.stdout.decode("utf-8", "replace"))
    if sys.platform != "win32" and done.returncode == -signal.SIGXCPU:
        raise ValueError(f"a run of it takes more than {_LIMIT_S} s of processor time")
    if done.returncode:
        raise ValueError(
            "it is damaged: it made the TFLite runtime crash in the process that tried it (status "
            f"{done.returncode}); get the file again"
        )


@contextmanager
def limited_memory(more_bytes: int) -> Iterator[None]:
    """Let this process take only so much more memory than it has, where the system can: Linux."""
    if sys.platform == "win32":
        yield
        return
    import resource  # noqa: PLC0415 - not on Windows

    before = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError, ValueError):  # elsewhere it is not counted so, or not at all
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        size = pages * resource.getpagesize() + more_bytes
        if before[0] == resource.RLIM_INFINITY or size < before[0]:
            resource.setrlimit(resource.RLIMIT_AS, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _limit_time() -> None:
    """Bound the processor time of this process, where the system can."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - as above

    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _LIMIT_S
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def _is_known(sha256: str) -> bool:
    return (_folder() / sha256).is_file()


def _folder() -> Path:
    """Where it is noted which files were run: of this user, and no other program's."""
    system = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    home = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    try:
        cache = Path(home) if home else Path.home() / system
    except RuntimeError:  # nobody's home
        cache = Path(os.devnull)
    return cache / "edge-classifier" / f"tried-models-{_VERSION}"
