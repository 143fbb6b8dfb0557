"""What happens when the X server dies under the window."""

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import Final

from edge_classifier.device.console import say
from edge_classifier.screen.sdl import pygame

SCREEN_LOST: Final = (
    "edge-classifier: the screen has gone away; everything that was recorded is on disk, and the "
    "same command goes on."
)


def _end(_display: int | None) -> int:
    say(SCREEN_LOST)
    os._exit(1)


_handler: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(_end)


def tell_lost_screen() -> None:
    """Let the end of the X server be told in a line of ours.

    Xlib ends the process whatever it is told, and nothing can be shown after that. All is on disk
    before it is shown, so that nothing is lost by it; who works for this process ends with it.
    """
    if pygame.display.get_driver() == "x11":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libX11.so.6").XSetIOErrorHandler(_handler)
