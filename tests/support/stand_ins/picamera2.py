"""Stands in for Picamera2 where there is no Raspberry Pi: it has the calls of its manual.

To a program of its own the environment says how it behaves: after how many frames it breaks
(`PICAMERA2_LASTS`) or hangs for ever (`PICAMERA2_HANGS_AFTER`), for how many seconds it is black
(`PICAMERA2_BLACK_S`) or silent (`PICAMERA2_SILENT_S`) at first, whether the right half of what it
sees is dark (`PICAMERA2_BRIGHT_LEFT`), and which file gets a byte for each picture that went by
uncopied (`PICAMERA2_PASSED`).
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

IMX219 = (
    *(((640, 480), 206.65, (1000, 752, 1280, 960)), ((1640, 1232), 41.85, (0, 0, 3280, 2464))),
    *(((1920, 1080), 47.57, (680, 692, 1920, 1080)), ((3280, 2464), 21.19, (0, 0, 3280, 2464))),
)
"""The modes of the camera of 2016, as its manual lists them: size, frames a second, crop."""
IMX708 = (
    ((1536, 864), 120.13, (768, 432, 3072, 1728)),
    *(((2304, 1296), 56.03, (0, 0, 4608, 2592)), ((4608, 2592), 14.35, (0, 0, 4608, 2592))),
)
"""Those of the wide one of 2023."""


_SHIFTS = 101
_NOISE = np.random.default_rng(0).integers(1, 10, (2000, 3000), np.uint8)
"""No two pictures are alike."""


class _Request:
    """A picture that has to be given back."""

    def release(self) -> None:
        """Give it back."""


class Picamera2:
    """Sees one colour with noise, and the sensor's edge in white; breaks after `lasts` frames."""

    opened = 0
    modes: ClassVar[Any] = IMX219
    lasts = int(os.environ.get("PICAMERA2_LASTS", "1_000_000"))
    hangs_after = int(os.environ.get("PICAMERA2_HANGS_AFTER", "1_000_000"))
    black_s = float(os.environ.get("PICAMERA2_BLACK_S", "0"))
    silent_s = float(os.environ.get("PICAMERA2_SILENT_S", "0"))
    bright_left = "PICAMERA2_BRIGHT_LEFT" in os.environ
    passed = os.environ.get("PICAMERA2_PASSED")
    began_s = time.monotonic()
    close_hangs = False
    controls: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        type(self).opened += 1
        self._lasts = self.lasts
        self._started = False
        self._shape = (0, 0, 3)
        self._taken = 0
        self._crop = (0, 0, 0, 0)

    @property
    def camera_properties(self) -> dict[str, Any]:
        """Say what it is."""
        return {"Model": "imx219", "PixelArraySize": self.modes[-1][0]} if self.modes else {}

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        """List what the sensor can do; of a USB camera only its format is known."""
        return [
            {"size": size, "fps": fps, "crop_limits": crop, "bit_depth": 10}
            for size, fps, crop in self.modes
        ] or [{"format": "MJPEG"}]

    def create_video_configuration(
        self, main: dict[str, Any], raw: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Agree to what is asked for."""
        assert main["format"] == "RGB888"
        return {"main": main, "raw": raw}

    def configure(self, configuration: dict[str, Any]) -> None:
        """Take the mode whose size is nearest to what is asked for."""
        width, height = configuration["main"]["size"]
        self._shape = (height, width, 3)
        near = (configuration["raw"] or configuration["main"])["size"]
        if self.modes:
            mode = min(self.modes, key=lambda m: abs(m[0][0] - near[0]) + abs(m[0][1] - near[1]))
            self._crop = mode[2]

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
        if self._taken > self.hangs_after:
            threading.Event().wait()
        age_s = time.monotonic() - self.began_s
        if age_s < self.silent_s:
            raise OSError("dma heap allocation failed")
        if age_s < self.black_s:
            return np.zeros(self._shape, np.uint8)
        picture = np.full(self._shape, (200, 100, 50), np.uint8)
        if self.bright_left:
            picture[:, self._shape[1] // 2 :] = 9
        rows, columns = picture[::2, ::2].shape[:2]
        top = self._taken * 37 % _SHIFTS
        picture[::2, ::2] -= _NOISE[top : top + rows, :columns, None]
        height, width = self._shape[:2]
        if self._sees_all(width / height):
            picture[0] = picture[-1] = picture[:, 0] = picture[:, -1] = 255
        return picture

    def capture_request(self) -> _Request:
        """Give a picture that is not copied."""
        self.capture_array("main")
        if self.passed:
            with Path(self.passed).open("ab") as file:
                file.write(b".")
        return _Request()

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Note what is asked for while it runs."""
        assert self._started
        type(self).controls = controls

    def _sees_all(self, aspect: float) -> bool:
        """Say whether both the mode and the picture's shape leave out nothing to speak of."""
        x, y, width, height = self._crop if self.modes else (0, 0, 4, 3)
        return (x, y) == (0, 0) and abs(aspect * height / width - 1) < 0.02

    def close(self) -> None:
        """End."""
        if self.close_hangs:
            threading.Event().wait()
        self._started = False
