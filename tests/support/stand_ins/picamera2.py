"""Stands in for Picamera2 where there is no Raspberry Pi: it has the calls of its manual.

To a program of its own the environment says how it behaves: after how many frames it breaks
(`PICAMERA2_LASTS`), for how many seconds it is black (`PICAMERA2_BLACK_S`) or silent
(`PICAMERA2_SILENT_S`) at first.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np


class Picamera2:
    """A camera that sees one colour with a little noise, and breaks after `lasts` frames."""

    opened = 0
    lasts = int(os.environ.get("PICAMERA2_LASTS", "1_000_000"))
    black_s = float(os.environ.get("PICAMERA2_BLACK_S", "0"))
    silent_s = float(os.environ.get("PICAMERA2_SILENT_S", "0"))
    began_s = time.monotonic()

    def __init__(self) -> None:
        type(self).opened += 1
        self._lasts = self.lasts
        self._started = False
        self._shape = (0, 0, 3)
        self._taken = 0

    def create_video_configuration(self, main: dict[str, Any]) -> dict[str, Any]:
        """Agree to what is asked for."""
        assert main["format"] == "RGB888"
        return main

    def configure(self, configuration: dict[str, Any]) -> None:
        """Take the size."""
        width, height = configuration["size"]
        self._shape = (height, width, 3)

    def start(self) -> None:
        """Begin."""
        if not self._lasts:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self._started = True

    def capture_array(self, name: str) -> np.ndarray[Any, Any]:
        """Give a picture: blue, green, red in memory, as that format is."""
        assert self._started
        assert name == "main"
        self._taken += 1
        if self._taken > self._lasts:
            raise RuntimeError("Camera frontend has timed out!")
        age_s = time.monotonic() - self.began_s
        if age_s < self.silent_s:
            raise OSError("dma heap allocation failed")
        if age_s < self.black_s:
            return np.zeros(self._shape, np.uint8)
        picture = np.full(self._shape, (200, 100, 50), np.uint8)
        picture[::2, ::2] -= 1  # as noise does
        return picture

    def close(self) -> None:
        """End."""
        self._started = False
