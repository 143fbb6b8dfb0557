"""Fakes of everything that the rooms ask of the world.

They behave as their real twins do; the same contract tests run over both.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from edge_classifier.device.frame import Frame
from edge_classifier.device.preprocessing import Preprocessing, check_image
from edge_classifier.errors import CameraLostError, InvalidValueError
from edge_classifier.live.display import CLOSE, Press, Release, Room
from edge_classifier.values import BackboneInfo
from support.misbehaving import MisbehavingCamera, Misbehaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.display import Event
    from edge_classifier.live.view import View
    from edge_classifier.values import Features

T = TypeVar("T")

__all__ = [
    "FakeBackbone",
    "FakeClock",
    "FakeDisplay",
    "FakeSource",
    "ImmediateExecutor",
    "ManualExecutor",
    "MisbehavingCamera",
    "Misbehaviour",
]


class FakeClock:
    """A clock that moves only when told to; may be used from several threads.

    Args:
        now_s: What it shows first, in seconds.
    """

    def __init__(self, now_s: float = 0.0) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Give the time in seconds."""
        with self._lock:
            return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            InvalidValueError: if it should run backwards.
        """
        if seconds < 0:
            raise InvalidValueError(f"Expected a time of 0 s or more, received {seconds}.")
        with self._lock:
            self._now_s += seconds


class FakeSource:
    """A camera that gives pictures from memory, as fast as they are taken.

    Args:
        images: The pictures, each `(H, W, 3)` uint8, BGR; each frame gets a copy.
        fps: How many of them are a second: every frame advances the clock by `1 / fps`.
        clock: Dates the frames; one of its own if not given.
        fails_after: After how many frames the camera is gone, or `None` for never.
    """

    def __init__(
        self,
        images: Iterable[Image],
        *,
        fps: float = 30.0,
        clock: FakeClock | None = None,
        fails_after: int | None = None,
    ) -> None:
        if fps <= 0:
            raise InvalidValueError(f"Expected more than 0 frames per second, received {fps}.")
        self.closed = False
        """Whether it was closed."""
        self._images = iter(images)
        self._fps = fps
        self._clock = clock or FakeClock()
        self._fails_after = fails_after
        self._index = 0

    @property
    def description(self) -> str:
        """What it is, for the user."""
        return f"fake camera at {self._fps:.3g} fps"

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames from where the last iteration stopped, until the end or `close`.

        Raises:
            CameraLostError: after `fails_after` frames.
        """
        while not self.closed:
            if self._fails_after is not None and self._index >= self._fails_after:
                raise CameraLostError("the fake camera is gone")
            image = next(self._images, None)
            if image is None:
                return
            self._clock.advance(1 / self._fps)
            self._index += 1
            yield Frame(image.copy(), self._index - 1, self._clock(), 1000 / self._fps)

    def close(self) -> None:
        """Release it; may be called twice, and from another thread."""
        self.closed = True


class FakeDisplay:
    """A window that remembers what it showed and presses keys by a script.

    Args:
        keys: What is done while a view is shown, one a view: an event, the name of what is pressed
            for a moment, or `None`. When they are used up the window is closed by its user. An
            endless script is `itertools.repeat(None)`.
        keep: How many of the newest views are remembered.
    """

    ROOM = Room(5, 3)
    """What there is room for of a gallery."""

    def __init__(self, keys: Iterable[str | Event | None] = (), *, keep: int = 200) -> None:
        self.shown = 0
        """How many views were shown."""
        self.closed = False
        """Whether it was closed by the program."""
        self._keys = iter(keys)
        self._views: deque[View] = deque(maxlen=keep)
        self._events: list[Event] = []
        self._told_room = False

    @property
    def views(self) -> tuple[View, ...]:
        """The newest views that were shown, oldest first."""
        return tuple(self._views)

    def show(self, view: View) -> None:
        """Remember a view and press the next key."""
        if self.closed:
            return
        self.shown += 1
        self._views.append(view)
        if view.gallery is not None and not self._told_room:
            self._told_room = True
            self.happens(self.ROOM)
        key = next(self._keys, CLOSE)
        if isinstance(key, str):
            self.press(key)
        elif key is not None:
            self.happens(key)

    def happens(self, event: Event) -> None:
        """Let something be pressed or let go."""
        self._events.append(event)

    def press(self, name: str, text: str | None = None) -> None:
        """Press something for a moment; one character is also typed, unless `text` is given."""
        typed = text if text is not None else name if len(name) == 1 else ""
        self.happens(Press(name, typed))
        self.happens(Release(name))

    def events(self) -> Sequence[Event]:
        """Return what was pressed since the last call."""
        if self.closed:
            return [Press(CLOSE), Release(CLOSE)]
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Take the window away; may be called twice."""
        self.closed = True


class ImmediateExecutor:
    """Does work at once, in the caller's thread."""

    def submit(self, work: Callable[[], T], /) -> Future[T]:
        """Do the work and give its result, or its exception, through the future."""
        future: Future[T] = Future()
        _do(work, future)
        return future


class ManualExecutor:
    """Keeps work until it is told to do it; so a test decides what happens meanwhile."""

    def __init__(self) -> None:
        self._queue: deque[tuple[Callable[[], Any], Future[Any]]] = deque()

    @property
    def pending(self) -> int:
        """How much work waits and was not cancelled."""
        return sum(not future.cancelled() for _, future in self._queue)

    def submit(self, work: Callable[[], T], /) -> Future[T]:
        """Keep the work."""
        future: Future[T] = Future()
        self._queue.append((work, future))
        return future

    def run_next(self) -> bool:
        """Do the oldest work that was not cancelled; returns whether there was any."""
        while self._queue:
            if _do(*self._queue.popleft()):
                return True
        return False

    def run_all(self) -> int:
        """Do all work, also what is submitted by it; returns how much there was."""
        count = 0
        while self.run_next():
            count += 1
        return count


def _do(work: Callable[[], T], future: Future[T]) -> bool:
    """Do the work as a worker thread would; returns whether it was not cancelled."""
    if not future.set_running_or_notify_cancel():
        return False
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - the future hands it on
        future.set_exception(error)
    return True


class FakeBackbone:
    """A backbone that costs nothing and whose features depend on the picture as real ones do.

    They are a fixed random projection of the picture made small, then relu: the same for the
    same picture, near for near ones, so that heads can be trained on them.

    Args:
        feature_dim: D, the number of features; ignored where `info` is given.
        info: What it says it is.
    """

    def __init__(self, feature_dim: int = 64, info: BackboneInfo | None = None) -> None:
        self.extracted = 0
        """How many pictures features were computed of."""
        self._info = info or BackboneInfo(
            name=f"fake-{feature_dim}",
            feature_shape=(1, 1, feature_dim),
            feature_kind="pooled",
            weights_sha256=f"{feature_dim:064x}",
            preprocessing=Preprocessing(224),
        )
        self._small = Preprocessing(12)  # enough to tell pictures apart, and fast
        pixels = self._small.input_size**2 * 3
        rng = np.random.default_rng(2026)
        self._weights = rng.standard_normal((pixels, self._info.feature_dim), np.float32)
        self._weights /= np.float32(np.sqrt(pixels))

    @property
    def info(self) -> BackboneInfo:
        """What it is."""
        return self._info

    @property
    def extractor(self) -> bytes:
        """No file: nothing runs."""
        return b""

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features of N pictures, each `(H, W, 3)` uint8 BGR of any size.

        Returns:
            `(N, D)` float32, 0 or more.

        Raises:
            InvalidImageError: if one of them is not an image.
        """
        features = np.zeros((len(images), self._info.feature_dim), np.float32)
        for row, image in zip(features, images, strict=True):
            check_image(image)
            np.maximum(self._small.apply(image).reshape(-1) @ self._weights, 0, out=row)
        self.extracted += len(images)
        return features

    def extract_spatial(self, images: Sequence[Image]) -> tuple[Features, npt.NDArray[np.float32]]:
        """Compute the same, and feature maps `(N, h, w, c)` that give them."""
        features, shape = self.extract(images), (len(images), *self._info.feature_shape)
        if self._info.feature_kind == "pooled":
            return features, np.broadcast_to(features[:, None, None], shape).copy()
        return features, features.reshape(shape)
