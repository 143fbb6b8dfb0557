from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.fakes import FakeClock, FakeSource
from support.reading import DEADLINE_S, Opener, ScriptedSource, grey, take, wait_until

from edge_classifier.device.frame import Frame
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import CameraError, CameraLostError, CameraNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.device.preprocessing import Image

BLACK = np.zeros((8, 8, 3), np.uint8)


def value_of(frame: Frame) -> int:
    return int(frame.image[0, 0, 0])


def test_a_frame_is_taken_once() -> None:
    source = ScriptedSource()
    with FrameReader(lambda: source) as reader:
        source.give(grey(1))
        assert value_of(take(reader)) == 1
        assert reader.take(0.0) is None


def test_only_the_newest_frame_is_kept() -> None:
    source = ScriptedSource()
    with FrameReader(lambda: source) as reader:
        source.give(*(grey(value) for value in range(5)))
        wait_until(lambda: source.done == 5)
        frame = take(reader)
        assert (value_of(frame), frame.index) == (4, 4)
        source.end()


def test_waiting_for_a_frame_ends_as_soon_as_it_arrives() -> None:
    source = ScriptedSource()
    with FrameReader(lambda: source) as reader:
        wait_until(lambda: reader.description == source.description)
        started_s = time.monotonic()
        threading.Timer(0.05, lambda: source.give(BLACK)).start()
        take(reader)
        assert time.monotonic() - started_s < DEADLINE_S / 2


def test_waiting_for_a_frame_that_does_not_come_ends_in_time() -> None:
    source = ScriptedSource()
    with FrameReader(lambda: source) as reader:
        assert reader.take(0.01) is None


def test_without_dropping_every_frame_is_delivered_exactly_once_and_in_order() -> None:
    images = [grey(value) for value in range(200)]
    with FrameReader(lambda: FakeSource(images), drop=False) as reader:
        taken = []
        while reader.state.status is not SourceStatus.ENDED:
            frame = reader.take(DEADLINE_S)
            if frame is not None:
                taken.append((frame.index, value_of(frame)))
    assert taken == [(value, value) for value in range(200)]


def test_without_dropping_the_source_waits_for_the_consumer_and_is_not_called_stalled() -> None:
    clock = FakeClock()
    pulled = 0

    def images() -> Iterator[Image]:
        nonlocal pulled
        while True:
            pulled += 1
            yield BLACK

    with FrameReader(lambda: FakeSource(images()), clock=clock, drop=False) as reader:
        take(reader)
        wait_until(lambda: pulled == 3)  # one that waits to be taken, one that waits behind it
        wait_until(lambda: reader._waiting_since_s is None)
        clock.advance(3600)
        assert reader.state.status is SourceStatus.RUNNING
        assert pulled == 3


def test_without_dropping_as_many_frames_may_wait_as_are_wanted_ahead() -> None:
    source = FakeSource([grey(value) for value in range(20)])
    with FrameReader(lambda: source, drop=False, ahead=4) as reader:
        wait_until(lambda: reader._waiting_since_s is None and len(reader._frames) == 4)
        assert [value_of(take(reader)) for _ in range(20)] == list(range(20))


def test_what_is_prepared_beforehand_comes_with_its_frame() -> None:
    images = [grey(1), grey(2)]
    with FrameReader(lambda: FakeSource(images), drop=False, prepare=lambda i: i + 1) as reader:
        frames = [take(reader) for _ in images]
    assert [int(frame.prepared[0, 0, 0]) for frame in frames if frame.prepared is not None] == [
        2,
        3,
    ]
    assert all(frame.prepare_ms >= 0 for frame in frames)


def test_a_source_that_is_not_opened_again_is_given_up_with_its_error() -> None:
    opener = Opener(FakeSource([BLACK], fails_after=1), FakeSource([BLACK]))
    with FrameReader(opener, reopen=False, retry_s=0.0) as reader:
        wait_until(lambda: reader.state.status is SourceStatus.FAILED)
        assert isinstance(reader.first_error, CameraLostError)
    assert opener.opened == 1


def test_a_source_that_is_slow_to_open_keeps_nobody_waiting() -> None:
    may_open = threading.Event()

    def open_slowly() -> FrameSource:
        assert may_open.wait(DEADLINE_S)
        return FakeSource([BLACK])

    with FrameReader(open_slowly, name="camera 0") as reader:
        assert reader.take(0.0) is None
        assert reader.state == SourceState(SourceStatus.OPENING, "opening camera 0")
        may_open.set()
        assert take(reader).index == 0


def test_a_source_that_was_never_there_fails_with_its_own_error_and_is_not_tried_again() -> None:
    error = CameraNotFoundError("There is no camera 3.")
    opener = Opener(error, FakeSource([BLACK]))
    with FrameReader(opener, retry_s=0.0) as reader:
        wait_until(lambda: reader.state.status is SourceStatus.FAILED)
        assert reader.first_error is error
        assert reader.state.text == "There is no camera 3."
        assert reader.take(0.0) is None
    assert opener.opened == 1


def test_a_driver_that_raises_its_own_error_on_opening_is_one_line_too() -> None:
    opener = Opener(cv2.error("unknown\nthing\n"))
    with FrameReader(opener, name="camera 0") as reader:
        wait_until(lambda: reader.state.status is SourceStatus.FAILED)
        assert isinstance(reader.first_error, CameraError)
        assert reader.state.text == "camera 0 cannot be opened (error: unknown)."


def test_a_video_that_ends_gives_its_last_frame_before_it_says_so() -> None:
    with FrameReader(lambda: FakeSource([grey(1)]), drop=True) as reader:
        wait_until(lambda: reader._status is SourceStatus.ENDED)
        assert reader.state.status is SourceStatus.RUNNING
        assert value_of(take(reader)) == 1
        assert reader.state == SourceState(SourceStatus.ENDED, "the video has ended")


def test_an_end_wakes_who_waits_for_a_frame() -> None:
    source = ScriptedSource()
    with FrameReader(lambda: source) as reader:
        source.give(BLACK)
        take(reader)
        started_s = time.monotonic()
        threading.Timer(0.05, source.end).start()
        assert reader.take(DEADLINE_S) is None
        assert time.monotonic() - started_s < DEADLINE_S / 2


def test_after_the_end_waiting_takes_its_time_so_that_a_loop_does_not_spin() -> None:
    with FrameReader(lambda: FakeSource([])) as reader:
        wait_until(lambda: reader.state.status is SourceStatus.ENDED)
        started_s = time.monotonic()
        assert reader.take(0.02) is None
        assert time.monotonic() - started_s >= 0.02


def test_a_lost_camera_is_said_and_goes_on_by_itself_with_increasing_indices() -> None:
    first, second = ScriptedSource(), ScriptedSource()
    opener = Opener(first, CameraNotFoundError("no camera 0"), second)
    with FrameReader(opener, name="camera 0", retry_s=0.001) as reader:
        first.give(grey(1))
        assert take(reader).index == 0
        first.give(grey(2))
        assert take(reader).index == 1
        first.fail(CameraLostError("camera 0 is gone"))
        wait_until(lambda: reader.state.status is SourceStatus.LOST)
        assert reader.state.text == "camera 0 is gone; waiting for it to come back"
        second.give(grey(3))
        frame = take_after_loss(reader)
        assert (value_of(frame), frame.index) == (3, 2)
        assert reader.state == SourceState(SourceStatus.RUNNING, "")
    assert first.closed
    assert second.closed


def take_after_loss(reader: FrameReader) -> Frame:
    frames: list[Frame] = []

    def arrived() -> bool:
        frame = reader.take(DEADLINE_S)
        if frame is not None:
            frames.append(frame)
        return bool(frames)

    wait_until(arrived)
    return frames[0]


def test_a_lost_camera_is_closed_before_it_is_opened_again() -> None:
    first = ScriptedSource()
    closed_when_opened_again: list[int] = []

    def open_source() -> FrameSource:
        closed_when_opened_again.append(first.closed)
        return first if len(closed_when_opened_again) == 1 else FakeSource([BLACK])

    with FrameReader(open_source, retry_s=0.0) as reader:
        first.fail(CameraLostError("gone"))
        take_after_loss(reader)
    assert closed_when_opened_again == [0, 1]


@pytest.mark.parametrize(
    "error",
    [
        cv2.error("(-215) assertion\nin some function\n"),
        OSError(19, "No such device"),
        ValueError("half a frame"),
        MemoryError(),
        StopIteration("inside a generator"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_source_raises_is_a_loss_that_is_said_and_recovered_from(
    error: Exception,
) -> None:
    first, second = ScriptedSource(), ScriptedSource()
    with FrameReader(Opener(first, second), name="camera 0", retry_s=0.2) as reader:
        first.fail(error)
        wait_until(lambda: reader.state.status is SourceStatus.LOST)
        assert reader.state.text.startswith("camera 0 has stopped working (")
        assert reader.state.text.endswith("; waiting for it to come back")
        assert "\n" not in reader.state.text
        second.give(BLACK)
        take_after_loss(reader)
        assert reader.first_error is None


def test_a_source_that_gives_something_else_than_frames_is_a_loss() -> None:
    class Broken(FakeSource):
        def __iter__(self) -> Iterator[Frame]:
            yield None  # type: ignore[misc]  # what a broken driver might do

    opener = Opener(FakeSource([BLACK], fails_after=1), Broken([]), FakeSource([grey(9)]))
    with FrameReader(opener, retry_s=0.0, drop=False) as reader:
        take(reader)
        assert value_of(take_after_loss(reader)) == 9


def test_a_source_may_change_its_size_in_mid_stream() -> None:
    images = [BLACK, np.zeros((16, 4, 3), np.uint8)]
    with FrameReader(lambda: FakeSource(images), drop=False) as reader:
        assert [take(reader).image.shape for _ in images] == [(8, 8, 3), (16, 4, 3)]


def test_a_camera_that_stalls_is_said_and_runs_again_with_its_next_frame() -> None:
    clock = FakeClock()
    source = ScriptedSource()
    with FrameReader(lambda: source, name="camera 0", clock=clock, stall_s=2.0) as reader:
        source.give(BLACK)
        take(reader)
        clock.advance(2.0)
        assert reader.state.status is SourceStatus.RUNNING
        clock.advance(1.0)
        assert reader.state == SourceState(SourceStatus.STALLED, "no picture from camera 0 for 3 s")
        source.give(BLACK)
        take(reader)
        assert reader.state == SourceState(SourceStatus.RUNNING, "")


def test_a_camera_that_opens_and_never_gives_a_frame_has_stalled() -> None:
    clock = FakeClock()
    source = ScriptedSource()
    with FrameReader(lambda: source, clock=clock) as reader:
        wait_until(lambda: reader.description == source.description)
        clock.advance(5)
        assert reader.state.status is SourceStatus.STALLED


def test_closing_ends_the_thread_and_releases_the_source_and_may_be_done_twice() -> None:
    before = set(threading.enumerate())
    source = ScriptedSource()
    reader = FrameReader(lambda: source)
    source.give(BLACK)
    take(reader)
    reader.close()
    reader.close()
    assert set(threading.enumerate()) <= before
    assert source.closed
    assert reader.take(DEADLINE_S) is None


def test_closing_does_not_wait_for_the_next_attempt_to_open() -> None:
    source = FakeSource([], fails_after=0)
    reader = FrameReader(lambda: source, retry_s=3600)
    wait_until(lambda: reader.state.status is SourceStatus.LOST)
    started_s = time.monotonic()
    reader.close()
    assert time.monotonic() - started_s < 1
    assert not reader._thread.is_alive()


def test_a_source_that_opens_after_the_reader_was_closed_is_closed_too() -> None:
    may_open, source = threading.Event(), ScriptedSource()

    def open_slowly() -> FrameSource:
        assert may_open.wait(DEADLINE_S)
        return source

    reader = FrameReader(open_slowly)
    closer = threading.Thread(target=reader.close)
    closer.start()
    wait_until(lambda: reader._closing)
    may_open.set()
    closer.join(DEADLINE_S)
    wait_until(lambda: source.closed > 0)
    reader._thread.join(DEADLINE_S)
    assert not reader._thread.is_alive()


def test_closing_wakes_who_waits_for_a_frame() -> None:
    source = ScriptedSource()
    reader = FrameReader(lambda: source)
    threading.Timer(0.05, reader.close).start()
    started_s = time.monotonic()
    assert reader.take(DEADLINE_S) is None
    assert time.monotonic() - started_s < DEADLINE_S / 2
    reader.close()


def test_closing_ends_a_thread_that_waits_for_its_frame_to_be_taken() -> None:
    reader = FrameReader(lambda: FakeSource([BLACK] * 9), drop=False)
    wait_until(lambda: reader._waiting_since_s is None and bool(reader._frames))
    reader.close()
    assert not reader._thread.is_alive()


def test_a_video_in_a_loop_goes_on_from_its_beginning_as_if_it_were_one() -> None:
    images = [grey(value) for value in range(3)]
    with FrameReader(lambda: FakeSource(images), drop=False, loop=True) as reader:
        taken = [take(reader) for _ in range(8)]
        assert [frame.index for frame in taken] == list(range(8))
        assert [value_of(frame) for frame in taken] == [0, 1, 2, 0, 1, 2, 0, 1]
        assert reader.state.status is SourceStatus.RUNNING
        assert reader.state.passes >= 2


def test_a_loop_of_nothing_ends() -> None:
    with FrameReader(lambda: FakeSource([]), loop=True) as reader:
        wait_until(lambda: reader.state.status is SourceStatus.ENDED)


def test_a_video_that_has_ended_begins_again_when_it_is_asked_to() -> None:
    with FrameReader(lambda: FakeSource([grey(1), grey(2)]), drop=False) as reader:
        assert [value_of(take(reader)) for _ in range(2)] == [1, 2]
        wait_until(lambda: reader.state.status is SourceStatus.ENDED)
        reader.begin_again()
        reader.begin_again()  # which it does already
        again = [take(reader) for _ in range(2)]
        assert [(frame.index, value_of(frame)) for frame in again] == [(2, 1), (3, 2)]
        wait_until(lambda: reader.state.status is SourceStatus.ENDED)
        assert reader.state.passes == 1


def test_a_video_that_has_gone_meanwhile_is_told_and_can_be_tried_once_more() -> None:
    gone = CameraNotFoundError("There is no file 'clip.mp4'.")
    opener = Opener(FakeSource([grey(1)]), gone, FakeSource([grey(2)]))
    with FrameReader(opener, drop=False) as reader:
        take(reader)
        wait_until(lambda: reader.state.status is SourceStatus.ENDED)
        reader.begin_again()
        wait_until(lambda: reader.state.text == str(gone))
        assert reader.state.status is SourceStatus.ENDED
        assert reader.first_error is None
        reader.begin_again()
        assert value_of(take(reader)) == 2


def test_what_has_not_ended_or_is_closed_does_not_begin_again() -> None:
    opener = Opener(ScriptedSource())
    reader = FrameReader(opener)
    wait_until(lambda: opener.opened == 1)
    reader.begin_again()
    reader.close()
    reader.begin_again()
    assert opener.opened == 1
