"""What is asked of a camera, and what becomes of what it gives."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from support.captures import GREY, FakeCapture
from support.fakes import FakeClock

from edge_classifier.device.sources.cameras import CameraListing, list_cameras
from edge_classifier.device.sources.named import open_source
from edge_classifier.device.sources.video_source import VideoSource, as_bgr
from edge_classifier.errors import CameraError, CameraLostError, CameraNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

NOT_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="cameras have no paths on this system"
)


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


def slow_camera(
    pictures: int, gap_s: float = 0.125, **options: Any
) -> tuple[FakeCapture, VideoSource]:
    """A camera with eight pictures a second."""
    clock = FakeClock()
    images = [np.full((48, 64, 3), n, np.uint8) for n in range(1, pictures + 1)]
    capture = FakeCapture(images, on_read=lambda: clock.advance(gap_s), **options)
    source = VideoSource(
        capture,
        name="camera 0",
        no_picture="no picture",
        lost_after_s=1.0,
        wait_for_first=True,
        clock=clock,
        wait=clock.advance,
    )
    return capture, source


def test_of_a_camera_one_picture_in_a_while_is_taken_and_it_is_as_new_as_any() -> None:
    _, source = slow_camera(40)
    source.give_every(1.0)
    frames = [frame for frame, _ in zip(source, range(3), strict=False)]
    assert [frame.image[0, 0, 0] for frame in frames] == [1, 9, 17]
    assert [frame.index for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize(
    ("interval_s", "asked"), [(60.0, 5.0), (0.15, 7.0), (0.01, 30.0), (0.0334, 30.0)]
)
def test_a_camera_is_asked_for_no_more_pictures_than_are_wanted(
    interval_s: float, asked: float
) -> None:
    capture, source = slow_camera(1)
    source.give_every(interval_s)
    assert capture.get(cv2.CAP_PROP_FPS) == asked


@pytest.mark.parametrize("gap_s", [1 / 30, 0.09])
def test_every_other_picture_goes_by_while_nothing_is_new(gap_s: float) -> None:
    _, source = slow_camera(40, gap_s)
    new = {1, 2, 9}
    last = 0
    source.rest_while(lambda: last not in new)
    numbers = []
    for frame in source:
        last = int(frame.image[0, 0, 0])
        numbers.append(last)
        if last > 15:
            break
    assert numbers == [1, 2, 3, 5, 7, 9, 10, 12, 14, 16]


def test_of_a_camera_with_few_pictures_none_goes_by() -> None:
    _, source = slow_camera(9)
    source.rest_while(lambda: True)
    assert [frame.image[0, 0, 0] for frame, _ in zip(source, range(8), strict=False)] == [
        *range(1, 9)
    ]


def test_while_nothing_is_new_answers_are_no_further_apart_than_was_asked() -> None:
    _, source = slow_camera(9, 0.05)
    source.give_every(0.05)
    source.rest_while(lambda: True)
    assert [frame.image[0, 0, 0] for frame, _ in zip(source, range(8), strict=False)] == [
        *range(1, 9)
    ]


def test_a_camera_that_goes_between_two_pictures_is_lost() -> None:
    _, source = slow_camera(5)
    source.give_every(1.0)
    frames = iter(source)
    next(frames)
    with pytest.raises(CameraLostError):
        next(frames)


def test_a_source_that_lets_pictures_go_by_is_closed_at_once() -> None:
    capture, source = slow_camera(200)
    source.give_every(60.0)
    frames = iter(source)
    next(frames)
    capture.on_read = source.close
    assert next(frames, None) is None
    assert capture.released
    assert not capture.released_under_a_read


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
