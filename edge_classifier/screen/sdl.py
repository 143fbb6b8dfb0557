"""SDL, by pygame, set up for a program that is no game; whoever needs it takes it from here."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_VIDEO_ALLOW_SCREENSAVER", "1")
os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", "edge-classifier")
os.environ.setdefault("SDL_VIDEO_WAYLAND_WMCLASS", "edge-classifier")

import pygame

__all__ = ["begin", "copy_onto", "pygame"]

_BGR_WORD: Final = (0xFF0000, 0xFF00, 0xFF) if sys.byteorder == "little" else ()
"""Masks of red, green and blue of a surface whose bytes are blue, green, red and a spare one."""


def begin() -> None:
    """Find a screen.

    Raises:
        pygame.error: if there is none.
    """
    pygame.display.init()
    if pygame.display.get_driver() == "x11":
        # By way of OpenGL, which many machines render in software, a picture of 1040x680 takes 6 to
        # 7 ms to show, and so 0.2 to 0.4. Other drivers, Wayland's among them, may know no other.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")


def copy_onto(surface: pygame.Surface, pixels: Image) -> None:
    """Copy a picture, `(H, W, 3)` uint8 BGR, onto a surface, which may be smaller."""
    height, width = pixels.shape[:2]
    words = surface.get_bytesize() == 4 and surface.get_masks()[:3] == _BGR_WORD  # noqa: PLR2004 - bytes
    if not words or surface.get_size() != (width, height):
        surface.blit(pygame.image.frombuffer(pixels.data, (width, height), "BGR"), (0, 0))
        return
    # A third of what `blit` takes.
    words_of_rows = pygame.surfarray.pixels2d(surface).T
    target = words_of_rows.view(np.uint8).reshape(height, width, 4)
    cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA, dst=target)
