"""A camera in trouble: the window goes on, says what is wrong, and keeps nothing that is wrong.

Here time is scripted: the reader's own thread reads one picture at each step, and the clock moves
only between them. `tools/endurance/camera_faults.py` plays the same in real time, and is tested
below.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from endurance import camera_faults
from support.fakes import (
    FakeBackbone,
    FakeClock,
    ImmediateExecutor,
    MisbehavingCamera,
    Misbehaviour,
)
from support.live_session import FRAME_S, load_fake, scene
from support.misbehaving import SAID

from edge_classifier.device.frame import FrameSource
from edge_classifier.device.picture_check import PictureCheck
from edge_classifier.device.preprocessing import Image, Preprocessing
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceStatus
from edge_classifier.device.sources.video_source import VideoSource
from edge_classifier.errors import CameraNotFoundError
from edge_classifier.live.display import Event, Press, Release
from edge_classifier.live.session import Session
from edge_classifier.live.view import Level, View
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.overlay import Overlay

DEADLINE_S = 20.0


def pictures_of(thing: int) -> list[Image]:
    return [scene(thing, n) for n in range(7)]


def small_backbone() -> FakeBackbone:
    """Make one whose input is as small as what it looks at, so that frames may be shrunk to it."""
    return FakeBackbone(info=replace(FakeBackbone().info, preprocessing=Preprocessing(12)))


class Rig:
    """A session on a misbehaving camera, through the real reader and its thread."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.camera = MisbehavingCamera(pictures_of(1), wait=self._until_told)
        self._told = threading.Semaphore(0)
        self._waits = threading.Event()
        self._over = False
        self.store = ProjectStore.create(folder / "project", ["mug", "phone"])
        self.session = Session(
            self.store,
            lambda _p, _c: load_fake(self.store, small_backbone()),
            executor=ImmediateExecutor(),
            clock=self.clock,
        )
        self.overlay = Overlay()
        self.reader = FrameReader(
            self._open,
            name="camera 0",
            clock=self.clock,
            retry_s=0.001,
            prepare=self.session.shrink,
            check_pictures=True,
        )
        self.view: View = self.step()

    def _until_told(self, _seconds: float) -> None:
        self._waits.set()
        if not self._over:
            self._told.acquire()

    def _open(self) -> FrameSource:
        capture = self.camera.open_capture()
        if not capture.isOpened():
            raise CameraNotFoundError("camera 0 cannot be opened.")
        return VideoSource(
            capture,
            name="camera 0",
            no_picture="camera 0 gives no picture.",
            lost_after_s=1.0,
            clock=self.clock,
            wait=lambda _s: None,
        )

    def _settle(self) -> None:
        """Wait until the reader's thread waits for us."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not self._waits.is_set():
            gone = self.camera.how is Misbehaviour.GONE
            if self.camera.stalling or (gone and self.reader.state.status is SourceStatus.LOST):
                return
            assert time.monotonic() < deadline_s, "the reader's thread hangs"
            threading.Event().wait(0.0005)

    def step(self, event: Event | None = None) -> View:
        """Let one frame's time pass: the camera gives one picture, if it can."""
        self._settle()
        if self._waits.is_set():
            self._waits.clear()
            self._told.release()
            self._settle()
        self.view = self.session.step(self.reader.take(0.0), event, self.reader.state)
        self.overlay.draw(self.view)
        self.clock.advance(FRAME_S)
        return self.view

    def steps(self, seconds: float) -> View:
        for _ in range(round(seconds / FRAME_S)):
            self.step()
        return self.view

    def hold(self, key: str, seconds: float) -> View:
        """Hold a key for some seconds."""
        self.step(Press(key))
        self.steps(seconds)
        return self.step(Release(key))

    def until(self, condition: Callable[[], bool]) -> View:
        deadline_s = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline_s, "it did not come to that"
            self.step()
        return self.view

    @property
    def stored(self) -> int:
        """Pictures on disk."""
        return len(list((self.store.path / "samples").rglob("*.jpg")))

    def stored_pictures(self) -> list[Image]:
        return [read_image(sample.path) for sample in self.store.samples()]

    def teach(self) -> None:
        """Capture two classes, so that there is a verdict."""
        for key, thing in (("1", 1), ("2", 2)):
            self.camera.show(*pictures_of(thing))
            self.steps(0.1)
            self.hold(key, 1.5)
            self.steps(1.0)
        assert self.view.banner is not None
        assert self.view.banner.label == "phone"

    def close(self) -> None:
        self.camera.behave()
        self._over = True
        self._told.release()
        self.reader.close()
        self.session.close()
        self.store.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.mark.parametrize("how", Misbehaviour, ids=lambda how: how.name.lower())
def test_every_fault_is_said_keeps_nothing_shows_no_verdict_and_passes(
    rig: Rig, how: Misbehaviour
) -> None:
    rig.teach()
    before = rig.stored
    rig.camera.misbehave(how)
    rig.step(Press("1"))  # a key is held all the while
    rig.steps(3.3)
    assert rig.view.message is not None
    assert re.fullmatch(SAID[how], rig.view.message.text), rig.view.message.text
    if how is Misbehaviour.STALL:
        assert rig.view.message.text == "no picture from camera 0 for 3 s"
    assert rig.view.message.level is Level.ERROR
    assert rig.view.banner is None
    assert all(card.score is None for card in rig.view.cards)
    assert not rig.view.activity.recording
    assert rig.stored == before

    rig.step(Release("1"))
    rig.steps(0.5)
    rig.camera.behave()
    rig.until(lambda: rig.view.banner is not None)
    assert rig.reader.state.status is SourceStatus.RUNNING
    rig.steps(0.3)
    assert rig.view.message is None or rig.view.message.level is not Level.ERROR
    rig.hold("1", 1.0)
    assert rig.stored > before


@pytest.mark.parametrize(
    "how",
    [Misbehaviour.STALL, Misbehaviour.BLACK, Misbehaviour.GREY_BELOW, Misbehaviour.EMPTY],
    ids=lambda how: how.name.lower(),
)
def test_a_key_that_is_held_through_a_fault_records_a_burst_of_its_own_when_it_is_over(
    rig: Rig, how: Misbehaviour
) -> None:
    rig.teach()
    rig.step(Press("1"))
    rig.steps(0.6)
    bursts_before = {sample.burst_id for sample in rig.store.samples()}
    stored_before = rig.stored
    rig.camera.misbehave(how)
    rig.steps(3.0)
    assert rig.stored - stored_before <= 1  # the last good frame
    stored_before = rig.stored
    assert {sample.burst_id for sample in rig.store.samples()} == bursts_before
    rig.camera.behave()
    for _ in range(300):
        rig.step()
        if rig.stored > stored_before + 3:
            break
    new = {sample.burst_id for sample in rig.store.samples()} - bursts_before
    assert len(new) == 1
    for picture in rig.stored_pictures():
        assert PictureCheck().fault(picture) == ""


@pytest.mark.parametrize("how", [Misbehaviour.BLACK, Misbehaviour.GREY_BELOW])
def test_a_single_bad_picture_is_left_out_and_neither_said_nor_the_end_of_a_burst(
    rig: Rig, how: Misbehaviour
) -> None:
    rig.teach()
    rig.step(Press("1"))
    rig.steps(0.5)
    last_burst = rig.store.samples()[-1].burst_id
    for _ in range(5):
        rig.camera.misbehave(how)
        rig.step()
        rig.camera.behave()
        rig.steps(0.4)
        assert rig.view.message is None or rig.view.message.level is Level.INFO
        assert rig.view.banner is not None
    mug = [s for s in rig.store.samples() if s.class_name == "mug"]
    assert len({s.burst_id for s in mug}) == 2
    assert last_burst
    for picture in rig.stored_pictures():
        assert PictureCheck().fault(picture) == ""


def test_many_bad_pictures_among_good_ones_are_said_and_the_good_ones_go_on(rig: Rig) -> None:
    rig.teach()
    rig.steps(5.0)
    for _ in range(40):
        rig.camera.misbehave(Misbehaviour.GREY_BELOW)
        rig.step()
        rig.camera.behave()
        rig.step()
    rig.steps(0.1)
    assert rig.view.message is not None
    assert rig.view.message.level is Level.WARNING
    assert rig.view.message.text.startswith("some pictures are left out: camera 0 gives damaged")
    assert rig.view.banner is not None
    rig.steps(3.0)
    assert rig.view.message is None


@pytest.mark.parametrize(
    "size", [(320, 240), (240, 320), (1920, 1080), (64, 48), (33, 7), (1, 1), (4000, 12)]
)
def test_a_size_that_changes_in_mid_stream_is_gone_on_with(rig: Rig, size: tuple[int, int]) -> None:
    rig.teach()
    rig.step(Press("1"))
    rig.steps(0.5)
    width, height = size
    rng = np.random.default_rng(0)
    rig.camera.show(*(rng.integers(0, 255, (height, width, 3), np.uint8) for _ in range(3)))
    before = rig.stored
    rig.steps(0.8)
    rig.step(Release("1"))
    rig.steps(0.5)
    assert rig.reader.state.status is SourceStatus.RUNNING or size == (
        1,
        1,
    )  # a pixel is of one colour
    if size != (1, 1):
        assert rig.view.image is not None
        assert rig.view.image.shape == (height, width, 3)
        assert rig.stored > before
        assert {p.shape for p in rig.stored_pictures()} == {(120, 160, 3), (height, width, 3)}
    rig.camera.show(*pictures_of(2))
    rig.steps(1.0)
    assert rig.view.banner is not None
    assert rig.view.banner.label == "phone"


def test_a_dim_room_is_no_fault_and_can_be_recorded(rig: Rig) -> None:
    rng = np.random.default_rng(0)
    rig.camera.show(*(rng.integers(0, 3, (120, 160, 3), np.uint8) for _ in range(5)))
    rig.hold("1", 1.0)
    assert rig.reader.state.status is SourceStatus.RUNNING
    assert rig.stored > 5


def test_a_slow_source_is_not_called_silent_between_its_frames(rig: Rig) -> None:
    rig.steps(0.5)
    for _ in range(4):
        rig.clock.advance(1.5)
        rig.step()
    said = []
    for seconds in (1.5, 4.0):
        rig.clock.advance(seconds)
        said.append(rig.reader.state.status)
    assert said == [SourceStatus.RUNNING, SourceStatus.STALLED]


# In real time, through the loop of the program


@pytest.mark.parametrize(
    "how",
    [Misbehaviour.STALL, Misbehaviour.GONE, Misbehaviour.GREY_BELOW],
    ids=lambda how: how.name.lower(),
)
def test_the_window_goes_on_during_a_fault_and_recovers_within_two_seconds(
    tmp_path: Path, how: Misbehaviour
) -> None:
    found = camera_faults.play(tmp_path, how, seconds=2.5)
    assert found.said
    assert found.said_after_s < 2.4
    assert found.verdict_gone_after_s < 2.4
    assert found.back_after_s < 2.0
    assert found.longest_gap_s < 1.0  # a loop that waited for the camera would have stood for 2.5
    assert found.stored_during == 0
