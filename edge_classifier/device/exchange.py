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

    def prepared(self, frame: Frame) -> npt.NDArray[Any] | None:
        """Return what a frame holds that was prepared for the current classifier, if it does."""
        return None if self._is_of_before(frame) else frame.prepared

    def _is_of_before(self, frame: Frame) -> bool:
        """Say whether a frame was captured, and perhaps prepared, before the exchange."""
        return self._exchanged_s is not None and frame.timestamp_s <= self._exchanged_s

    def between(
        self, frames: Iterator[Frame], turned: Callable[[], bool] = lambda: False
    ) -> Iterator[Frame]:
        """Give the frames, and exchange the classifier before one of them.

        `turned` says whether frames have been turned otherwise since then: those that were captured
        before are left out.
        """
        for frame in frames:
            self.take()
            if not (self._is_of_before(frame) and turned()):
                yield frame

    def take(self) -> None:
        """Exchange the classifier if another one was found; takes no time."""
        found = self._watch.take() if self._watch else None
        if found is None:
            return
        self.current = found
        for exchanged in self._followers:
            exchanged(found)
        # Not before they know: what the reader prepares meanwhile may be of another region.
        self._exchanged_s = self._clock()
        classes = one_line(", ".join(found.bundle.class_names))
        say(f"a new model answers from now on, {found.sha256[:8]}: {shortened(classes)}.")

    def close(self) -> None:
        """Look for no more; may be called twice."""
        if self._watch:
            self._watch.close()
