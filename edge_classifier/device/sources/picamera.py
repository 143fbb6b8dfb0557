"""The Pi's own camera, by Picamera2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ClassifyError
from .base import Source
from .capture import _HEIGHT, _WIDTH

if TYPE_CHECKING:
    from ..preprocessing import Image


class PiCamera(Source):
    """The Raspberry Pi's own camera, by Picamera2 (apt install python3-picamera2)."""

    live = True
    video = True
    name = "the Pi camera"

    def __init__(self) -> None:
        self._camera: Any = None

    def open(self) -> None:
        """Start it at 640x480."""
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only on a Raspberry Pi
        except ImportError as error:
            raise ClassifyError(
                "The Pi camera needs Picamera2: sudo apt install python3-picamera2, and a virtual "
                "environment made with --system-site-packages."
            ) from error
        try:
            self._camera = Picamera2()
            # Picamera2 names formats by the order of bits: RGB888 is blue, green, red in memory.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (_WIDTH, _HEIGHT), "format": "RGB888"}
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            self.close()
            raise ClassifyError(f"The Pi camera cannot be opened: {error}") from error

    def read(self) -> tuple[str, Image] | None:
        """Take a frame."""
        try:
            return self.name, np.asarray(self._camera.capture_array("main"), np.uint8)
        except RuntimeError:
            return None

    def close(self) -> None:
        """Stop it."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
