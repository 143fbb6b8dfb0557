"""A bundle that answers what others send: by real HTTP, with the real model."""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import threading
import urllib.error
import urllib.request
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import cv2
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.reading import wait_until
from support.served import Served

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.page_server import Route
from edge_classifier.device.outputs.service import MOST_BYTES
from edge_classifier.device.requests import PAUSED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.device.outputs.page_server import PageHandler


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    return Classifier(Bundle.open(bundle))


@pytest.fixture(scope="module")
def served(classifier: Classifier) -> Iterator[Served]:
    served = Served(classifier, with_camera=True)
    yield served
    served.page.close()


@pytest.fixture
def fresh(classifier: Classifier) -> Iterator[Served]:
    """One whose state is changed, or looked at."""
    served = Served(classifier, with_camera=True)
    yield served
    served.page.close()


@pytest.fixture(scope="module")
def without_camera(classifier: Classifier) -> Iterator[Served]:
    served = Served(classifier, with_camera=False)
    yield served
    served.page.close()


def picture(class_id: int = 0, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, exported_project.picture(class_id, 50))[1].tobytes()


# Answers


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".ppm", ".tif"])
def test_a_picture_is_answered_as_predict_answers_it(
    served: Served,
    bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    suffix: str,
) -> None:
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(picture(1, suffix))
    assert main(["predict", str(bundle), str(path), "--json", "--top-k", "2"]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert served.send(path.read_bytes(), "?top_k=2") | {"path": str(path)} == expected
    assert expected["class_name"] == CLASSES[1]


def test_what_is_sent_is_not_mirrored_where_the_camera_is(
    served: Served, classifier: Classifier
) -> None:
    before = served.send(picture(2))
    classifier.mirrored = True
    try:
        assert served.send(picture(2)) == before
    finally:
        classifier.mirrored = False


def test_many_at_once_each_get_their_own_answer(served: Served) -> None:
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = served.send(picture(number % 3))["class_name"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {number: CLASSES[number % 3] for number in range(12)}


def test_a_client_that_asks_whether_it_may_send_is_told(served: Served) -> None:
    """As curl does with large pictures, and else waits a second."""
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        head = f"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(picture())}\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(picture())
        assert b"200 OK" in connection.recv(100)


def test_the_newest_answer_of_the_camera_and_its_page_are_there(fresh: Served) -> None:
    assert fresh.ask("GET", "/answer")[2] is None
    fresh.show("ball")
    assert fresh.ask("GET", "/answer")[2]["label"] == "ball"
    assert "/stream" in fresh.ask("GET", "/")[1]
    assert fresh.ask("HEAD", "/")[:2] == (200, "")


@pytest.mark.parametrize("path", ["/", "/answer", "/stream"])
def test_without_a_camera_a_line_says_so(without_camera: Served, path: str) -> None:
    status, text, _ = without_camera.ask("GET", path)
    assert status == 404
    assert "There is no camera here" in text
    assert without_camera.send(picture())["class_name"] == CLASSES[0]


# What is wrong is told with a status and a line


def huge_png() -> bytes:
    """A PNG whose header says that it is 60000 pixels square."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk
        + struct.pack(">I", 0)
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        (b"", 400, "No picture was sent"),
        (b"no picture", 415, "body is not a picture that can be read"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), 415, "body is a video"),
        (b"\x1f\x8b" + bytes(100), 415, "body is"),
        (picture()[:2000], 422, "damaged"),
        (huge_png(), 422, "60000"),
    ],
    ids=["nothing", "text", "video", "gzip", "half", "huge"],
)
def test_what_is_no_picture_is_refused(served: Served, body: bytes, status: int, line: str) -> None:
    answered, text, _ = served.ask("POST", "/classify", body)
    assert answered == status
    assert line in text.replace(",", "").replace(" ", " ")


def test_a_form_is_told_how_to_send_a_picture(served: Served) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    status, text, _ = served.ask("POST", "/classify", b"--x\r\n\r\n" + picture(), **kind)
    assert status == 415
    assert "--data-binary" in text


@pytest.mark.parametrize(
    ("method", "path", "status", "line"),
    [
        ("GET", "/classify", 405, "/classify takes POST"),
        ("PUT", "/classify", 405, "/classify takes POST"),
        ("POST", "/answer", 405, "/answer takes GET"),
        ("DELETE", "/metrics", 405, "takes GET"),
        ("NONSENSE", "/healthz", 405, "takes GET"),
        ("GET", "/nowhere", 404, "/classify, /metrics, /healthz"),
        ("POST", "/../etc/passwd", 404, "no such thing"),
        ("POST", "/classify?top_k=0", 400, "top_k"),
        ("POST", "/classify?top_k=%D9%A3", 400, "top_k"),
        ("POST", "/classify?" + "a=b&" * 50, 400, "top_k"),
    ],
)
def test_other_methods_paths_and_queries_are_refused(
    served: Served, method: str, path: str, status: int, line: str
) -> None:
    answered, text, _ = served.ask(method, path, picture() if method != "GET" else None)
    assert answered == status
    assert line in text


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: 10", 400),  # of which none come
        ("Content-Length: -1", 400),
        ("Content-Length: " + "9" * 19, 400),
        ("Content-Length: ten", 400),
        (f"Content-Length: {MOST_BYTES + 1}", 413),
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: 10\r\nTransfer-Encoding: chunked", 411),
        ("Accept: */*", 411),
    ],
)
def test_a_body_of_no_certain_length_is_refused(served: Served, head: str, status: int) -> None:
    told = served.raw(f"POST /classify HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
    assert told.startswith(f"HTTP/1.0 {status} ".encode())
    assert list(json.loads(told.partition(b"\r\n\r\n")[2])) == ["error"]


def test_who_sends_too_much_still_gets_the_answer(served: Served) -> None:
    status, text, _ = served.ask("POST", "/classify", bytes(MOST_BYTES + 1))
    assert status == 413
    assert "33,554,432" in text


def test_half_a_body_is_told_and_who_hangs_is_given_up(fresh: Served) -> None:
    half = picture()[:1000]
    head = f"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(picture())}\r\n\r\n"
    assert b"The body ended after 1000 of" in fresh.raw(head.encode() + half)
    fresh.page._server.body_s = 0.2
    assert b"408 The body took too long" in fresh.raw(head.encode() + half, ends=False)
    assert fresh.metric('classify_refused_total{status="408"}') == 1


def test_those_who_hang_keep_no_one_else_from_being_answered(served: Served) -> None:
    head = b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nhalf"
    hanging = [socket.create_connection(("127.0.0.1", served.port), 30) for _ in range(12)]
    for connection in hanging:
        connection.sendall(head)
    assert served.send(picture())["class_name"] == CLASSES[0]
    for connection in hanging:
        connection.close()


def test_all_bodies_together_are_bounded(fresh: Served) -> None:
    room = fresh.page._server._room_bytes
    fresh.page._server._room_bytes = len(picture()) - 1
    status, text, _ = fresh.ask("POST", "/classify", picture())
    assert (status, "at once" in text) == (503, True)
    fresh.page._server._room_bytes += room
    wait_until(lambda: fresh.ask("POST", "/classify", picture())[0] == 200)
    assert fresh.page._server._room_bytes == len(picture()) - 1 + room


@pytest.mark.parametrize("path", ["/classify", "/metrics", "/healthz", "/answer"])
def test_no_page_from_elsewhere_can_ask(served: Served, path: str) -> None:
    method, body = ("POST", picture()) if path == "/classify" else ("GET", None)
    assert served.ask(method, path, body, Host="evil.example")[0] == 403
    assert served.ask(method, path, body, **{"Sec-Fetch-Site": "cross-site"})[0] == 403


def test_whatever_is_asked_is_answered_by_a_line_and_nothing_is_printed(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)  # noqa: S311 - of a test
    methods = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "é", "", "POST POST"]
    paths = ["/", "/classify", "/answer", "/metrics", "/healthz", "*", "//x", "/\0", "/%", "/?#"]
    lengths = [
        "",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: x\r\n",
        ":\r\n",
    ]
    versions = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/x", "", "\x1b[2J"]
    for _ in range(300):
        first, length = f"{chance.choice(methods)} {chance.choice(paths)}", chance.choice(lengths)
        head = f"{first} {chance.choice(versions)}\r\nHost: localhost\r\n{length}\r\n"
        body = chance.choice([b"", b"12345", chance.randbytes(50), picture()])
        with suppress(OSError):  # who sends with GET what nobody asked for may be hung up on
            assert b"Traceback" not in served.raw(head.encode() + body)
    assert served.send(picture())["class_name"] == CLASSES[0]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "options", [["--heat"], ["--adapt", "once"], ["--frames", "3"], ["--interval", "5"]]
)
def test_what_needs_frames_is_refused_without_a_camera(
    bundle: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(bundle), "--no-camera", *options]) == 2
    assert f"{options[0]} is for the frames of a source" in capsys.readouterr().err


def test_a_mistake_of_our_own_is_told_to_who_asked_and_said_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(_request: PageHandler) -> None:
        raise ZeroDivisionError("a mistake")

    page = LivePage("127.0.0.1:0", routes={"/": Route("GET", fail)})
    try:
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError, match="500: Something went wrong") as caught:
                urllib.request.urlopen(page.url, timeout=30)  # noqa: S310 - our own server
            assert list(json.load(caught.value)) == ["error"]
            caught.value.close()
    finally:
        page.close()
    assert capfd.readouterr().err.count("a mistake") == 1


# How it does


def test_it_is_healthy_while_frames_are_answered(fresh: Served) -> None:
    assert "no picture has come yet" in fresh.ask("GET", "/healthz")[1]
    fresh.show("ball")
    assert fresh.ask("GET", "/healthz")[2]["status"] == "ok"
    fresh.service.wait(PAUSED)
    assert fresh.ask("GET", "/healthz")[0] == 200
    fresh.service.wait("camera 0 is lost")
    fresh.service.wait("camera 0 is lost")
    assert fresh.ask("GET", "/healthz")[::2] == (503, {"error": "camera 0 is lost"})
    assert fresh.metric("classify_healthy") == 0
    assert fresh.metric("classify_troubles_total") == 1
    fresh.show("ball")
    assert fresh.ask("GET", "/healthz")[0] == 200


def test_a_loop_that_hangs_is_told(fresh: Served, without_camera: Served) -> None:
    fresh.show("ball")
    fresh.now_s = without_camera.now_s = 60.0
    assert "nothing was heard of the camera's loop for 60 s" in fresh.ask("GET", "/healthz")[1]
    assert without_camera.ask("GET", "/healthz")[0] == 200


def test_answers_latency_uptime_and_model_can_be_watched(fresh: Served, bundle: Path) -> None:
    fresh.now_s = 90.0
    fresh.show("ball", captured_s=89.97)
    fresh.show("ball", captured_s=89.0)
    fresh.send(picture(2))
    fresh.ask("POST", "/classify", b"no picture")
    count, seconds = 'classify_answers_total{source="%s",label="%s"}', "classify_answer_seconds"
    assert fresh.metric(count % ("camera", "ball")) == 2
    assert fresh.metric(count % ("camera", "unknown")) == 0
    assert fresh.metric(count % ("sent", CLASSES[2])) == 1
    assert fresh.metric('classify_refused_total{status="415"}') == 1
    assert fresh.metric(f'{seconds}_bucket{{source="camera",le="0.05"}}') == 1
    assert fresh.metric(f'{seconds}_bucket{{source="camera",le="+Inf"}}') == 2
    assert fresh.metric(f'{seconds}_sum{{source="camera"}}') == pytest.approx(1.03)
    assert fresh.metric("classify_uptime_seconds") == 90
    sha256 = json.loads((bundle / "spec.json").read_text())["models"]["float32"]["sha256"]
    name = f'name="{bundle.name}",format="float32"'
    assert fresh.metric(f'classify_model_info{{{name},sha256="{sha256}"}}') == 1


def test_the_metrics_are_of_the_form_that_prometheus_reads(served: Served) -> None:
    sample = re.compile(r'classify_\w+(\{\w+="(\\.|[^"\\])*"(,\w+="(\\.|[^"\\])*")*\})? [0-9.]+')
    told: set[str] = set()
    for line in served.ask("GET", "/metrics")[1].splitlines():
        if line.startswith("# "):
            told.add(line.split()[2])
        else:
            assert sample.fullmatch(line), line
            assert re.sub("_(bucket|sum|count)$", "", re.split("[{ ]", line)[0]) in told
