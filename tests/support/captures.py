"""What OpenCV opens: a webcam that stands in for one, and videos that are written here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

GREY = np.full((48, 64, 3), 99, np.uint8)


class FakeCapture:
    """A webcam as V4L2 gives it: a size counts once its height is set, each setting resets."""

    def __init__(
        self,
        pictures: Iterable[npt.NDArray[Any] | None] = (),
        *,
        opened: bool = True,
        properties: dict[int, float] | None = None,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self.pictures = iter(pictures)
        self.opened = opened
        self.settings: list[int] = []
        self.released = 0
        self.reading = False
        self.released_under_a_read = False
        self.on_read = on_read
        self.properties = {
            cv2.CAP_PROP_FRAME_WIDTH: 320.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 240.0,
            cv2.CAP_PROP_FPS: 30.0,
            **(properties or {}),
        }
        self._width = 0.0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def read(self) -> tuple[bool, Any]:
        assert not self.released
        self.reading = True
        self.on_read()
        self.reading = False
        picture = next(self.pictures, None)
        return picture is not None, picture

    def grab(self) -> bool:
        return self.read()[0]

    def get(self, prop: int, /) -> float:
        return self.properties.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        self.settings.append(prop)
        if prop == cv2.CAP_PROP_FRAME_WIDTH:
            self._width = value
        elif prop == cv2.CAP_PROP_FRAME_HEIGHT:
            self.properties[cv2.CAP_PROP_FRAME_WIDTH] = self._width
            self.properties[cv2.CAP_PROP_FRAME_HEIGHT] = value
        else:
            self.properties[prop] = value
        return True

    def release(self) -> None:
        self.released += 1
        self.released_under_a_read |= self.reading


def write_video(path: Path, count: int = 6, fps: float = 20.0) -> Path:
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, fourcc, fps, (64, 48))
    for _ in range(count):
        writer.write(GREY)
    writer.release()
    return path
