"""How the process ends: asked to by a signal, and with a device that may not answer."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import math
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .console import settle

if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType

INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM
"""Exit codes: stopped with Ctrl-C, or by SIGTERM before the work was done."""

_UNWOUND_S: Final = 0.25

_LOCKING: Final = frozenset(
    {"_frozen_importlib", "importlib._bootstrap"}  # the same one, before and after `importlib`
    | {"_weakrefset", "concurrent.futures._base", "concurrent.futures.thread", "contextlib"}
    | {"logging", "queue", "threading", "weakref"}
)
"""Modules of the standard library that take or release locks in functions of Python.

What is raised in `threading.Condition.__enter__` once it has its lock leaves that held for ever."""

_SOON_S: Final = 0.002
_MOST_TRIES: Final = 50
"""Who is met so often running at one and the same place there waits, with no lock in hand.

Where the program only calls such code in a loop, 8 times was the most of 1,160 signals."""


class StopSignals:
    """Turns Ctrl-C and SIGTERM (`systemctl stop`) into `KeyboardInterrupt` within its block.

    From `closing` on they are ignored: they would cut short what is being closed and kept, and
    leave threads to a Python that ends under them. In another thread than the main one, to which
    Python tells signals, nothing changes.
    """

    def __init__(self) -> None:
        self.endless = False
        """Whether the work has no end but to be stopped, as watching a camera."""
        self._first: int | None = None
        self._ignored = False
        self._raised_s = -math.inf
        self._tries = 0
        self._place: tuple[CodeType, int] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:  # noqa: PYI034 - Python 3.10 has no `Self`
        if threading.current_thread() is threading.main_thread():
            # A shell's background job comes with Ctrl-C ignored: it is meant for the others.
            asked = (n for n in (signal.SIGINT, signal.SIGTERM) if not _is_ignored_ctrl_c(n))
            self._before = {n: signal.signal(n, self._handle) for n in asked}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) != self._handle:
                continue  # a block within this one was ended by a signal
            # Python takes its own handlers away before it is at its end; this one stays.
            signal.signal(number, handler if self._first is None else signal.SIG_IGN)

    @property
    def status(self) -> int:
        """The exit status after `KeyboardInterrupt`; 0 where SIGTERM ended endless work."""
        if self._first != signal.SIGTERM:
            return INTERRUPTED
        return 0 if self.endless else TERMINATED

    def closing(self) -> None:
        """Ignore what comes from now on."""
        self._ignored = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Not for good ignored after the first: what is closed may take long. But for as long as it
        # takes to `closing`, past which a further one would be caught by nobody.
        now_s = time.monotonic()
        if self._ignored or now_s - self._raised_s <= _UNWOUND_S:
            return
        self._first = self._first or number
        if frame is not None and _may_not_raise(frame) and not self._waits_at(frame):
            with contextlib.suppress(RuntimeError):  # no further thread can be started
                _thread.start_new_thread(_signal_soon, (number,))
                return
        self._raised_s, self._place = now_s, None
        raise KeyboardInterrupt

    def _waits_at(self, frame: FrameType) -> bool:
        """Say whether the signals before were all told of at the place where this one is."""
        place = (frame.f_code, frame.f_lasti)
        self._tries = self._tries + 1 if place == self._place else 1
        self._place = place
        return self._tries > _MOST_TRIES


def _may_not_raise(frame: FrameType) -> bool:
    """Say whether what a signal handler raises would be dropped, or could leave a lock held."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_name != "__del__":
        at = at.f_back
    return at is not None or frame.f_globals.get("__name__") in _LOCKING


def _signal_soon(number: int) -> None:
    time.sleep(_SOON_S)
    if sys.platform == "win32":
        _thread.interrupt_main(signal.Signals(number))
    else:  # which also ends what the system waits for there
        signal.pthread_kill(threading.main_thread().ident or 0, number)


def leave(status: int) -> NoReturn:
    """End the process, at once when only threads are left that wait for a device or a network.

    Native code that comes back to a Python at its end aborts: "FATAL: exception not rethrown".
    """
    left = [t for t in threading.enumerate() if t is not threading.current_thread()]
    if all(thread.daemon for thread in left):
        _leave_threads(status)
    else:  # Python waits for the others first, and then calls this
        atexit.register(_leave_threads, status)
    sys.exit(status)


def _leave_threads(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        settle(stream)
    if threading.active_count() > 1:
        os._exit(status)


def threads_run_out() -> bool:
    """Say whether the system lets this process start no more threads, one a core.

    OpenBLAS, which NumPy brings, then sends its own process what looks like Ctrl-C.
    """
    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(os.cpu_count() or 1)]
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:
        return True
    finally:
        done.set()
    return False


NO_THREADS: Final = (
    "the system starts no more threads for this program; end others, or allow more (`ulimit -u`, "
    "or more memory)"
)


def _is_ignored_ctrl_c(number: int) -> bool:
    return number == signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN
