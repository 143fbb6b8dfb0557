"""From key events and frames to stored samples: a hold is one burst, a tap is one sample.

The frame of a press is stored at once. The frames after it wait in memory until the next event
of the key shows that it was still down; so the gap before the first repeat leaves no hole in a
hold, a tap stays one sample, and no frame from after the release is ever stored. (What may be
a second tap is stored at once too, so it can come before the frames of the gap in the burst.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_classifier.keys import HoldDetector, HoldTiming, KeyEvent

if TYPE_CHECKING:
    from edge_classifier.frame import EncodedImage, Features, Frame, Sample
    from edge_classifier.protocols import SampleStore


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A frame that may become a sample.

    Attributes:
        encoded: The picture as it would be stored.
        features: Its features, `(D,)` float32, or `None` before there is a backbone.
    """

    encoded: EncodedImage
    features: Features | None


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A sample that is on disk now, with its features as in `Candidate`."""

    sample: Sample
    features: Features | None


class Recorder:
    """Records one class at a time.

    Args:
        store: Where samples go.
        timing: When a silent key counts as released.
        samples_per_second: At most so many while a key is held; neighbouring frames of a
            camera are nearly the same picture, and teach little.
    """

    def __init__(
        self,
        store: SampleStore,
        *,
        timing: HoldTiming | None = None,
        samples_per_second: float = 15.0,
    ) -> None:
        self._store = store
        self._hold = HoldDetector(timing)
        self._period_s = 1.0 / samples_per_second
        self._slack_s = self._period_s / 10
        self._class_name: str | None = None
        self._burst_id = ""
        self._press_due = False
        self._next_due_s = 0.0
        self._since_event: list[Candidate] = []
        self._before_event: list[Candidate] = []

    @property
    def class_name(self) -> str | None:
        """The class whose key is down, or `None`."""
        return self._class_name

    def event(self, class_name: str, now_s: float) -> list[Recorded]:
        """Take a press or a repeat of a class's key.

        Args:
            class_name: Whose key it is; another class than before begins another burst.
            now_s: When, in seconds of a monotonic clock.

        Returns:
            The samples that this event confirmed; they are on disk.

        Raises:
            ProjectError: if a sample cannot be written.
        """
        if class_name != self._class_name:
            self.stop()
            self._class_name = class_name
            self._burst_id = self._store.next_burst_id()
        if self._hold.event(now_s) is KeyEvent.REPEATED:
            confirmed = self._before_event + self._since_event
            self._before_event, self._since_event = [], []
            return [self._write(candidate) for candidate in confirmed]
        self._before_event, self._since_event = self._since_event, []
        self._press_due = True
        return []

    def wants(self, frame: Frame) -> bool:
        """Say whether this frame should be offered as a candidate."""
        if self._class_name is None:
            return False
        return self._press_due or frame.timestamp_s >= self._next_due_s - self._slack_s

    def offer(self, frame: Frame, candidate: Candidate) -> list[Recorded]:
        """Take a frame that was wanted.

        Returns:
            The samples that are on disk now: the frame itself where a press waits for its
            frame, none where it is not known yet whether the key is still down.

        Raises:
            ProjectError: if a sample cannot be written.
        """
        # On a grid, so that a camera whose frames come a little early is not halved.
        self._next_due_s = max(self._next_due_s + self._period_s, frame.timestamp_s)
        if self._press_due:
            self._press_due = False
            return [self._write(candidate)]
        self._since_event.append(candidate)
        return []

    def forget_features(self) -> None:
        """Let the frames that wait be stored without their features: these are of no use now."""
        self._since_event = [replace(one, features=None) for one in self._since_event]
        self._before_event = [replace(one, features=None) for one in self._before_event]

    def released(self, now_s: float) -> bool:
        """Say whether the burst has just ended because its key is up."""
        if self._class_name is None or not self._hold.released(now_s):
            return False
        self.stop()
        return True

    def stop(self) -> None:
        """End the burst; frames that no key event confirmed are dropped."""
        self._class_name = None
        self._hold = HoldDetector(self._hold.timing)
        self._press_due = False
        self._next_due_s = 0.0
        self._since_event, self._before_event = [], []

    def _write(self, candidate: Candidate) -> Recorded:
        if self._class_name is None:  # pragma: no cover - only between event and stop
            raise RuntimeError("No burst is running.")
        sample = self._store.add_sample(candidate.encoded, self._class_name, self._burst_id)
        return Recorded(sample, candidate.features)
