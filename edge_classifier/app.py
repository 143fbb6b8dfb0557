"""Where everything is joined: the loop that takes frames, steps the session and shows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from edge_classifier.frame import Frame, Image
    from edge_classifier.protocols import Clock, Display
    from edge_classifier.session import Session
    from edge_classifier.source_state import SourceState
    from edge_classifier.view import View

REFRESH_S: Final = 1 / 60
"""Shown pictures are at least this far apart: no screen shows more, and drawing is not free."""


class FrameFeed(Protocol):
    """Gives the newest frame; `adapters.reader.NewestFrameReader` is one."""

    @property
    def state(self) -> SourceState:
        """How the source is doing."""

    def take(self, timeout_s: float) -> Frame | None:
        """Take a frame that was not taken before, waiting at most so long."""


class Painter(Protocol):
    """Turns a view into a picture; `overlay.Overlay` is one."""

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

    Args:
        session: The state machine.
        feed: Where frames come from.
        painter: Draws.
        display: Shows, and hears keys.
        clock: Monotonic seconds.
    """
    next_shown_s = clock()
    key: str | None = None
    while True:
        frame = feed.take(max(0.0, next_shown_s - clock()))
        view = session.step(frame, key, feed.state)
        key = None
        if view.done:
            return
        now = clock()
        if now >= next_shown_s:
            key = display.show(painter.draw(view))
            finished = clock()
            session.rates.add_drawing((finished - now) * 1000)
            next_shown_s = max(next_shown_s + REFRESH_S, finished)
