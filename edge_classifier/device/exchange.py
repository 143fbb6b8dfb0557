"""The classifier that answers now: another one, once its bundle was replaced."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .console import one_line, say, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from .bundle_watch import BundleWatch
    from .classifier import Classifier
    from .frame import Clock, Frame
    from .preprocessing import Image


class Exchange:
    """Gives the classifier that answers, and exchanges it between two frames.

    Args:
        classifier: The first one.
        watch: Finds others; `None` where there will be none.
        clock: The one that frames are dated by.

    Attributes:
        current: The classifier that answers.
    """

    def __init__(
        self,
        classifier: Classifier,
        watch: BundleWatch | None = None,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self.current = classifier
        self._watch, self._clock = watch, clock
        self._exchanged_s: float | None = None
        self._followers: list[Callable[[Classifier], None]] = []

    def follow(self, exchanged: Callable[[Classifier], None]) -> None:
        """Call this with each further classifier, in the loop's thread, between two frames."""
        self._followers.append(exchanged)

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image into the network's input; in any thread, ahead of `prepared`."""
        return self.current.prepare(image)

    def prepared(self, frame: Frame) -> npt.NDArray[Any]:
        """Return what the current classifier sees of a frame."""
        # One that was captured before may have been prepared for the classifier of then.
        late = self._exchanged_s is not None and frame.timestamp_s <= self._exchanged_s
        if frame.prepared is None or late:
            return self.current.prepare(frame.image)
        return frame.prepared

    def between(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Give the frames, and exchange the classifier before one of them."""
        for frame in frames:
            self.take()
            yield frame

    def take(self) -> None:
        """Exchange the classifier if another one was found; takes no time."""
        found = self._watch.take() if self._watch else None
        if found is None:
            return
        self.current = found
        self._exchanged_s = self._clock()
        for exchanged in self._followers:
            exchanged(found)
        classes = one_line(", ".join(found.bundle.class_names))
        say(f"a new model answers from now on, {found.sha256[:8]}: {shortened(classes)}.")

    def close(self) -> None:
        """Look for no more; may be called twice."""
        if self._watch:
            self._watch.close()
