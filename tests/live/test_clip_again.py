"""A video that has ended begins again, and what comes of it then was there before."""

from __future__ import annotations

from support.live_session import FRAME_S, RUNNING, LiveSession, scene

from edge_classifier.device.frame import Frame
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.live.display import Press, Release
from edge_classifier.live.recording import SAME_AGAIN
from edge_classifier.project.store import ProjectStore

ENDED = SourceState(SourceStatus.ENDED, "the video has ended")
AGAIN = SourceState(SourceStatus.RUNNING, passes=1)


def step(live: LiveSession, press: str | None = None, state: SourceState = ENDED) -> str:
    """Let something be pressed, and return what is said."""
    view = live.session.step(None, Press(press) if press else None, state)
    return view.message.text if view.message else ""


def test_the_end_of_a_video_says_how_it_begins_again_and_the_key_does_it(live: LiveSession) -> None:
    asked: list[None] = []
    live.session.may_begin_again(lambda: asked.append(None))
    assert step(live) == "the video has ended; R begins it again"
    assert [button.press for button in live.session.view().buttons] == [
        "u",
        "r",
        "a",
        "v",
        "e",
        "h",
    ]
    step(live, "r")
    assert len(asked) == 1


def test_the_end_of_a_video_stays_out_of_the_way_of_stored_pictures(live: LiveSession) -> None:
    live.session.may_begin_again(lambda: None)
    live.hold("1", thing=1)
    live.wait(6.0)  # all else that was said is gone
    assert step(live, "g") == ""
    assert step(live, "escape") == "the video has ended; R begins it again"


def test_what_has_not_ended_is_not_begun_again(live: LiveSession) -> None:
    live.session.may_begin_again(lambda: 1 / 0)  # type: ignore[arg-type]  # never called
    assert step(live, "r", RUNNING) == "there is no picture to choose a part of yet"


def test_a_hold_across_the_seam_is_one_burst(live: LiveSession, store: ProjectStore) -> None:
    frames(live, Press("1"), RUNNING)
    frames(live, None, RUNNING, 15)
    frames(live, None, AGAIN, 15)
    frames(live, Release("1"), AGAIN)
    assert len({sample.burst_id for sample in store.samples()}) == 1
    assert len(store.samples()) > 10


def test_recording_the_same_video_a_second_time_is_told_for_what_it_is(live: LiveSession) -> None:
    frames(live, Press("1"), AGAIN)
    assert SAME_AGAIN not in said(live), "nothing of it was recorded yet"
    frames(live, Release("1"), AGAIN)
    frames(live, Press("1"), AGAIN)
    assert SAME_AGAIN in said(live)


def frames(
    live: LiveSession, event: Press | Release | None, state: SourceState, count: int = 1
) -> None:
    for _ in range(count):
        frame = Frame(scene(1, live.index), live.index, live.clock())
        live.view = live.session.step(frame, event, state)
        live.index += 1
        live.clock.advance(FRAME_S)


def said(live: LiveSession) -> str:
    return live.view.message.text if live.view.message else ""
