"""Stands in for Picamera2 where there is no Raspberry Pi: it has the calls of its manual."""

from __future__ import annotations

from typing import Any

import numpy as np


class Picamera2:
    """A camera that sees one colour with a little noise, and breaks after `lasts` frames."""

    opened = 0
    lasts = 1_000_000

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
        picture = np.full(self._shape, (200, 100, 50), np.uint8)
        picture[::2, ::2] -= 1  # as noise does
        return picture

    def close(self) -> None:
        """End."""
        self._started = False
