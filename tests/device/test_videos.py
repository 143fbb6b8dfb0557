"""Videos play at their own speed, from files and from addresses, as far as they go."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
import time
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from support.captures import GREY, FakeCapture, write_video
from support.fakes import FakeClock

from edge_classifier.device.sources.named import open_source
from edge_classifier.device.sources.video_source import VideoSource
from edge_classifier.errors import CameraLostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_paced_video_plays_by_the_times_in_its_file() -> None:
    clock = FakeClock(50.0)
    times_ms = iter([0.0, 40.0, 140.0, 150.0])
    capture = FakeCapture([GREY] * 4, properties={cv2.CAP_PROP_FPS: 25.0})
    capture.on_read = lambda: capture.properties.update({cv2.CAP_PROP_POS_MSEC: next(times_ms, 0)})
    source = VideoSource(
        capture, name="clip", no_picture="", paced=True, clock=clock, wait=clock.advance
    )
    times = [frame.timestamp_s for frame in source]
    assert times == pytest.approx([50.0, 50.04, 50.14, 50.15])


@pytest.mark.parametrize("nominal_fps", [0.0, -1.0, 1000.0, float("nan")])
def test_a_video_without_a_believable_rate_or_times_plays_at_30_fps(nominal_fps: float) -> None:
    clock = FakeClock()
    capture = FakeCapture([GREY] * 4, properties={cv2.CAP_PROP_FPS: nominal_fps})
    source = VideoSource(
        capture, name="clip", no_picture="", paced=True, clock=clock, wait=clock.advance
    )
    assert [frame.timestamp_s for frame in source] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])


def test_a_consumer_that_was_late_gets_the_next_frames_at_once() -> None:
    clock = FakeClock()
    capture = FakeCapture([GREY] * 4, properties={cv2.CAP_PROP_FPS: 10.0})
    source = VideoSource(
        capture, name="clip", no_picture="", paced=True, clock=clock, wait=clock.advance
    )
    iterator = iter(source)
    next(iterator)
    clock.advance(0.25)
    assert [next(iterator).timestamp_s for _ in range(3)] == pytest.approx([0.25, 0.25, 0.3])


def test_a_real_video_takes_as_long_as_it_is(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.avi", count=6, fps=20.0)
    started_s = time.monotonic()
    frames = list(open_source(str(path)))
    assert len(frames) == 6
    assert time.monotonic() - started_s >= 5 / 20.0
    # Decoding only, not the wait; the median, since any one frame may meet a busy moment.
    assert sorted(frame.capture_ms for frame in frames)[3] < 50


def test_the_name_of_a_file_is_never_taken_for_a_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "concat:clip.avi", count=3)
    assert len(list(open_source("concat:clip.avi", paced=False))) == 3


def test_a_video_that_was_cut_off_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.avi", count=20).read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    assert 0 < len(list(open_source(str(cut), paced=False))) < 20


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that serves `tmp_path`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def copyfile(self, source: Any, outputfile: Any) -> None:
            with contextlib.suppress(ConnectionError):  # a player may hang up when it likes
                super().copyfile(source, outputfile)

    handler = functools.partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_video_behind_an_address_plays_to_its_end(served: str, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", count=5)
    source = open_source(f"{served}/clip.avi", paced=False)
    assert len(list(source)) == 5
    source.close()


def test_a_live_stream_that_breaks_off_is_lost(served: str, tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", GREY)[1].tobytes()
    (tmp_path / "live.mjpg").write_bytes(jpeg * 8)  # Motion-JPEG without an index has no end
    source = open_source(f"{served}/live.mjpg")
    frames = iter(source)
    indices = [next(frames).index for _ in range(7)]
    assert indices == list(range(7))
    with pytest.raises(CameraLostError, match=r"live\.mjpg is gone"):
        list(frames)
    source.close()
