"""A camera in trouble, on a device that runs for months and that nobody looks at."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.fakes import FakeClock, MisbehavingCamera, Misbehaviour
from support.misbehaving import SAID

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import CameraNotFoundError
from edge_classifier.device.frame import Frame
from edge_classifier.device.incoming import TroubleLog, frames_of
from edge_classifier.device.outputs.command import Command
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.window import annotated
from edge_classifier.device.picture_check import PictureCheck
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.device.sources.video_source import VideoSource
from edge_classifier.device.verdict import Prediction


@pytest.fixture
def device() -> Iterator[MisbehavingCamera]:
    device = MisbehavingCamera([exported_project.picture(0, n) for n in range(8)], fps=100.0)
    yield device
    device.behave()


@pytest.fixture
def reader(device: MisbehavingCamera) -> Iterator[FrameReader]:
    def open_camera() -> VideoSource:
        capture = device.open_capture()
        if not capture.isOpened():
            raise CameraNotFoundError("camera 0 cannot be opened.")
        return VideoSource(capture, name="camera 0", no_picture="no picture", lost_after_s=0.1)

    reader = FrameReader(
        open_camera, name="camera 0", retry_s=0.02, stall_s=0.4, check_pictures=True
    )
    yield reader
    device.behave()
    reader.close()


@pytest.fixture
def log() -> TroubleLog:
    return TroubleLog("camera 0", settle_s=0.05)


def take(reader: FrameReader, log: TroubleLog, count: int) -> list[Frame]:
    frames = frames_of(reader, log, lambda _trouble: True)
    return [next(frames) for _ in range(count)]


def until_in_trouble(reader: FrameReader, log: TroubleLog) -> str:
    """Take pictures until none comes any more, and return what is wrong."""
    said: list[str] = []

    def idle(trouble: str) -> bool:
        said.append(trouble)
        return not trouble

    for frame in frames_of(reader, log, idle):
        assert PictureCheck().fault(frame.image) == ""
    return said[-1]


@pytest.mark.parametrize("how", SAID, ids=lambda how: how.name.lower())
def test_what_is_wrong_is_said_once_and_answers_go_on_when_it_is_over(
    device: MisbehavingCamera,
    reader: FrameReader,
    log: TroubleLog,
    how: Misbehaviour,
    capsys: pytest.CaptureFixture[str],
) -> None:
    take(reader, log, 3)
    device.misbehave(how)
    assert re.fullmatch(SAID[how], until_in_trouble(reader, log))
    waits: list[str] = []

    def some_time(trouble: str) -> bool:
        waits.append(trouble)
        return len(waits) < 12

    assert not list(frames_of(reader, log, some_time))  # nothing that is wrong is handed over
    assert all(waits)
    device.behave()
    for frame in take(reader, log, 30):
        assert PictureCheck().fault(frame.image) == ""
    said, over = capsys.readouterr().err.splitlines()
    assert re.fullmatch(SAID[how].removesuffix(r"\?") + r"[.?]", said)
    assert over == "camera 0 is back."


def test_a_camera_that_comes_and_goes_fills_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    log = TroubleLog("camera 0", settle_s=60.0, clock=FakeClock())
    lost = "camera 0 is gone; waiting for it to come back"
    for second in range(1000):
        log.update(SourceState(SourceStatus.LOST, lost))
        log.update(SourceState(SourceStatus.UNUSABLE, "camera 0 gives black pictures"))
        log.update(SourceState(SourceStatus.STALLED, f"no picture from camera 0 for {second} s"))
        log.update(SourceState(SourceStatus.RUNNING))
    assert capsys.readouterr().err.splitlines() == [
        "camera 0 is gone; waiting for it to come back.",
        "camera 0 gives black pictures.",
        "no picture from camera 0 for 0 s.",
    ]


def test_no_command_runs_because_of_a_fault(
    device: MisbehavingCamera, reader: FrameReader, log: TroubleLog, bundle: Path, tmp_path: Path
) -> None:
    told = tmp_path / "log.txt"
    script = tmp_path / "append.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write(sys.stdin.readline())")
    output = OnChange([Command(f"{sys.executable} {script} {told}", CLASSES)], frames=3)
    classifier = Classifier(Bundle.open(bundle))

    def answer(count: int) -> None:
        for frame in take(reader, log, count):
            output.show(frame, classifier.predict(frame.image))

    answer(6)
    for how in (Misbehaviour.BLACK, Misbehaviour.GREY_BELOW, Misbehaviour.RAISE):
        device.misbehave(how)
        until_in_trouble(reader, log)
        device.behave()
        answer(6)
    output.close()
    assert len(told.read_text().splitlines()) == 1


def test_the_live_page_gives_no_answer_while_there_is_no_picture() -> None:
    page = LivePage("127.0.0.1:0")
    answer = Prediction(("ball", "cup"), np.array([0.9, 0.1], np.float32))
    frame = Frame(exported_project.picture(0, 0), 0, 0.0, name="camera 0")

    def told() -> Any:
        with urllib.request.urlopen(f"{page.url}answer", timeout=10) as response:  # noqa: S310 - our own server
            return json.load(response)

    try:
        page.show(frame, answer)
        page.wait("")
        assert told()["label"] == "ball"
        page.wait("camera 0 is lost")
        assert told() is None
        page.show(frame, answer)
        assert told()["label"] == "ball"
    finally:
        page.close()


def test_what_is_wrong_is_written_into_the_last_picture() -> None:
    frame = Frame(exported_project.picture(0, 0), 0, 0.0, name="camera 0")
    drawn = annotated(frame.image, "camera 0 is lost; waiting for it to come back")
    assert drawn.mean() < frame.image.mean() / 2
    assert drawn.max() == 255
