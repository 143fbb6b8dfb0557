"""A virtual screen for windows that nobody looks at (Xvfb)."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class NoVirtualScreenError(Exception):
    """Xvfb does not start here; the message says why."""


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start a screen of 1280x800, and give what belongs into `DISPLAY`.

    Raises:
        NoVirtualScreenError: if that is not possible here.
    """
    readable, writable = os.pipe()
    # The server takes a free number itself and writes it once it accepts connections.
    words = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(  # noqa: S603 - a fixed program, found on the PATH
            words, pass_fds=(writable,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except FileNotFoundError:
        os.close(readable)
        raise NoVirtualScreenError("Xvfb is not installed (apt install xvfb)") from None
    finally:
        os.close(writable)
    try:
        with os.fdopen(readable) as answer:
            number = answer.readline().strip()
        if not number:
            raise NoVirtualScreenError("Xvfb does not start here")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def some_screen() -> Iterator[None]:
    """See to it that this process has a screen: the one that `DISPLAY` names, or a virtual one.

    Raises:
        NoVirtualScreenError: if it has neither.
    """
    if os.environ.get("DISPLAY"):
        yield
        return
    with virtual_screen() as display:
        os.environ["DISPLAY"] = display
        try:
            yield
        finally:
            del os.environ["DISPLAY"]


def press_close_button(screen: str, window: int) -> None:
    """Do what a window manager does when its close button is pressed (there is none here)."""
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(xlib.XOpenDisplay(screen.encode()))
    protocols, delete = (
        xlib.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
    )
    client_message, format_bits = 33, 32
    # XClientMessageEvent: type, serial, send_event, display, window, message_type, format, data
    event = (ctypes.c_long * 24)(
        client_message, 0, 1, display.value or 0, window, protocols, format_bits, delete
    )
    xlib.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), event)
    xlib.XCloseDisplay(display)
