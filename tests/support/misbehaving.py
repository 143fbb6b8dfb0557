"""A camera that misbehaves on command."""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.preprocessing import check_image
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.device.preprocessing import Image


class Misbehaviour(Enum):
    """What can be wrong with a camera, as its driver shows it."""

    STALL = "reading does not come back"
    FAIL = "reading says that there is no picture"
    NOTHING = "there is a picture, and it is None"
    EMPTY = "the picture has no pixels"
    BLACK = "every pixel is black"
    ONE_COLOUR = "every pixel is of the same blue"
    GREY_BELOW = "the lower half is grey, as libjpeg fills in what is missing"
    GREEN_BELOW = "the lower half is green, as zeros in YUV are"
    BLACK_BELOW = "the lower half is zeros"
    WRONG_DTYPE = "the picture is of floats"
    WRONG_SHAPE = "the picture has two channels"
    RAISE = "reading raises what no driver should"
    GONE = "it is unplugged: nothing can be read, nor opened again"


SAID: Final = {
    Misbehaviour.STALL: "no picture from camera 0 for [0-9]+ s",
    Misbehaviour.FAIL: "camera 0 is gone; waiting for it to come back",
    Misbehaviour.NOTHING: "camera 0 is gone; waiting for it to come back",
    Misbehaviour.EMPTY: "camera 0 is gone; waiting for it to come back",
    Misbehaviour.BLACK: "camera 0 gives black pictures: is the lens covered, or another program "
    r"using it\?",
    Misbehaviour.ONE_COLOUR: "camera 0 gives pictures of one colour only: .+",
    Misbehaviour.GREY_BELOW: "camera 0 gives damaged pictures, the lower part is missing: a bad "
    r"cable, hub or network\?",
    Misbehaviour.GREEN_BELOW: "camera 0 gives damaged pictures, the lower part is missing: .+",
    Misbehaviour.BLACK_BELOW: "camera 0 gives damaged pictures, the lower part is missing: .+",
    Misbehaviour.WRONG_DTYPE: "camera 0 gives pictures that cannot be used. .+ float32; waiting .+",
    Misbehaviour.WRONG_SHAPE: "camera 0 gives pictures that cannot be used. .+ uint8; waiting .+",
    Misbehaviour.RAISE: r"camera 0 has stopped working \(OSError: .+\); waiting for it .+",
    Misbehaviour.GONE: "camera 0 is gone; waiting for it to come back",
}
"""What the reader says of each, as patterns; in the live window and on a device alike."""

_FILLS: Final = {
    Misbehaviour.GREY_BELOW: (128, 128, 128),
    Misbehaviour.GREEN_BELOW: (0, 135, 0),
    Misbehaviour.BLACK_BELOW: (0, 0, 0),
}


class MisbehavingCamera:
    """A device that outlives its openings; each stands for a `cv2.VideoCapture`.

    `open_capture` goes where `cv2.VideoCapture` would: into `sources.named.open_source`, or
    its result into `sources.video_source.VideoSource`. All methods may be called from any
    thread.

    Args:
        images: The pictures, each `(H, W, 3)` uint8 BGR, given in turn for ever.
        fps: Pictures a second.
        wait: Waits some seconds before each picture; by default really.

    Raises:
        InvalidImageError: if one of the pictures is none.
        InvalidValueError: if there are none.
    """

    def __init__(
        self,
        images: Sequence[Image],
        *,
        fps: float = 30.0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        if not images:
            raise InvalidValueError("Expected one picture or more, received none.")
        for image in images:
            check_image(image)
        self.fps = fps
        self.opened = 0
        """How many times it was opened."""
        self._wait = wait
        self._images = tuple(images)
        self._given = 0
        self._changed = threading.Condition()
        self._how: Misbehaviour | None = None
        self._stalling = 0

    @property
    def how(self) -> Misbehaviour | None:
        """How it misbehaves, or `None` while it behaves."""
        return self._how

    @property
    def stalling(self) -> bool:
        """Whether somebody waits in a read that does not come back."""
        with self._changed:
            return self._stalling > 0

    def misbehave(self, how: Misbehaviour) -> None:
        """Misbehave from the next read on."""
        self._set(how)

    def behave(self) -> None:
        """Give good pictures again from now on, also in a read that has stalled."""
        self._set(None)

    def show(self, *images: Image) -> None:
        """Give other pictures from the next read on, of whatever size."""
        for image in images:
            check_image(image)
        with self._changed:
            self._images = images

    def open_capture(self, *_target_backend_parameters: object) -> MisbehavingCapture:
        """Open it as `cv2.VideoCapture(target, backend, parameters)` does."""
        self.opened += 1
        return MisbehavingCapture(self)

    def _set(self, how: Misbehaviour | None) -> None:
        with self._changed:
            self._how = how
            self._changed.notify_all()

    def next_picture(self) -> tuple[bool, Any]:
        """Give what a read of it gives now, when it is time."""
        self._wait(1 / self.fps)
        with self._changed:
            self._stalling += 1
            self._changed.wait_for(lambda: self._how is not Misbehaviour.STALL)
            self._stalling -= 1
            how, number = self._how, self._given
            self._given += 1
            image = self._images[number % len(self._images)].copy()
        if how is Misbehaviour.RAISE:
            raise OSError("the driver has lost its mind")
        if how in (Misbehaviour.FAIL, Misbehaviour.GONE):
            return False, None
        return True, _spoilt(image, how)


def _spoilt(image: Image, how: Misbehaviour | None) -> Any:
    if how is Misbehaviour.NOTHING:
        return None
    if how is Misbehaviour.EMPTY:
        return image[:0]
    if how is Misbehaviour.WRONG_DTYPE:
        return image.astype(np.float32)
    if how is Misbehaviour.WRONG_SHAPE:
        return image[:, :, :2].copy()
    if how is Misbehaviour.BLACK:
        image[:] = 0
    elif how is Misbehaviour.ONE_COLOUR:
        image[:] = (255, 0, 0)
    elif how is not None and how in _FILLS:
        # Not at a row of JPEG's blocks, and it differs from picture to picture.
        image[len(image) // 2 + int(image[0, 0, 0]) % 3 :] = _FILLS[how]
    return image


class MisbehavingCapture:
    """One opening of a `MisbehavingCamera`; has the methods of `cv2.VideoCapture`."""

    def __init__(self, camera: MisbehavingCamera) -> None:
        self._camera = camera
        self._open = camera.how is not Misbehaviour.GONE
        self.released = False
        """Whether it was closed."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there was a device to open."""
        return self._open and not self.released

    def read(self) -> tuple[bool, Any]:
        """Give whether there was a picture, and the picture."""
        return self._camera.next_picture() if self.isOpened() else (False, None)

    def grab(self) -> bool:
        """Let a picture go by."""
        return self.read()[0]

    def get(self, propId: int, /) -> float:  # noqa: ARG002, N803 - OpenCV's name
        """Give the frame rate, whatever is asked for."""
        return self._camera.fps

    def set(self, propId: int, value: float, /) -> bool:  # noqa: ARG002, N803 - OpenCV's name
        """Agree to everything, and do nothing."""
        return True

    def release(self) -> None:
        """Close it."""
        self.released = True
