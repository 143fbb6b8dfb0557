"""SDL, by pygame, set up for a program that is no game; whoever needs it takes it from here."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_VIDEO_ALLOW_SCREENSAVER", "1")
os.environ.setdefault("SDL_VIDEO_X11_WMCLASS", "edge-classifier")
os.environ.setdefault("SDL_VIDEO_WAYLAND_WMCLASS", "edge-classifier")
if sys.platform == "linux":
    # By way of OpenGL, which many machines render in software, a picture of 1040x680 takes 6 to
    # 7 ms to show, and so 0.2 to 0.4. Where a driver knows no other way it is taken all the same.
    os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")

import pygame

__all__ = ["pygame"]
