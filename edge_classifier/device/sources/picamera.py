"""The Raspberry Pi's own camera, by Picamera2."""

from __future__ import annotations

from typing import Any, Final

import cv2

from ..errors import CameraNotFoundError
from .video_source import FPS, HEIGHT, LOST_AFTER_S, WIDTH, VideoSource

PI_CAMERA_NAME: Final = "the Pi camera"


def open_pi_camera(*, wait_for_first: bool = False) -> VideoSource:
    """Open the Pi's own camera (apt install python3-picamera2).

    Raises:
        CameraNotFoundError: if there is none, or Picamera2 is not installed.
    """
    return VideoSource(
        _PiCapture(),
        name=PI_CAMERA_NAME,
        no_picture=f"{PI_CAMERA_NAME} opens but gives no picture; is its cable right?",
        lost_after_s=LOST_AFTER_S,
        wait_for_first=wait_for_first,
    )


class _PiCapture:
    """Picamera2 with the methods of `cv2.VideoCapture`."""

    def __init__(self) -> None:
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only on a Raspberry Pi
        except ImportError as error:
            raise CameraNotFoundError(
                "The Pi camera needs Picamera2: sudo apt install python3-picamera2, and a virtual "
                "environment made with --system-site-packages."
            ) from error
        self._camera: Any = None
        try:
            self._camera = Picamera2()
            # Picamera2 names formats by the order of bits: RGB888 is blue, green, red in memory.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (WIDTH, HEIGHT), "format": "RGB888"}
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            self.release()
            raise CameraNotFoundError(f"The Pi camera cannot be opened: {error}") from error

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it was not released."""
        return self._camera is not None

    def read(self) -> tuple[bool, Any]:
        """Give whether there was a picture, and the picture, `(H, W, 3)` uint8 BGR."""
        try:
            return True, self._camera.capture_array("main")
        except RuntimeError:
            return False, None

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """Give the frame rate, which is that of Picamera2's video configuration."""
        return FPS if propId == cv2.CAP_PROP_FPS else 0.0

    def set(self, propId: int, value: float, /) -> bool:  # noqa: ARG002, N803 - OpenCV's name
        """Refuse: all is asked for when it is opened."""
        return False

    def release(self) -> None:
        """Stop it; may be called twice."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
