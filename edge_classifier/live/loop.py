"""Where everything is joined: the loop that takes frames, steps the session and shows it."""

from __future__ import annotations

import sys
import time
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from edge_classifier.learning.training import use_one_thread

if TYPE_CHECKING:
    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.errors import EdgeClassifierError
    from edge_classifier.live.display import Display
    from edge_classifier.live.others import Others
    from edge_classifier.live.session import Session

REFRESH_S: Final = 1 / 60
"""Shown pictures are at least this far apart: no screen shows more, and drawing is not free."""

SHOWING_SHARE: Final = 0.07
"""Of the time, at most, while frames are waiting to be inferred on. A loop that has time to spare
shows every frame."""

LONGEST_WAIT_S: Final = 0.05
"""A slow machine shows this often all the same: what moves should be seen to move."""

UNCHANGED_S: Final = 0.1
"""While no frame comes and nothing is pressed it is shown so often: messages go, work goes on. More
often would keep a frame waiting that comes meanwhile."""

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


def run(
    session: Session,
    feed: FrameFeed,
    display: Display,
    *,
    others: Others | None = None,
    clock: Clock = time.monotonic,
) -> None:
    """Run a session until its user ends it.

    Every frame is inferred on; pictures are drawn and shown at most at the refresh rate, and some
    times a second while no frame comes; what is pressed is heard between any two frames.

    Raises:
        EdgeClassifierError: if the source could not be opened in the first place.
    """
    use_one_thread()
    sys.setswitchinterval(SWITCH_S)
    pace = _Pace(clock())
    while True:
        frame = feed.take(pace.wait_s(clock()))
        pace.waited(clock())
        # Others' are made only once the display's are done: these may have opened a question.
        for event in chain(display.events(), others.events(session) if others else ()):
            session.advance(None, event)
            pace.has_news = True
        pace.has_news |= frame is not None
        session.advance(frame, None, feed.state)
        if others:
            others.tell(session, frame, feed.state)
        if session.done:
            return
        if feed.first_error is not None:
            raise feed.first_error
        started_s = clock()
        if pace.due(started_s):
            display.show(session.view())
            showing_ms = pace.shown(started_s, clock())
            session.rates.add_drawing(showing_ms)


class _Pace:
    """Decides when the next picture is shown; all times are seconds of a monotonic clock."""

    def __init__(self, now_s: float) -> None:
        self._next_s = now_s  # not before the screen can show another one
        self._overdue_s = now_s  # from here on even if frames are waiting
        self._showing_s = 0.0
        self._unchanged_s = now_s  # from here on even if there are no news
        self._asked_s = now_s
        self._spare_s = 0.0
        self.has_news = True
        """Whether anything has happened since the last picture."""

    def wait_s(self, now_s: float) -> float:
        """Return for how long a frame may be waited for."""
        self._asked_s = now_s
        if not self.has_news:  # what is pressed is to be heard
            return REFRESH_S
        spared = self._spare_s >= self._showing_s
        return max(0.0, (self._next_s if spared else self._overdue_s) - now_s)

    def due(self, now_s: float) -> bool:
        """Say whether to show a picture now."""
        if not self.has_news and now_s < self._unchanged_s:
            return False
        return now_s >= self._next_s and (
            self._spare_s >= self._showing_s or now_s >= self._overdue_s
        )

    def waited(self, now_s: float) -> None:
        """Take note that the wait for a frame is over."""
        self._spare_s += now_s - self._asked_s

    def shown(self, started_s: float, now_s: float) -> float:
        """Take note of a picture that was shown; returns how many milliseconds it took."""
        self._showing_s, self._spare_s = now_s - started_s, 0.0
        self.has_news, self._unchanged_s = False, now_s + UNCHANGED_S
        self._next_s = max(self._next_s + REFRESH_S, now_s)
        patience_s = min(LONGEST_WAIT_S, self._showing_s * (1 / SHOWING_SHARE - 1))
        self._overdue_s = max(self._next_s, now_s + patience_s)
        return self._showing_s * 1000
