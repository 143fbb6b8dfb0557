"""Who is told of predictions: commands, webhooks, viewers."""

from __future__ import annotations

import json
import queue
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES

from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.window import annotated
from edge_classifier.device.verdict import Prediction


def _answer(label: str, score: float = 0.9) -> Prediction:
    rest = (1 - score) / 2
    scores = [score if name == label else rest for name in CLASSES]
    return Prediction(CLASSES, np.array(scores, np.float32))


def _picture(number: int = 0) -> Frame:
    return Frame(exported_project.picture(0, number), number, number / 30, 1.0, "camera 0")


def test_a_command_runs_when_the_label_has_changed_and_no_shell_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    script = tmp_path / "append.py"
    script.write_text(
        "import sys\nopen(sys.argv[1], 'a', encoding='utf-8').write(' '.join(sys.argv[2:]) + '\\n')"
    )
    output = OnChange(f"{sys.executable} {script} {log} {{label}} {{score}}", None, frames=2)
    nasty = Prediction(("$(touch x); a", "b"), np.array([0.9, 0.1], np.float32))
    for answer in (nasty, nasty, nasty, _answer("stripes"), nasty):
        output.show(_picture(), answer)
    output.show(_picture(), _answer("stripes"))
    output.show(_picture(), _answer("stripes"))
    output.close()
    assert log.read_text(encoding="utf-8").splitlines() == [
        "$(touch x); a 0.900",
        "stripes 0.900",
    ]


def test_a_command_that_is_not_there_is_told_and_nothing_stops(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = OnChange("no-such-command-here {label}", None, frames=1)
    assert output.show(_picture(), _answer("ball"))
    output.close()
    assert "--on-change no-such-command-here: " in capsys.readouterr().err


@pytest.fixture
def receiver() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """A web server that keeps what is posted to it."""
    received: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", received
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_webhook_gets_the_new_label_and_the_one_before(
    receiver: tuple[str, queue.Queue[dict[str, Any]]],
) -> None:
    url, received = receiver
    output = OnChange(None, url, frames=1)
    for label in ("ball", "ball", CLASSES[2]):
        output.show(_picture(), _answer(label))
    output.close()
    first, second = received.get(timeout=10), received.get(timeout=10)
    assert (first["label"], first["previous"]) == ("ball", None)
    assert (second["label"], second["previous"]) == (CLASSES[2], "ball")


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
