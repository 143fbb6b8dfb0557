"""What viewers of predictions see."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES

from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.window import annotated
from edge_classifier.device.verdict import Prediction


def _answer(label: str, score: float = 0.9) -> Prediction:
    rest = (1 - score) / 2
    scores = [score if name == label else rest for name in CLASSES]
    return Prediction(CLASSES, np.array(scores, np.float32))


def _picture(number: int = 0) -> Frame:
    return Frame(exported_project.picture(0, number), number, number / 30, 1.0, "camera 0")


def _get(page: LivePage, path: str) -> Any:
    return urllib.request.urlopen(f"{page.url}{path}", timeout=10)  # noqa: S310 - our own server


def test_the_live_page_shows_the_newest_answer_and_a_moving_picture() -> None:
    page = LivePage("127.0.0.1:0")
    try:
        page.show(_picture(), _answer("ball"))
        with _get(page, "") as response:
            assert b"/stream" in response.read()
        with _get(page, "answer") as response:
            assert json.load(response)["label"] == "ball"
        with _get(page, "stream") as response:
            assert response.readline() == b"--frame\r\n"
            assert response.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(response.readline().split(b":")[1])
            response.readline()
            jpeg = np.frombuffer(response.read(length), np.uint8)
        shown = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        assert shown is not None
        assert shown.shape == (240, 320, 3)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            _get(page, "etc/passwd")
    finally:
        page.close()
        page.close()


def test_the_picture_is_annotated_in_a_copy() -> None:
    picture = _picture()
    before = picture.image.copy()
    drawn = annotated(picture.image, _answer("ball"))
    np.testing.assert_array_equal(picture.image, before)
    assert (drawn != before).any()
