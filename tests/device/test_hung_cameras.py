"""Cameras that are there and see nothing any more: they do not answer, or repeat themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from support.fakes import FakeClock
from support.reading import Opener, ScriptedSource, grey, take, wait_until

from edge_classifier.device.incoming import TroubleLog
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import CameraHungError, CameraLostError, CameraNotFoundError

if TYPE_CHECKING:
    import pytest

    from edge_classifier.device.preprocessing import Image


def noisy(seed: int) -> Image:
    return np.random.default_rng(seed).integers(1, 255, (8, 8, 3), np.uint8)


def give_again_and_again(
    source: ScriptedSource, reader: FrameReader, clock: FakeClock, image: Image, step_s: float
) -> str:
    """Let a camera give the same picture 20 times; returns what is said then."""
    for _ in range(20):
        source.give(image.copy())
        take(reader)
        clock.advance(step_s)
    assert (reader.state.status, reader.state.frozen) == (SourceStatus.RUNNING, step_s >= 0.5)
    return reader.state.text


def test_a_camera_that_repeats_the_very_same_picture_is_told_until_it_gives_another() -> None:
    source, clock = ScriptedSource(), FakeClock()
    with FrameReader(
        lambda: source, name="camera 0", clock=clock, check_pictures=True, stall_s=9.0
    ) as reader:
        assert give_again_and_again(source, reader, clock, noisy(1), step_s=0.1) == ""
        said = give_again_and_again(source, reader, clock, noisy(2), step_s=0.5)
        assert said == "camera 0 gives the very same picture again and again; is it frozen?"
        source.give(noisy(3))
        take(reader)
        assert reader.state == SourceState(SourceStatus.RUNNING)


def test_the_log_of_a_device_tells_of_a_frozen_camera_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = FakeClock()
    log = TroubleLog("camera 0", settle_s=2.0, clock=clock)
    frozen = SourceState(
        SourceStatus.RUNNING, "camera 0 repeats itself; is it frozen?", frozen=True
    )
    for state in (frozen, frozen, SourceState(SourceStatus.RUNNING)):
        log.update(state)
    clock.advance(2.0)
    log.update(SourceState(SourceStatus.RUNNING))
    said = capsys.readouterr().err.splitlines()
    assert said == ["camera 0 repeats itself; is it frozen?", "camera 0 is back."]


def test_a_camera_whose_read_never_returns_is_given_up_where_that_is_wanted() -> None:
    source, clock = ScriptedSource(), FakeClock()
    with FrameReader(lambda: source, name="camera 0", clock=clock, hung_s=30.0) as reader:
        source.give(grey(1))
        take(reader)
        clock.advance(30.0)
        seen = [reader.state.status]
        clock.advance(1.0)
        seen += [reader.state.status for _ in range(10)]
        assert seen == [SourceStatus.STALLED] * 10 + [SourceStatus.FAILED]
        assert isinstance(reader.first_error, CameraHungError)
        assert str(reader.first_error) == (
            "camera 0 has not answered for 31 s; starting this again may help."
        )


def test_a_camera_that_hung_and_cannot_be_opened_again_is_given_up_and_an_absent_one_is_not() -> (
    None
):
    for loss, status in (
        (CameraHungError("camera 0 has not answered for 5 s"), SourceStatus.FAILED),
        (CameraLostError("camera 0 is gone"), SourceStatus.LOST),
    ):
        source, clock = ScriptedSource(), FakeClock()
        opener = Opener(source, CameraNotFoundError("camera 0 is busy"))
        with FrameReader(opener, clock=clock, retry_s=0.0, hung_s=30.0) as reader:
            source.give(grey(1))
            take(reader)
            source.fail(loss)
            wait_until(lambda opener=opener: opener.opened > 3)  # type: ignore[misc] # mypy knows no defaults of lambdas
            clock.advance(31.0)
            assert [reader.state.status for _ in range(20)][-1] is status


def test_a_process_that_stood_still_gives_no_camera_up() -> None:
    source, clock = ScriptedSource(), FakeClock()
    with FrameReader(lambda: source, clock=clock, hung_s=30.0) as reader:
        source.give(grey(1))
        take(reader)
        clock.advance(3600.0)
        seen = [reader.state.status]
        source.give(grey(2))
        take(reader)
        seen.append(reader.state.status)
        assert seen == [SourceStatus.STALLED, SourceStatus.RUNNING]


def test_a_camera_that_hung_and_came_back_is_trusted_again() -> None:
    first, second, clock = ScriptedSource(), ScriptedSource(), FakeClock()
    opener = Opener(first, second)
    with FrameReader(opener, clock=clock, retry_s=0.0, hung_s=30.0) as reader:
        first.give(grey(1))
        take(reader)
        clock.advance(20.0)
        first.fail(CameraHungError("camera 0 has not answered for 20 s"))
        second.give(grey(2))
        take(reader)
        clock.advance(20.0)
        assert reader.state.status is SourceStatus.STALLED


def test_a_camera_that_hung_and_is_then_in_the_dark_has_answered() -> None:
    first, second, clock = ScriptedSource(), ScriptedSource(), FakeClock()
    dark = np.zeros((8, 8, 3), np.uint8)
    with FrameReader(
        Opener(first, second), clock=clock, retry_s=0.0, hung_s=30.0, check_pictures=True
    ) as reader:
        first.give(noisy(1))
        take(reader)
        clock.advance(20.0)
        first.fail(CameraHungError("camera 0 has not answered for 20 s"))
        for number in (1, 2):
            second.give(dark)
            wait_until(lambda number=number: second.done == number)  # type: ignore[misc] # mypy knows no defaults of lambdas
            clock.advance(20.0)
        second.give(dark)
        wait_until(lambda: second.done == 3)
        assert [reader.state.status for _ in range(20)] == [SourceStatus.UNUSABLE] * 20
