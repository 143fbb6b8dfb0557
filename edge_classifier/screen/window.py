"""A window on the screen, by OpenCV's HighGUI."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from edge_classifier.device.console import as_text
from edge_classifier.errors import NoDisplayError
from edge_classifier.screen.key_names import SHIFT_CODES, key_name
from edge_classifier.screen.x11 import XServer, connect

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from edge_classifier.device.frame import Clock
    from edge_classifier.device.preprocessing import Image

_SHIFT_HOLDS_S: Final = 0.3
"""How long a pressed Shift counts for the next letter, if it was let go before we could ask."""


class OpenCVWindow:
    """A window that shows pictures and hears keys.

    HighGUI has one slot for a key: of several keys typed between two calls only the last one is
    heard, so `show` or `poll` wants to be called every ten milliseconds or so. The title is also
    HighGUI's name for the window, so it has to be unique in the process.

    Raises:
        NoDisplayError: if there is no screen.
    """

    def __init__(self, title: str, clock: Clock = time.monotonic) -> None:
        self._server = check_display(os.environ)
        self._title = as_text(title)
        self._clock = clock
        self._shift_s: float | None = None
        self._size: tuple[int, int] | None = None
        self._open = True
        # The default window has a menu whose Ctrl+S opens a dialog that freezes the loop.
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(self._title, flags)

    def show(self, image: Image) -> str | None:
        """Show a picture, `(H, W, 3)` uint8 BGR, and return what was pressed since the last call.

        Returns:
            `None` or a key's name, as `protocols.Display.show` says; `close` once the window is
            closed, and then always.
        """
        if not self._open:
            return "close"
        size = (image.shape[1], image.shape[0])
        if size != self._size:
            cv2.resizeWindow(self._title, *size)
            self._size = size
        cv2.imshow(self._title, image)
        return self.poll()

    def poll(self) -> str | None:
        """Return what was pressed since the last call, as `show` does, and show nothing new."""
        if not self._open:
            return "close"
        code = cv2.pollKey()
        if not self._visible():
            self.close()
            return "close"
        return self._name(code)

    def close(self) -> None:
        """Take the window away; may be called twice."""
        if not self._open:
            return
        self._open = False
        if self._server is not None:
            self._server.close()
        if self._visible():
            cv2.destroyWindow(self._title)
            cv2.pollKey()  # the window goes when events are handled

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # what Qt's backend answers of a window that was closed
            return False

    def _name(self, code: int) -> str | None:
        if code in SHIFT_CODES:
            self._shift_s = self._clock()
            return None
        name = key_name(code)
        # Qt gives ASCII and Latin-1 letters without their case, the latter as negative codes.
        if name is None or self._server is None or code > 0x7F or not name.isalpha():  # noqa: PLR2004 - ASCII
            return name
        pressed_s, self._shift_s = self._shift_s, None
        just_pressed = pressed_s is not None and self._clock() - pressed_s < _SHIFT_HOLDS_S
        upper = name.upper() if self._server.capitals or just_pressed else name
        return upper if len(upper) == 1 else name


def check_display(environment: MutableMapping[str, str]) -> XServer | None:
    """Make sure that there is a screen, since HighGUI ends the process where there is none.

    `DISPLAY` and its like are looked up in `environment`. Where OpenCV's window system knows X11
    only, `QT_QPA_PLATFORM` is set there to say so: any other value ends the process.

    Returns:
        The X server, or `None` on systems without one.

    Raises:
        NoDisplayError: if there is no screen, or this OpenCV has no windows.
    """
    framework = cv2.currentUIFramework()
    if not framework:
        raise NoDisplayError(
            "This OpenCV has no windows (opencv-python-headless is installed): "
            "pip uninstall opencv-python-headless, then "
            "pip install --force-reinstall opencv-python."
        )
    if sys.platform in ("win32", "darwin"):
        return None
    x11_only = _knows_x11_only()
    display = environment.get("DISPLAY", "")
    if not display:
        if environment.get("WAYLAND_DISPLAY") and not x11_only:
            return None
        wayland = " (Wayland alone is not enough: start XWayland)"
        raise NoDisplayError(
            "There is no screen: DISPLAY is not set"
            f"{wayland if environment.get('WAYLAND_DISPLAY') else ''}."
        )
    try:
        server = connect(display)
    except ConnectionError as error:
        raise NoDisplayError(
            f"There is no screen: nothing answers at DISPLAY={display}."
        ) from error
    if x11_only:
        environment["QT_QPA_PLATFORM"] = "xcb"
    return server


def _knows_x11_only() -> bool:
    """Say whether this OpenCV brings Qt with it, and only Qt's plugin for X11."""
    plugins = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms"
    names = [path.name for path in plugins.glob("libq*.so")]
    return bool(names) and all("xcb" in name for name in names)
