"""Frames out of an opened `cv2.VideoCapture`, or what has its methods."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import cv2
import numpy as np

from ..errors import CameraError, CameraLostError, CameraNotFoundError
from ..frame import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from ..frame import Clock
    from ..preprocessing import Image

WIDTH: Final = 640
HEIGHT: Final = 480
FPS: Final = 30
"""What is asked of a camera: every webcam can do it, and no backbone looks at more."""

LOST_AFTER_S: Final = 1.0
"""For how long reads of a camera must fail before it counts as lost."""

_SLOWEST: Final = 5.0
"""Frames a second that are asked of a camera at least: in the dark it would expose for as long as
its rate lets it, and blur what moves."""

_RESTS_BELOW_S: Final = 0.1
"""Of a source whose pictures are no further apart every other one may go by unseen."""

_EMPTY_READ_PAUSE_S: Final = 0.01
"""Pause between failed reads: a device that is gone answers at once, hundreds of times."""

_FALLBACK_FPS: Final = 30.0
"""The rate of a file that does not know its own, or claims more than `_MAX_FPS`."""

_MAX_FPS: Final = 500.0
"""Browsers record WebM with a nominal 1000 frames per second; no camera here is faster."""

_MOST_FRAMES: Final = 1e9
"""A raw stream has absurd numbers in place of its length."""

_LONGEST_GAP_S: Final = 2.0
"""A longer gap between two timestamps of a file is taken for a damaged timestamp."""

_TO_BGR: Final = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
"""By the number of channels."""


class VideoCapture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is anything to read from."""

    def read(self) -> tuple[bool, Any]:
        """Give whether there was a picture, and the picture in an array of its own."""

    def grab(self) -> bool:
        """Let a picture go by, which costs less than to read it; says whether there was one."""

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """Read a property."""

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803 - OpenCV's name
        """Ask for a property."""

    def release(self) -> None:
        """Close the device."""


OpenCapture: TypeAlias = Callable[..., VideoCapture]
"""Opens as `cv2.VideoCapture(target, backend, parameters)` does."""


def open_capture_or_none(
    open_capture: OpenCapture,
    target: str | int,
    *options: Any,  # noqa: ANN401 - as OpenCV takes them
) -> VideoCapture | None:
    """Open a capture, or give `None` where there is nothing that can be opened."""
    if isinstance(target, str) and not is_text(target):
        return None
    try:
        capture = open_capture(target, *options)
    except cv2.error:
        return None
    if capture.isOpened():
        return capture
    capture.release()
    return None


def is_text(name: str) -> bool:
    """Say whether a name, which may be of any bytes, is text; OpenCV crashes on another."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_bgr(image: npt.NDArray[Any] | None) -> Image | None:
    """Make what a capture gives into an image.

    It is `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)` BGR or `(H, W, 4)` BGRA, uint8 or uint16 (as
    depth and thermal cameras give it), or nothing.

    Returns:
        `(H, W, 3)` uint8 BGR; `None` for no picture, and for one without pixels.

    Raises:
        CameraError: if it is something else.
    """
    if image is None or image.size == 0:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype == np.uint8:
        channels = 1 if image.ndim == 2 else image.shape[-1]  # noqa: PLR2004 - (H, W)
        if channels == 3:  # noqa: PLR2004 - blue, green, red
            return image
        if channels in _TO_BGR:
            return np.asarray(cv2.cvtColor(image, _TO_BGR[channels]), np.uint8)
    raise CameraError(
        "Expected grey, BGR or BGRA pictures of dtype uint8, "
        f"received shape {image.shape} and dtype {image.dtype}."
    )


class VideoSource:
    """A `FrameSource` on an opened capture: a camera, a stream, a video file.

    The first picture is read when this is made, unless a live source is to be waited for: a device
    that opens and then gives nothing is found out at once, and the size is the picture's own.

    Args:
        capture: What is read from; released by `close`.
        name: For the user: `camera 0`.
        no_picture: The error's message where there is no first picture.
        lost_after_s: After how many seconds of failing reads a source that should never end is
            lost; `None` for one that has an end.
        paced: Whether frames come no sooner than by their own times in the file.
        wait_for_first: Whether a source that should never end may give its first picture later.
        clock: Gives the frames' timestamps.
        wait: Waits some seconds; by default until then or until `close`, whichever is first.

    Raises:
        CameraNotFoundError: if there is no first picture.
    """

    def __init__(  # noqa: PLR0913 - all keyword-only but what is read
        self,
        capture: VideoCapture,
        *,
        name: str,
        no_picture: str,
        lost_after_s: float | None = None,
        paced: bool = False,
        wait_for_first: bool = False,
        clock: Clock = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.name = name
        self.live = lost_after_s is not None
        """Whether it should never end: then only the newest frame counts."""
        self._capture = capture
        self._lost_after_s = lost_after_s
        self._paced = paced
        self._clock = clock
        self._closing = threading.Event()
        self._wait = wait or self._closing.wait
        self._reading = threading.Lock()
        self._index = 0
        self._interval_s = self._next_s = 0.0
        self._rests: Callable[[], bool] = lambda: False
        self._read_s, self._passed = -math.inf, False
        self._due_s: float | None = None
        self._file_time_s = 0.0
        self._last_file_time_s = 0.0
        self.fps = capture.get(cv2.CAP_PROP_FPS)
        if not 0 < self.fps <= _MAX_FPS:
            self.fps = _FALLBACK_FPS
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.frame_count = int(frames) if 0 < frames < _MOST_FRAMES else None
        """Of a file that knows how many pictures it has, about."""
        self._first: tuple[Image, float] | None = None
        self.description = name
        if wait_for_first and self.live:
            return
        try:
            self._first = self._read_until_lost()
        except BaseException:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise CameraNotFoundError(no_picture)
        height, width = self._first[0].shape[:2]
        self.description = f"{name}, {width}x{height} at {self.fps:.3g} fps"

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames from where the last iteration stopped, until the end or `close`.

        Raises:
            CameraLostError: if a source that should never end gives no more pictures.
            CameraError: if pictures are of a kind that cannot be used.
        """
        while not self._closing.is_set():
            self._let_go_by()
            captured, self._first = self._first or self._read_until_lost(), None
            if captured is None:
                if self.live and not self._closing.is_set():
                    raise CameraLostError(f"{self.name} is gone")
                return
            image, capture_ms = captured
            if self._paced:
                self._wait_until_due()
                if self._closing.is_set():
                    return
            self._index += 1
            yield Frame(image, self._index - 1, self._clock(), capture_ms, self.name)

    def give_every(self, interval_s: float) -> None:
        """Give a frame every so many seconds, and ask the driver for no more than it needs.

        For a live source: the others go by undecoded, as far as it knows how.
        """
        self._interval_s = interval_s
        rate = max(_SLOWEST, math.ceil(1 / interval_s))
        if rate < self.fps:
            self._capture.set(cv2.CAP_PROP_FPS, rate)

    def rest_while(self, rests: Callable[[], bool]) -> None:
        """Let every other picture go by while the one before showed nothing new.

        For a live source with ten a second or more: what is new is seen one picture later at most.
        With `give_every` none does: those it gives are as far apart as was asked.
        """
        self._rests = rests

    def _let_go_by(self) -> None:
        """Let pictures go by until the next one is due, and one at rest."""
        now_s = self._clock()
        often = now_s - self._read_s <= _RESTS_BELOW_S * (1 + self._passed)
        self._read_s = now_s
        self._passed = often and not self._interval_s and self._rests() and self._grab()
        while self._clock() < self._next_s and self._grab():
            pass
        now_s = self._clock()
        on_time = now_s - self._next_s < self._interval_s
        self._next_s = (self._next_s if on_time else now_s) + self._interval_s

    def _grab(self) -> bool:
        """Let a picture go by; reading finds out why there was none."""
        with self._reading:
            grabbed = not self._closing.is_set() and self._capture.grab()
        if self._closing.is_set():
            self.close()
        return grabbed

    @property
    def time_s(self) -> float:
        """When the newest picture of a file is to be seen: by the file, or else by its rate."""
        return self._file_time_s or max(0, self._index - 1) / self.fps

    def close(self) -> None:
        """Release the device, now or as soon as the thread that reads from it comes back."""
        # OpenCV crashes when a capture is released under a read. Whoever closes sets the flag
        # first and whoever reads looks at it after unlocking, so one of the two releases.
        self._closing.set()
        if self._reading.acquire(blocking=False):
            try:
                self._capture.release()
            finally:
                self._reading.release()

    def _read(self) -> tuple[Image, float] | None:
        """Read one picture and the milliseconds it took; `None` where there was none."""
        with self._reading:
            if self._closing.is_set():
                return None
            started_s = time.perf_counter()
            ok, picture = self._capture.read()
            if ok and not self.live:
                self._file_time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            capture_ms = (time.perf_counter() - started_s) * 1000
        if self._closing.is_set():
            self.close()
            return None
        try:
            image = as_bgr(picture) if ok else None
        except CameraError as error:
            raise CameraError(f"{self.name} gives pictures that cannot be used. {error}") from None
        return None if image is None else (image, capture_ms)

    def _read_until_lost(self) -> tuple[Image, float] | None:
        """Read one picture; it has `lost_after_s` to come."""
        deadline_s = self._clock() + (self._lost_after_s or 0.0)
        while (captured := self._read()) is None:
            if self._closing.is_set() or self._clock() >= deadline_s:
                return None
            self._wait(_EMPTY_READ_PAUSE_S)
        return captured

    def _wait_until_due(self) -> None:
        """Wait for the time that the picture just read has in its file."""
        step_s = self._file_time_s - self._last_file_time_s
        if not 0 < step_s <= _LONGEST_GAP_S:
            step_s = 1 / self.fps
        self._last_file_time_s = self._file_time_s
        self._due_s = self._clock() if self._due_s is None else self._due_s + step_s
        ahead_s = self._due_s - self._clock()
        if ahead_s > 0:
            self._wait(ahead_s)
