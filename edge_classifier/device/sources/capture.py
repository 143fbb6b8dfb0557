"""Pictures from cameras, videos and streams, by OpenCV."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..device_reader import _LOST_AFTER_S
from ..errors import ClassifyError
from .base import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..preprocessing import Image


_WIDTH, _HEIGHT, _FPS = 640, 480, 30
_MJPG: Final = 0x47504A4D  # FOURCC: uncompressed pictures do not fit through USB 2 at this rate
_URL_TIMEOUT_MS: Final = 4000


class Capture(Source):
    """A USB camera (V4L2), a video file or a stream, by OpenCV.

    Args:
        target: A camera's number, a file or an address.
        name: For the user.
    """

    video = True

    def __init__(self, target: int | str, name: str) -> None:
        self.name = name
        self._target = target
        self._capture: Any = None
        stream = isinstance(target, str) and "://" in target
        self.live = stream or isinstance(target, int) or target.startswith("/dev/")
        self._stream = stream

    def open(self) -> None:
        """Open it; a camera is asked for MJPG, then size, then rate: each resets the stream."""
        import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

        camera = self.live and not self._stream
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        with contextlib.suppress(AttributeError):  # OpenCV before 4.5.2 has no such function
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        if camera:
            device = self._target if isinstance(self._target, str) else f"/dev/video{self._target}"
            if sys.platform.startswith("linux") and not Path(device).exists():
                raise ClassifyError(
                    f"There is no {self.name} ({device}); plug one in, or name a video, a folder "
                    "or an address instead."
                )
            backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
            capture = cv2.VideoCapture(self._target, backend)
            for setting, value in (
                (cv2.CAP_PROP_BUFFERSIZE, 2),
                (cv2.CAP_PROP_FOURCC, _MJPG),
                (cv2.CAP_PROP_FRAME_WIDTH, _WIDTH),
                (cv2.CAP_PROP_FRAME_HEIGHT, _HEIGHT),
                (cv2.CAP_PROP_FPS, _FPS),
            ):
                capture.set(setting, value)
        elif self._stream:
            timeouts = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _URL_TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _URL_TIMEOUT_MS),
            ]
            capture = cv2.VideoCapture(self._target, cv2.CAP_FFMPEG, timeouts)
        else:
            capture = cv2.VideoCapture(str(Path(str(self._target)).resolve()))
        if not capture.isOpened():
            capture.release()
            raise ClassifyError(
                f"{self.name} cannot be opened; is it right, and no other program using it?"
            )
        if self._stream and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            self.live = False  # a file on a server: it has an end
        self._capture = capture

    @property
    def fps(self) -> float:
        """Frames per second as the source says, or 30."""
        import cv2  # noqa: PLC0415 - as above

        fps = float(self._capture.get(cv2.CAP_PROP_FPS)) if self._capture else 0.0
        return fps if 0 < fps <= 500 else 30.0  # noqa: PLR2004 - browsers' WebM claims 1000

    def clock(self) -> Callable[[int], float]:
        """Date a file's frames by its own rate, so that its labels are the same on any machine."""
        if self.live:
            return super().clock()
        fps = self.fps
        return lambda index: index / fps

    def read(self) -> tuple[str, Image] | None:
        """Read a frame; a camera has a second for it."""
        deadline_s = time.monotonic() + (_LOST_AFTER_S if self.live and not self._stream else 0.0)
        while True:
            ok, image = self._capture.read()
            if ok and image is not None and image.ndim == 3:  # noqa: PLR2004 - (H, W, 3)
                return self.name, image
            if time.monotonic() >= deadline_s:
                return None
            time.sleep(0.01)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
