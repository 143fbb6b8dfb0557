"""Where everything is joined: the loop that takes frames, steps the session and shows it."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, Protocol

from edge_classifier.learning.training import use_one_thread

if TYPE_CHECKING:
    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.errors import EdgeClassifierError
    from edge_classifier.live.session import Session
    from edge_classifier.live.view import View
    from edge_classifier.protocols import Display

REFRESH_S: Final = 1 / 60
"""Shown pictures are at least this far apart: no screen shows more, and drawing is not free."""

SHOWING_SHARE: Final = 0.07
"""Of the time, at most, while frames are waiting to be inferred on; HighGUI alone sleeps for
about 2 ms a picture. A loop that has time to spare shows every frame."""

LONGEST_WAIT_S: Final = 0.05
"""A slow machine shows this often all the same: what moves should be seen to move."""

LISTENING_S: Final = 0.012
"""A window has one slot for a key, so it is asked this often; fast typists reach 30 ms a key."""

ALERT_S: Final = 2.0
"""For so long after a key others may follow fast, and are listened for although frames wait."""


SWITCH_S: Final = 0.0005
"""So soon a worker that computes in Python lets the picture go on, which takes up the interpreter
several times a frame. With Python's own 5 ms the longest gap while a bundle was exported was 77 ms,
with this 51, as without an export."""


class FrameFeed(Protocol):
    """Gives the newest frame; `device.reader.FrameReader` is one."""

    @property
    def state(self) -> SourceState:
        """How the source is."""

    @property
    def first_error(self) -> EdgeClassifierError | None:
        """Why the source could not be opened in the first place, if that is so."""

    def take(self, timeout_s: float) -> Frame | None:
        """Take a frame that was not taken before, waiting at most so long."""


class Painter(Protocol):
    """Turns a view into a picture; `screen.overlay.Overlay` is one."""

    def draw(self, view: View) -> Image:
        """Draw the view, `(H, W, 3)` uint8 BGR."""


def run(
    session: Session,
    feed: FrameFeed,
    painter: Painter,
    display: Display,
    *,
    clock: Clock = time.monotonic,
) -> None:
    """Run a session until its user ends it.

    Every frame is inferred on; pictures are drawn and shown at most at the refresh rate, and
    also while no frame comes, so that keys are always heard.

    Raises:
        EdgeClassifierError: if the source could not be opened in the first place.
    """
    use_one_thread()
    sys.setswitchinterval(SWITCH_S)
    pace = _Pace(clock())
    keys = _KeyListener(display, clock)
    while True:
        frame = keys.wait_for_frame(feed, pace.wait_s(clock()))
        pace.waited(clock())
        *earlier, key = keys.heard()
        for one in earlier:
            session.advance(None, one)
        session.advance(frame, key, feed.state)
        if session.done:
            return
        if feed.first_error is not None:
            raise feed.first_error
        started_s = clock()
        if pace.due(started_s):
            keys.hear(display.show(painter.draw(session.view())))
            showing_ms = pace.shown(started_s, clock())
            session.rates.add_drawing(showing_ms)


class _KeyListener:
    """Listens for keys, also while a frame is waited for."""

    def __init__(self, display: Display, clock: Clock) -> None:
        self._display = display
        self._clock = clock
        self._keys: list[str] = []
        self._listened_s = clock()
        self._alert_until_s = clock()

    def wait_for_frame(self, feed: FrameFeed, timeout_s: float) -> Frame | None:
        """Take a frame that was not taken before, waiting at most so long."""
        end_s = self._clock() + timeout_s
        if self._clock() < self._alert_until_s and self._silence_s() >= LISTENING_S:
            self._listen()
        while True:
            left_s = end_s - self._clock()
            frame = feed.take(max(0.0, min(left_s, LISTENING_S - self._silence_s())))
            if frame is not None or end_s - self._clock() <= 0:
                return frame
            self._listen()

    def hear(self, key: str | None) -> None:
        """Take note of what the display has just heard."""
        self._listened_s = self._clock()
        if key is not None:
            self._keys.append(key)
            self._alert_until_s = self._listened_s + ALERT_S

    def heard(self) -> list[str | None]:
        """Return what was heard since the last call, at least one `None`."""
        keys, self._keys = self._keys, []
        return [*keys] or [None]

    def _listen(self) -> None:
        self.hear(self._display.poll())

    def _silence_s(self) -> float:
        return self._clock() - self._listened_s


class _Pace:
    """Decides when the next picture is shown; all times are seconds of a monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self._next_s = now_s  # not before the screen can show another one
        self._overdue_s = now_s  # from here on even if frames are waiting
        self._showing_s = 0.0
        self._asked_s = now_s
        self._spare_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return for how long a frame may be waited for."""
        self._asked_s = now_s
        spared = self._spare_s >= self._showing_s
        return max(0.0, (self._next_s if spared else self._overdue_s) - now_s)

    def due(self, now_s: float) -> bool:
        """Say whether to show a picture now."""
        return now_s >= self._next_s and (
            self._spare_s >= self._showing_s or now_s >= self._overdue_s
        )

    def waited(self, now_s: float) -> None:
        """Take note that the wait for a frame is over."""
        self._spare_s += now_s - self._asked_s

    def shown(self, started_s: float, now_s: float) -> float:
        """Take note of a picture that was shown; returns how many milliseconds it took."""
        self._showing_s, self._spare_s = now_s - started_s, 0.0
        self._next_s = max(self._next_s + REFRESH_S, now_s)
        patience_s = min(LONGEST_WAIT_S, self._showing_s * (1 / SHOWING_SHARE - 1))
        self._overdue_s = max(self._next_s, now_s + patience_s)
        return self._showing_s * 1000
