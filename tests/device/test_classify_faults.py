"""A camera in trouble, on a device that runs for months and that nobody looks at."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from support import exported_project
from support.fakes import MisbehavingCamera, Misbehaviour

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.device_reader import Prepared, Reader, Trouble
from edge_classifier.device.errors import ClassifyError
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.window import annotated
from edge_classifier.device.picture_check import PictureCheck
from edge_classifier.device.sources.base import Picture
from edge_classifier.device.sources.capture import Capture
from edge_classifier.device.verdict import Answer

SAID = {
    Misbehaviour.STALL: "camera 0 gives no more pictures; waiting for them.",
    Misbehaviour.FAIL: "camera 0 is lost; waiting for it to come back.",
    Misbehaviour.EMPTY: "camera 0 gives pictures that cannot be used (shape (0, 320, 3), uint8).",
    Misbehaviour.NOTHING: "camera 0 is lost; waiting for it to come back.",
    Misbehaviour.RAISE: "camera 0 is lost; waiting for it to come back.",
    Misbehaviour.GONE: "camera 0 is lost; waiting for it to come back.",
    Misbehaviour.BLACK: "camera 0 gives black pictures: is the lens covered, or another program "
    "using it?",
    Misbehaviour.GREY_BELOW: "camera 0 gives damaged pictures, the lower part is missing: a bad "
    "cable, hub or network?",
    Misbehaviour.WRONG_DTYPE: "camera 0 gives pictures that cannot be used "
    "(shape (240, 320, 3), float32).",
}


class Camera0(Capture):
    """The device's own reader of cameras, on one that misbehaves."""

    def __init__(self, device: MisbehavingCamera) -> None:
        super().__init__(0, "camera 0")
        self._device = device

    def open(self) -> None:
        capture = self._device.open_capture()
        if not capture.isOpened():
            raise ClassifyError("camera 0 cannot be opened.")
        self._capture = capture


@pytest.fixture
def device() -> Iterator[MisbehavingCamera]:
    device = MisbehavingCamera([exported_project.picture(0, n) for n in range(8)], fps=100.0)
    yield device
    device.behave()


@pytest.fixture
def reader(device: MisbehavingCamera) -> Iterator[Reader]:
    reader = Reader(Camera0(device), _as_it_is, retry_s=0.02, settle_s=0.05)
    yield reader
    device.behave()
    reader.close()


def _as_it_is(image: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    return image


def take(reader: Reader, count: int) -> list[Prepared]:
    taken = [prepared for prepared, _ in zip(reader, range(count), strict=False)]
    assert len(taken) == count
    return taken


def until_in_trouble(reader: Reader) -> str:
    """Take pictures until none comes any more, and return what is wrong."""
    said: list[str] = []

    def idle(trouble: str) -> bool:
        said.append(trouble)
        return not trouble

    reader.idle = idle
    for prepared in reader:
        assert PictureCheck().fault(prepared.picture.image) == ""
    reader.idle = lambda _trouble: True
    return said[-1]


@pytest.mark.parametrize("how", SAID, ids=lambda how: how.name.lower())
def test_what_is_wrong_is_said_once_and_answers_go_on_when_it_is_over(
    device: MisbehavingCamera, reader: Reader, how: Misbehaviour, capsys: pytest.CaptureFixture[str]
) -> None:
    take(reader, 3)
    device.misbehave(how)
    assert f"{until_in_trouble(reader)}.".replace("?.", "?") == SAID[how]
    waits: list[str] = []

    def some_time(trouble: str) -> bool:
        waits.append(trouble)
        return len(waits) < 12

    reader.idle = some_time
    assert not list(reader)  # nothing that is wrong is handed over
    assert all(waits)
    reader.idle = lambda _trouble: True
    device.behave()
    for prepared in take(reader, 30):
        assert PictureCheck().fault(prepared.picture.image) == ""
    assert capsys.readouterr().err.splitlines() == [SAID[how], "camera 0 is back."]


def test_a_camera_that_comes_and_goes_fills_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    trouble = Trouble("camera 0", settle_s=60.0)
    for _ in range(1000):
        trouble.note("is lost; waiting for it to come back")
        trouble.note("gives black pictures")
        trouble.over()
    assert capsys.readouterr().err.splitlines() == [
        "camera 0 is lost; waiting for it to come back.",
        "camera 0 gives black pictures.",
    ]


def test_no_command_runs_because_of_a_fault(
    device: MisbehavingCamera, reader: Reader, bundle: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    script = tmp_path / "append.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write(sys.argv[2] + '\\n')")
    output = OnChange(f"{sys.executable} {script} {log} {{label}}", None, frames=3)
    classifier = Classifier(Bundle.open(bundle))

    def answer(count: int) -> None:
        for prepared in take(reader, count):
            picture = prepared.picture
            output.show(picture, classifier.predict(picture.image))

    answer(6)
    for how in (Misbehaviour.BLACK, Misbehaviour.GREY_BELOW, Misbehaviour.RAISE):
        device.misbehave(how)
        until_in_trouble(reader)
        device.behave()
        answer(6)
    output.close()
    assert len(log.read_text().splitlines()) == 1


def test_the_live_page_gives_no_answer_while_there_is_no_picture() -> None:
    page = LivePage("127.0.0.1:0")
    answer = Answer(("ball", "cup"), np.array([0.9, 0.1], np.float32))
    picture = Picture(exported_project.picture(0, 0), "camera 0", 0, 0.0, 1.0)

    def told() -> Any:
        with urllib.request.urlopen(f"{page.url}answer", timeout=10) as response:  # noqa: S310 - our own server
            return json.load(response)

    try:
        page.show(picture, answer)
        page.wait("")
        assert told()["label"] == "ball"
        page.wait("camera 0 is lost")
        assert told() is None
        page.show(picture, answer)
        assert told()["label"] == "ball"
    finally:
        page.close()


def test_what_is_wrong_is_written_into_the_last_picture() -> None:
    picture = Picture(exported_project.picture(0, 0), "camera 0", 0, 0.0, 1.0)
    drawn = annotated(picture, "camera 0 is lost; waiting for it to come back")
    assert drawn.mean() < picture.image.mean() / 2
    assert drawn.max() == 255
