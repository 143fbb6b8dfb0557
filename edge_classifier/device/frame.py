"""Frames, and what gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .errors import InvalidValueError
from .preprocessing import check_image

if TYPE_CHECKING:
    import numpy.typing as npt

    from .preprocessing import Image


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A capture with its time.

    Attributes:
        image: `(H, W, 3)` uint8, BGR, upright (never mirrored).
        index: Number of the frame since its source was opened, from 0.
        timestamp_s: When it was captured, in seconds of a monotonic clock.
        capture_ms: How long the source took to deliver it, in milliseconds.
        name: The file or the source that it comes from, for the user.
        prepared: What the reader has made of the image beforehand, in its own thread: the image
            shrunk to what the preprocessing leaves of it, or the network's input.
        prepare_ms: How long that took, in milliseconds.
        region: The name of the part of it that an answer is of, where there are several.
    """

    image: Image
    index: int
    timestamp_s: float
    capture_ms: float = 0.0
    name: str = ""
    prepared: npt.NDArray[Any] | None = None
    prepare_ms: float = 0.0
    region: str = ""

    def __post_init__(self) -> None:
        check_image(self.image)
        if self.index < 0:
            raise InvalidValueError(f"Expected a frame index of 0 or more, received {self.index}.")


Clock: TypeAlias = Callable[[], float]
"""Gives seconds of a monotonic clock, as `time.monotonic` does."""


class FrameSource(Protocol):
    """Something that gives frames: a camera, a video file, a stream, the demo.

    Iterating gives frames in the order of capture. The end of a video is the end of the
    iteration; a camera that vanishes raises `CameraLostError`. Each frame's image is an array
    of its own, never written to again. `close` may be called twice, and from another thread.
    """

    @property
    def description(self) -> str:
        """What it is, for the user: `camera 0, 640x480 at 30 fps`."""

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames."""

    def close(self) -> None:
        """Release the device."""
