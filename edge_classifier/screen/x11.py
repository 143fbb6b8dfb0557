"""The X server, asked directly: is it there, and is Shift or Caps Lock on?

Opening a window on a server that is gone aborts the process, and OpenCV's Qt windows report letters
without their case.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Final

_SHIFT: Final = 1 << 0
_LOCK: Final = 1 << 1


class XServer:
    """A connection of our own to the X server, through the loaded libX11."""

    def __init__(self, xlib: ctypes.CDLL, display: int) -> None:
        self._xlib = xlib
        self._display: int | None = display
        self._root = int(xlib.XDefaultRootWindow(ctypes.c_void_p(display)))

    @property
    def capitals(self) -> bool:
        """Whether a letter typed at this moment is a capital: Shift or Caps Lock, not both."""
        if self._display is None:
            return False
        mask = ctypes.c_uint()
        window, number = ctypes.c_ulong(), ctypes.c_int()
        self._xlib.XQueryPointer(
            ctypes.c_void_p(self._display), ctypes.c_ulong(self._root),
            ctypes.byref(window), ctypes.byref(window),
            *(ctypes.byref(number) for _ in range(4)), ctypes.byref(mask),
        )  # fmt: skip
        return bool(mask.value & _SHIFT) != bool(mask.value & _LOCK)

    def close(self) -> None:
        """Hang up; may be called twice."""
        if self._display is not None:
            self._xlib.XCloseDisplay(ctypes.c_void_p(self._display))
            self._display = None


def connect(name: str, timeout_s: float = 3.0) -> XServer | None:
    """Connect to an X server, named as in `DISPLAY`.

    Returns:
        The connection, or `None` where libX11 is not installed (then nothing is known).

    Raises:
        ConnectionError: if there is no such server, it refuses us, or it does not answer.
    """
    try:
        xlib = ctypes.CDLL("libX11.so.6")
    except OSError:
        return None
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XDefaultRootWindow.restype = ctypes.c_ulong
    answer: list[Any] = []
    # A server that hangs never lets go of whoever connects; only this thread waits for it.
    asking = threading.Thread(
        target=lambda: answer.append(xlib.XOpenDisplay(name.encode())), daemon=True
    )
    asking.start()
    asking.join(timeout_s)
    if not answer or not answer[0]:
        raise ConnectionError(f"The X server {name} does not answer.")
    return XServer(xlib, answer[0])
