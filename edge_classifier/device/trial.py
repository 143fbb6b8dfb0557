"""The first run of a model file that somebody else may have made, in a process that may die of it.

What LiteRT does with a damaged file nobody can say beforehand: it crashes, and nothing in the same
process can interrupt it. So a file is looked at (`operators`), run once by a child process with
limits of time and memory, and then remembered by its hash, so that it costs nothing any more.
"""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from .bounded_child import MOST_SECONDS, BoundedChild, limit, standard_streams
from .errors import EdgeClassifierError
from .interpreter import Interpreter, load_runtime
from .operators import check_operators

_VERSION: Final = 1
"""Part of where files are remembered: raise it when more is refused."""

_PATIENCE_S: Final = 60.0
"""What a run may take by the clock, with the start of Python and of the runtime."""

_MOST_KNOWN: Final = 1000
_WHAT: Final = (ValueError, RuntimeError, TypeError, IndexError, EdgeClassifierError)
_LENGTH: Final = struct.Struct(">I")
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
    """Run a network once, and limit this process from now on; for child processes.

    Raises:
        ValueError: if it cannot be run, or answers no numbers, as the end of a sentence.
    """
    limit()
    try:
        check_operators(content)
        interpreter = Interpreter(content)
        about = interpreter.input_details
        chance = np.random.default_rng(0).uniform(
            0, 1 if about["dtype"] == np.float32 else 127, about["shape"]
        )
        for output in interpreter.run(chance.astype(about["dtype"])):
            if output.dtype.kind == "f" and not np.isfinite(output).all():
                raise ValueError("what it answers are no finite numbers")
    except MemoryError as error:
        raise ValueError("it takes more memory than the gigabyte that one may take") from error
    except _WHAT as error:
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise ValueError(reason) from error


def serve() -> None:
    """Be the child: run the network that comes on standard input, and say what is wrong with it."""
    stdin, stdout = standard_streams()
    (length,) = _LENGTH.unpack(stdin.read(_LENGTH.size))
    reason = b""
    try:
        run_within_limits(stdin.read(length))
    except ValueError as error:
        reason = str(error).encode("utf-8", "replace")
    stdout.write(_LENGTH.pack(len(reason)) + reason)
    stdout.flush()


def _run_in_a_child(content: bytes) -> None:
    try:
        child = BoundedChild(__name__)
    except OSError as error:
        raise ValueError(f"no process could be started to try it ({error.strerror})") from error
    try:
        with child.deadline(_PATIENCE_S):
            child.ask(_LENGTH.pack(len(content)), content)
            (length,) = _LENGTH.unpack(child.read(_LENGTH.size))
            reason = child.read(length).decode()
    except EOFError:
        reason = _how_it_ended(child)
    finally:
        child.end()
    if reason:
        raise ValueError(reason)


def _how_it_ended(child: BoundedChild) -> str:
    status = child.status()
    if child.is_overdue:
        return f"a run of it does not end within {_PATIENCE_S:.0f} s"
    if sys.platform != "win32" and status == -signal.SIGXCPU:
        return f"a run of it takes more than {MOST_SECONDS} s of processor time"
    return (
        "it is damaged: it made the TFLite runtime crash in the process that tried it (status "
        f"{status}); get the file again"
    )


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
