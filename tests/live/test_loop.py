from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import pytest
from support.fakes import FakeClock, FakeDisplay
from support.live_session import FRAME_S, RUNNING, LiveSession, scene

from edge_classifier.device.frame import Frame
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import CameraNotFoundError, EdgeClassifierError
from edge_classifier.live.display import CLOSE, Event, Press
from edge_classifier.live.loop import LONGEST_WAIT_S, REFRESH_S, SHOWING_SHARE, run
from edge_classifier.live.view import View


class Feed:
    """Gives frames at a rate, or at once; waiting lets the clock pass."""

    def __init__(self, clock: FakeClock, frames: int, *, period_s: float) -> None:
        self._clock = clock
        self._left = frames
        self._period_s = period_s
        self._next_s = 0.0
        self.taken = 0
        self.taken_s = 0.0
        self._state = RUNNING
        self.first_error: EdgeClassifierError | None = None

    @property
    def state(self) -> SourceState:
        """Asked once a frame, after the wait for it: here passes the time to infer on it."""
        self._clock.advance(0.001)
        return self._state

    def take(self, timeout_s: float) -> Frame | None:
        if not self._left:
            self._state = SourceState(SourceStatus.ENDED, "the video has ended")
        if not self._left or self._next_s > self._clock() + timeout_s:
            self._clock.advance(timeout_s)
            return None
        self._clock.advance(max(0.0, self._next_s - self._clock()))
        self.taken_s = max(self._next_s, 0.0)
        self._next_s += self._period_s
        self._left -= 1
        self.taken += 1
        return Frame(scene(1, self.taken), self.taken, self._clock())


class SlowDisplay(FakeDisplay):
    """Showing takes some time, as a window does."""

    def __init__(self, clock: FakeClock, pictures: int, showing_s: float) -> None:
        super().__init__([*repeat(None, pictures), "q"], keep=pictures + 1)
        self._clock = clock
        self._showing_s = showing_s

    def show(self, view: View) -> None:
        self._clock.advance(self._showing_s)
        super().show(view)


def test_every_frame_of_a_camera_is_shown(live: LiveSession) -> None:
    feed = Feed(live.clock, 60, period_s=FRAME_S)
    display = SlowDisplay(live.clock, 200, 0.003)
    run(live.session, feed, display, clock=live.clock)
    shown = {id(view.image) for view in display.views if view.image is not None}
    assert len(shown) == 60


def test_pictures_are_shown_and_keys_heard_while_no_frame_comes(live: LiveSession) -> None:
    feed = Feed(live.clock, 0, period_s=FRAME_S)
    display = FakeDisplay([None, "h", None, "q"])
    run(live.session, feed, display, clock=live.clock)
    assert len(display.views) == 4
    assert display.views[2].help_lines
    assert display.views[-1].message is not None
    assert display.views[-1].message.text == "the video has ended"


def test_a_picture_is_shown_once_while_nothing_else_happens(live: LiveSession) -> None:
    feed = Feed(live.clock, 60, period_s=FRAME_S)
    display = SlowDisplay(live.clock, 63, 0.001)
    run(live.session, feed, display, clock=live.clock)
    assert feed.taken >= 59


def test_a_new_frame_is_shown_at_once_at_a_cameras_pace(live: LiveSession) -> None:
    feed = Feed(live.clock, 60, period_s=FRAME_S)
    shown: list[object] = []
    delays: list[float] = []

    class Watch(SlowDisplay):
        def show(self, view: View) -> None:
            super().show(view)
            if not shown or view.image is not shown[-1]:
                shown.append(view.image)
                delays.append(live.clock() - feed.taken_s)

    run(live.session, feed, Watch(live.clock, 60, 0.001), clock=live.clock)
    assert max(delays[1:]) < 0.004  # its own time, that of showing, and no wait for a screen


def test_no_more_is_shown_than_a_screen_can(live: LiveSession) -> None:
    feed = Feed(live.clock, 0, period_s=FRAME_S)
    before = live.clock()
    run(live.session, feed, SlowDisplay(live.clock, 30, 0.001), clock=live.clock)
    assert live.clock() - before >= 29 * REFRESH_S


def test_showing_leaves_the_time_to_frames_that_are_waiting(live: LiveSession) -> None:
    feed = Feed(live.clock, 100_000, period_s=0.0)
    before = live.clock()
    run(live.session, feed, SlowDisplay(live.clock, 20, 0.003), clock=live.clock)
    showing_s = 21 * 0.003
    assert showing_s / (live.clock() - before) == pytest.approx(SHOWING_SHARE, abs=0.02)
    assert feed.taken > 600


class Typist(FakeDisplay):
    """Keys are typed at their times, whether or not anybody asks for them."""

    def __init__(self, clock: FakeClock, typed: list[tuple[float, str]], end_s: float) -> None:
        super().__init__(repeat(None))
        self._clock = clock
        self._typed = typed
        self._end_s = end_s

    def show(self, view: View) -> None:
        self._clock.advance(0.004)
        super().show(view)

    def events(self) -> Sequence[Event]:
        if self._clock() > self._end_s:
            return [Press(CLOSE)]
        while self._typed and self._typed[0][0] <= self._clock():
            self.press(self._typed.pop(0)[1])
        return super().events()


@pytest.mark.parametrize(
    ("frames", "period_s"),
    [(0, FRAME_S), (90, FRAME_S), (100_000, 0.0)],
    ids=["no camera", "30 frames a second", "frames are waiting"],
)
def test_a_name_typed_at_20_ms_a_key_is_heard_whole(
    live: LiveSession, frames: int, period_s: float
) -> None:
    name = "the quick brown fox jumps"
    typed = [(1.0 + n * 0.020, key) for n, key in enumerate(["+", *name, "enter"])]
    feed = Feed(live.clock, frames, period_s=period_s)
    run(live.session, feed, Typist(live.clock, typed, 3.0), clock=live.clock)
    assert live.session.dataset.class_names == ("mug", "phone", name)


def test_a_slow_screen_is_still_served_twenty_times_a_second(live: LiveSession) -> None:
    feed = Feed(live.clock, 100_000, period_s=0.0)
    before = live.clock()
    run(live.session, feed, SlowDisplay(live.clock, 20, 0.020), clock=live.clock)
    assert (live.clock() - before) / 21 == pytest.approx(LONGEST_WAIT_S + 0.020, abs=0.005)


def test_a_source_that_never_opened_ends_in_its_error(live: LiveSession) -> None:
    feed = Feed(live.clock, 0, period_s=FRAME_S)
    feed.first_error = CameraNotFoundError("no camera 7")
    with pytest.raises(CameraNotFoundError, match="no camera 7"):
        run(live.session, feed, FakeDisplay(), clock=live.clock)
