"""The camera of whoever teaches from the page, as a source of frames."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from edge_classifier.device.frame import Frame
from edge_classifier.device.media import JPEG, kind_of
from edge_classifier.device.picture_decoder import decode_picture, image_size
from edge_classifier.errors import CameraLostError, InvalidImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.frame import FrameSource

_NAME: Final = "the browser's camera"
_MOST_PIXELS: Final = 2_100_000
"""Of a picture that a visitor sends: 1920x1080."""
_LOOK_S: Final = 0.5


class BrowserCamera:
    """Hands over the newest picture that a visitor has sent; made once, opened again after losses.

    What `offer` and `leave` tell comes from the page's thread, all else is for the reader's.
    """

    name: Final = _NAME

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[bytes, float] | None = None
        self._there = False
        self._lost = False

    def offer(self, data: bytes) -> None:
        """Take a picture, a JPEG file; one that was not taken before it is dropped."""
        with self._changed:
            self._newest, self._there = (data, time.monotonic()), True
            self._changed.notify_all()

    def leave(self) -> None:
        """Take note that no more pictures come from this visitor."""
        with self._changed:
            if self._there:
                self._there, self._newest, self._lost = False, None, True
            self._changed.notify_all()

    def open(self) -> FrameSource:
        """Begin to wait for pictures.

        Raises:
            CameraLostError: if the camera was there before, and is not now.
        """
        with self._changed:
            if self._lost and not self._there:
                raise CameraLostError(f"{_NAME} has gone.")
            self._lost = False
        return _Opened(self)

    def take(self, timeout_s: float) -> tuple[bytes, float] | None:
        """Take the newest picture and when it came, waiting at most so long.

        Raises:
            CameraLostError: if the visitor has gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._lost or self._newest is not None, timeout_s)
            if self._lost:
                raise CameraLostError(f"{_NAME} has gone.")
            newest, self._newest = self._newest, None
            return newest


class _Opened:
    """The frames from one opening to the next; a picture that cannot be read is left out."""

    description = _NAME

    def __init__(self, camera: BrowserCamera) -> None:
        self._camera = camera
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self._closed:
            taken = self._camera.take(_LOOK_S)
            if taken is None or self._closed:
                continue
            data, at_s = taken
            started_s = time.perf_counter()
            size = image_size(data) if kind_of(data[:64]) is JPEG else None
            if size is None or size[0] * size[1] > _MOST_PIXELS:
                continue
            try:
                image = decode_picture(data, _NAME).image
            except InvalidImageError:
                continue
            yield Frame(image, index, at_s, (time.perf_counter() - started_s) * 1000.0)
            index += 1

    def close(self) -> None:
        self._closed = True
