from __future__ import annotations

import contextlib
import functools
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from support.fakes import FakeClock
from support.mounts import named_pipe

from edge_classifier.device.sources.cameras import CameraListing, list_cameras
from edge_classifier.device.sources.named import open_source, source_name
from edge_classifier.device.sources.video_source import VideoSource, as_bgr
from edge_classifier.errors import CameraError, CameraLostError, CameraNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

GREY = np.full((48, 64, 3), 99, np.uint8)
NOT_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="cameras have no paths on this system"
)


class FakeCapture:
    """A webcam as V4L2 gives it: a size counts once its height is set, each setting resets."""

    def __init__(
        self,
        pictures: Iterable[npt.NDArray[Any] | None] = (),
        *,
        opened: bool = True,
        properties: dict[int, float] | None = None,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self.pictures = iter(pictures)
        self.opened = opened
        self.settings: list[int] = []
        self.released = 0
        self.reading = False
        self.released_under_a_read = False
        self.on_read = on_read
        self.properties = {
            cv2.CAP_PROP_FRAME_WIDTH: 320.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 240.0,
            cv2.CAP_PROP_FPS: 30.0,
            **(properties or {}),
        }
        self._width = 0.0

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def read(self) -> tuple[bool, Any]:
        assert not self.released
        self.reading = True
        self.on_read()
        self.reading = False
        picture = next(self.pictures, None)
        return picture is not None, picture

    def get(self, prop: int, /) -> float:
        return self.properties.get(prop, 0.0)

    def set(self, prop: int, value: float, /) -> bool:
        self.settings.append(prop)
        if prop == cv2.CAP_PROP_FRAME_WIDTH:
            self._width = value
        elif prop == cv2.CAP_PROP_FRAME_HEIGHT:
            self.properties[cv2.CAP_PROP_FRAME_WIDTH] = self._width
            self.properties[cv2.CAP_PROP_FRAME_HEIGHT] = value
        else:
            self.properties[prop] = value
        return True

    def release(self) -> None:
        self.released += 1
        self.released_under_a_read |= self.reading


def source_on(capture: FakeCapture, **options: Any) -> VideoSource:
    clock = FakeClock()
    return VideoSource(
        capture,
        name="camera 0",
        no_picture="no picture",
        clock=clock,
        wait=clock.advance,
        **options,
    )


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A `/dev` with two video nodes, of which the second carries no pictures."""
    for node in ("video0", "video1", "video-hdmi"):
        (tmp_path / node).touch()
    return tmp_path


# What is asked of a camera


@NOT_LINUX
def test_a_camera_is_asked_for_mjpg_then_its_size_then_its_rate(devices: Path) -> None:
    capture = FakeCapture([GREY])
    asked: list[tuple[Any, ...]] = []

    def open_capture(*arguments: Any) -> FakeCapture:
        asked.append(arguments)
        return capture

    source = open_source("0", open_capture=open_capture, devices=devices)
    assert asked == [(str(devices / "video0"), cv2.CAP_V4L2)]
    assert capture.settings[-4:] == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
    ]
    assert capture.get(cv2.CAP_PROP_FOURCC) == cv2.VideoWriter.fourcc(*"MJPG")
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == 640
    assert source.name == "camera 0"


@NOT_LINUX
def test_a_camera_is_described_by_the_size_of_its_pictures(devices: Path) -> None:
    source = open_source("0", open_capture=lambda *_: FakeCapture([GREY]), devices=devices)
    assert source.description == "camera 0, 64x48 at 30 fps"


@NOT_LINUX
def test_a_device_path_opens_that_camera(devices: Path) -> None:
    path = str(devices / "video1")
    source = open_source(path, open_capture=lambda *_: FakeCapture([GREY]), devices=devices)
    assert source.name == path


@NOT_LINUX
def test_a_camera_that_is_not_there_is_not_even_tried(devices: Path) -> None:
    def open_capture(*_: Any) -> FakeCapture:
        raise AssertionError

    with pytest.raises(CameraNotFoundError, match=r"no camera 3; `edge-classifier cameras` lists"):
        open_source("3", open_capture=open_capture, devices=devices)


@NOT_LINUX
def test_a_camera_in_use_by_another_program_is_said_to_be_perhaps_in_use(devices: Path) -> None:
    capture = FakeCapture(opened=False)
    with pytest.raises(CameraNotFoundError, match="camera 0 cannot be opened; is another program"):
        open_source("0", open_capture=lambda *_: capture, devices=devices)
    assert capture.released


@NOT_LINUX
def test_a_camera_that_opens_and_gives_nothing_is_released_and_said(devices: Path) -> None:
    capture = FakeCapture()
    with pytest.raises(CameraNotFoundError, match="camera 0 opens but gives no picture"):
        open_source("0", open_capture=lambda *_: capture, devices=devices)
    assert capture.released


@NOT_LINUX
def test_only_cameras_that_open_are_listed_with_name_size_and_rate(devices: Path) -> None:
    sysfs = devices / "sys"
    (sysfs / "video0").mkdir(parents=True)
    (sysfs / "video0" / "name").write_text("HD Webcam: HD Webcam\n", encoding="utf-8")
    captures = {
        str(devices / "video0"): FakeCapture(),
        str(devices / "video1"): FakeCapture(opened=False),
    }
    listed = list_cameras(open_capture=lambda path, _: captures[path], devices=devices, sysfs=sysfs)
    assert listed == (
        CameraListing("0", str(devices / "video0"), "HD Webcam: HD Webcam", 640, 480, 30.0),
    )
    assert all(capture.released for capture in captures.values())


def test_a_machine_without_cameras_lists_none(tmp_path: Path) -> None:
    closed = FakeCapture(opened=False)
    assert list_cameras(open_capture=lambda *_: closed, devices=tmp_path, sysfs=tmp_path) == ()


# What becomes a frame


@pytest.mark.parametrize(
    ("picture", "bgr"),
    [
        (np.full((4, 6), 7, np.uint8), (7, 7, 7)),
        (np.full((4, 6, 1), 7, np.uint8), (7, 7, 7)),
        (np.full((4, 6, 4), (1, 2, 3, 255), np.uint8), (1, 2, 3)),
        (np.full((4, 6), 7 << 8 | 255, np.uint16), (7, 7, 7)),
        (np.full((4, 6, 3), (1, 2, 3), np.uint8), (1, 2, 3)),
    ],
    ids=["grey", "grey with an axis", "with alpha", "16 bits", "colour"],
)
def test_any_kind_of_picture_becomes_bgr(
    picture: npt.NDArray[Any], bgr: tuple[int, int, int]
) -> None:
    image = as_bgr(picture)
    assert image is not None
    np.testing.assert_array_equal(image, np.full((4, 6, 3), bgr, np.uint8))
    assert image.dtype == np.uint8


def test_a_picture_of_another_kind_is_refused_with_what_it_was() -> None:
    with pytest.raises(CameraError, match=r"received shape \(4, 6, 2\) and dtype uint8"):
        as_bgr(np.zeros((4, 6, 2), np.uint8))


def test_an_empty_picture_never_becomes_a_frame() -> None:
    empty = np.zeros((0, 0, 3), np.uint8)
    source = source_on(FakeCapture([empty, None, GREY, empty, GREY]), lost_after_s=1.0)
    iterator = iter(source)
    assert [next(iterator).index, next(iterator).index] == [0, 1]


def test_a_camera_that_stops_delivering_is_lost_after_a_second() -> None:
    clock = FakeClock()
    source = VideoSource(
        FakeCapture([GREY]),
        name="camera 0",
        no_picture="",
        lost_after_s=1.0,
        clock=clock,
        wait=clock.advance,
    )
    iterator = iter(source)
    next(iterator)
    with pytest.raises(CameraLostError, match="camera 0 is gone"):
        next(iterator)
    assert 1.0 <= clock() < 1.1


def test_a_source_is_never_released_under_a_read() -> None:
    source: VideoSource | None = None

    def close_it() -> None:
        if source is not None:
            thread = threading.Thread(target=source.close)
            thread.start()
            thread.join()

    capture = FakeCapture([GREY] * 3, on_read=close_it)
    source = source_on(capture, lost_after_s=1.0)
    assert len(list(source)) == 1  # the first one was read when the source was opened
    assert capture.released
    assert not capture.released_under_a_read


# The speed of a video


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


# What cannot be opened


def write_video(path: Path, count: int = 6, fps: float = 20.0) -> Path:
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, fourcc, fps, (64, 48))
    for _ in range(count):
        writer.write(GREY)
    writer.release()
    return path


def make_bad_files(folder: Path) -> None:
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("this is no video\n", encoding="utf-8")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    (folder / "folder").mkdir()
    cv2.imwrite(str(folder / "picture.png"), GREY)
    whole = write_video(folder / "whole.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[:200])
    named_pipe(folder / "pipe")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("missing.avi", "There is no file"),
        ("folder", "is a folder"),
        ("empty.avi", "is empty"),
        ("text.avi", "is not a video that can be played"),
        ("noise.mp4", "is not a video that can be played"),
        ("cut.avi", "is not a video that can be played"),
        ("picture.png", "is a picture; a source is a video"),
        ("pipe", "is neither a video file nor a camera"),
        ("", "No source is named"),
        ("x" * 5000, "There is no file"),
        ("nul\0byte.avi", "There is no file"),
        ("~nobody-of-this-name/clip.avi", "There is no file"),
        ("two\nlines", "There is no file"),
        ("99999999999999", "There is no file"),
        ("-1", "There is no file"),
        ("/dev/null", "/dev/null cannot be opened"),
        ("gopher://host/clip", "gopher:// is no kind of address"),
        ("file:///etc/passwd", "file:// is no kind of address"),
    ],
)
def test_a_source_that_cannot_be_opened_is_one_clear_line(
    spec: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bad_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CameraNotFoundError, match=message) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


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


def test_an_address_that_answers_nothing_is_given_up_within_5_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started_s = time.monotonic()
        with pytest.raises(CameraNotFoundError, match="check the address"):
            open_source(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live")
        assert time.monotonic() - started_s <= 5


def test_a_refused_address_is_said_without_its_password() -> None:
    with socket.socket() as taken:  # bound and not listening: a connection is refused
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CameraNotFoundError) as caught:
            open_source(f"http://user:secret@{address}/live?token=secret")
    assert f"http://{address}/live gives no video" in str(caught.value)
    assert "secret" not in str(caught.value)


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


def test_opencv_and_ffmpeg_say_nothing_on_the_users_terminal(tmp_path: Path) -> None:
    make_bad_files(tmp_path)
    program = (
        "import sys\n"
        "from edge_classifier.device.sources.cameras import list_cameras\n"
        "from edge_classifier.device.sources.named import open_source\n"
        "from edge_classifier.errors import CameraNotFoundError\n"
        "for spec in sys.argv[1:]:\n"
        "    try:\n"
        "        list(open_source(spec, paced=False))\n"
        "    except CameraNotFoundError:\n"
        "        pass\n"
        "list_cameras()\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    bad = ["cut.avi", "noise.mp4", "text.avi", "/dev/null", "http://127.0.0.1:9/x"]
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *bad],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("0", "camera 0"),
        (" 12 ", "camera 12"),
        ("/dev/video0", "/dev/video0"),
        ("picamera", "the Pi camera"),
        ("some/clip.avi", "clip.avi"),
        ("tasse à café.avi", "tasse à café.avi"),
        ("a\nb.avi", r"a\nb.avi"),
        ("rtsp://me:secret@host:554/live?key=secret", "rtsp://host:554/live"),
        ("http://[broken", "the address"),
    ],
)
def test_a_source_has_a_short_name_for_the_user(spec: str, name: str) -> None:
    assert source_name(spec) == name
