"""The camera of a visitor, read by the reader that reads all cameras."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.views import scene, view
from support.visiting import Guest, page_on_free_port, wait_until

from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceStatus


def jpeg(width: int, height: int = 48) -> bytes:
    return cv2.imencode(".jpg", scene(width, height))[1].tobytes()


def test_pictures_of_who_teaches_are_frames_and_those_of_others_are_not() -> None:
    page = page_on_free_port(with_camera=True)
    assert page.camera is not None
    page.show(view())
    teacher = Guest(page)
    assert teacher.see(lambda words: bool(words["you"]["teaching"]))["you"]["camera"]
    other = Guest(page)
    assert not other.see(lambda _: True)["you"]["camera"], "whose camera is not asked for"
    with FrameReader(page.camera.open, name=page.camera.name, retry_s=0.01) as reader:
        other.say(jpeg(32))
        teacher.say(jpeg(64))
        frame = reader.take(20)
        assert frame is not None
        assert frame.image.shape == (48, 64, 3)
        assert np.abs(frame.image.astype(int) - scene(64, 48)).mean() < 6
        assert reader.state.status is SourceStatus.RUNNING

        teacher.close()
        wait_until(lambda: reader.state.status is SourceStatus.LOST)
        assert reader.state.text == "the browser's camera has gone; waiting for it to come back"
        other.say({"type": "teach"})
        other.say(jpeg(32))
        again = reader.take(20)
        while again is None:
            again = reader.take(20)
        assert again.image.shape == (48, 32, 3)
        assert again.index > frame.index
    page.close()


@pytest.mark.parametrize(
    "picture",
    [b"", b"no picture", jpeg(64)[:300], cv2.imencode(".png", scene(64, 48))[1].tobytes(),
     cv2.imencode(".jpg", np.zeros((2000, 2000, 3), np.uint8))[1].tobytes()],
)  # fmt: skip
def test_what_is_no_picture_of_a_camera_is_left_out(picture: bytes) -> None:
    page = page_on_free_port(with_camera=True)
    assert page.camera is not None
    with FrameReader(page.camera.open, name=page.camera.name) as reader:
        guest = Guest(page)
        frame = None
        while frame is None:
            guest.say(picture)
            frame = reader.take(0.05)
            assert frame is None
            guest.say(jpeg(96))
            frame = reader.take(0.5)
        assert frame.image.shape == (48, 96, 3)
    page.close()


def test_why_a_visitors_camera_cannot_be_used_is_told_in_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = page_on_free_port(with_camera=True)
    page.show(view())
    guest = Guest(page)
    for _ in range(3):
        guest.say({"type": "camera", "on": False, "problem": "It cannot be used: no leave."})
    guest.say({"type": "press", "name": "u"})
    wait_until(lambda: bool(page.events()))
    page.close()
    assert capsys.readouterr().err == "Page: It cannot be used: no leave.\n"
