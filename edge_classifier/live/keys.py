"""When is a key held? HighGUI reports presses and repeats, but never a release.

A held key gives one event, a long gap, then events at the repeat rate (X11: 0.66 s, then every
0.04 s; other desktops: 0.25 to 0.6 s, then 0.02 to 0.05 s). So a release is silence: longer
before the first repeat than after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge_classifier.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class HoldTiming:
    """How long a silent key may still be held, in seconds.

    Attributes:
        initial_gap_s: Before the first repeat; above the desktop's repeat delay.
        repeat_gap_s: Between repeats; above the repeat period plus one slow frame.
    """

    initial_gap_s: float = 0.8
    repeat_gap_s: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.repeat_gap_s <= self.initial_gap_s:
            raise InvalidValueError(
                f"Expected 0 < repeat gap <= initial gap, received {self.repeat_gap_s} s and "
                f"{self.initial_gap_s} s."
            )


class KeyEvent(Enum):
    """What an event of a key turned out to be."""

    PRESSED = "pressed"
    """The key was up before, or may have been: this is a press of its own."""

    REPEATED = "repeated"
    """The key was certainly down since the event before."""


class HoldDetector:
    """Follows one key from its press to its release."""

    def __init__(self, timing: HoldTiming | None = None) -> None:
        self.timing = timing or HoldTiming()
        self._last_event_s: float | None = None
        self._repeating = False

    @property
    def down(self) -> bool:
        """Whether a press has not yet been followed by a release."""
        return self._last_event_s is not None

    def event(self, now_s: float) -> KeyEvent:
        """Take an event of the key, at a time in seconds of a monotonic clock."""
        before, self._last_event_s = self._last_event_s, now_s
        if before is not None and now_s - before <= self.timing.repeat_gap_s:
            self._repeating = True
            return KeyEvent.REPEATED
        self._repeating = False
        return KeyEvent.PRESSED

    def released(self, now_s: float) -> bool:
        """Say whether the key has been silent for so long that it must be up, and is from now."""
        if self._last_event_s is None:
            return True
        gap = self.timing.repeat_gap_s if self._repeating else self.timing.initial_gap_s
        if now_s - self._last_event_s <= gap:
            return False
        self._last_event_s = None
        self._repeating = False
        return True


class SpentKey:
    """A key that has done its work: while it stays down, its repeats shall do nothing else."""

    def __init__(self, timing: HoldTiming) -> None:
        self._key: str | None = None
        self._hold = HoldDetector(timing)

    def spend(self, key: str, now_s: float) -> None:
        """Take note that a key has just done its work."""
        self._key = key
        self._hold = HoldDetector(self._hold.timing)
        self._hold.event(now_s)

    def swallows(self, key: str, now_s: float) -> bool:
        """Say whether an event is of the spent key, which was not let go since."""
        if key != self._key or self._hold.released(now_s):
            self._key = None
            return False
        self._hold.event(now_s)
        return True
