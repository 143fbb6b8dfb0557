"""What every source of frames promises: the fake beside the real thing."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import pytest
from support.fakes import FakeSource

from edge_classifier.device.errors import CameraNotFoundError
from edge_classifier.device.sources.named import open_source, open_source_or_pictures
from edge_classifier.device.sources.pictures import PictureFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.device.preprocessing import Image

SHARED = Path(os.environ.get("EDGE_CLASSIFIER_SHARED", "../shared"))
CLIP = SHARED / "data" / "clips" / "sign_help.mkv"
COUNT = 12
BITS = 5

OpenSource: TypeAlias = "Callable[[], FrameSource]"


def image_of(number: int) -> Image:
    """Draw a number as white and black stripes that survive JPEG."""
    image = np.zeros((48, BITS * 16, 3), np.uint8)
    for bit in range(BITS):
        image[:, bit * 16 : bit * 16 + 16] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: Image) -> int:
    """Read the number off a picture again."""
    return sum(
        int(image[:, bit * 16 + 4 : bit * 16 + 12].mean() > 127) << bit for bit in range(BITS)
    )


def write_video(path: Path, count: int = COUNT, fps: float = 25.0) -> Path:
    """Write numbered pictures as a Motion-JPEG file."""
    height, width = image_of(0).shape[:2]
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, fourcc, fps, (width, height))
    assert writer.isOpened()
    for number in range(count):
        writer.write(image_of(number))
    writer.release()
    return path


@pytest.fixture(params=["fake", "video", "paced video", "shared clip"])
def open_it(request: pytest.FixtureRequest, tmp_path: Path) -> OpenSource:
    """Open one of the sources, each time anew."""
    kind = request.param
    if kind == "fake":
        return lambda: FakeSource(image_of(number) for number in range(COUNT))
    if kind == "shared clip":
        if not CLIP.exists():
            pytest.skip(f"{CLIP} is not here")
        return lambda: open_source(str(CLIP), paced=False)
    path = write_video(tmp_path / "numbers.avi", fps=100.0)
    return lambda: open_source(str(path), paced=kind == "paced video")


def test_frames_are_numbered_from_zero_without_a_gap(open_it: OpenSource) -> None:
    indices = [frame.index for frame in open_it()]
    assert len(indices) >= COUNT
    assert indices == list(range(len(indices)))


def test_frames_come_in_the_order_of_capture(open_it: OpenSource) -> None:
    source = open_it()
    numbers = [number_in(frame.image) for frame in source]
    if "numbers.avi" in source.description or "fake" in source.description:
        assert numbers == list(range(COUNT))
    else:  # a clip carries no numbers; decoding it a second time gives the same pictures
        assert numbers == [number_in(frame.image) for frame in open_it()]


def test_timestamps_increase_and_capture_times_are_not_negative(open_it: OpenSource) -> None:
    frames = list(open_it())
    times = [frame.timestamp_s for frame in frames]
    assert all(before < after for before, after in itertools.pairwise(times))
    assert all(frame.capture_ms >= 0 for frame in frames)


def test_every_image_is_bgr_and_an_array_of_its_own(open_it: OpenSource) -> None:
    iterator = iter(open_it())
    first = next(iterator)
    as_it_was = first.image.copy()
    rest = list(iterator)
    assert first.image.dtype == np.uint8
    assert first.image.shape[2] == 3
    np.testing.assert_array_equal(first.image, as_it_was)
    assert not any(np.shares_memory(first.image, frame.image) for frame in rest)


def test_a_source_that_has_ended_stays_ended(open_it: OpenSource) -> None:
    source = open_it()
    assert list(source)
    assert list(source) == []


def test_a_second_iteration_goes_on_where_the_first_one_stopped(open_it: OpenSource) -> None:
    source = open_it()
    assert next(iter(source)).index == 0
    assert next(iter(source)).index == 1


def test_closing_twice_is_harmless_and_ends_the_frames(open_it: OpenSource) -> None:
    source = open_it()
    iterator = iter(source)
    next(iterator)
    source.close()
    source.close()
    assert next(iterator, None) is None
    assert list(source) == []


def test_closing_from_another_thread_ends_the_frames(open_it: OpenSource) -> None:
    source = open_it()
    seen = 0
    for _ in source:
        seen += 1
        thread = threading.Thread(target=source.close)
        thread.start()
        thread.join()
    assert seen == 1


def test_a_source_says_what_it_is_in_one_line(open_it: OpenSource) -> None:
    description = open_it().description
    assert description
    assert "fps" in description
    assert "\n" not in description


# Pictures, which have no rate


def test_pictures_come_by_their_names_and_what_is_none_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "below").mkdir()
    for number, name in enumerate(("a.png", "b.PNG", "below/c.png")):
        cv2.imwrite(str(tmp_path / name), image_of(number))
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not asked for", encoding="utf-8")
    source = open_source_or_pictures(str(tmp_path), paced=False)
    frames = list(source)
    assert [(frame.index, number_in(frame.image)) for frame in frames] == [(0, 0), (1, 1), (2, 2)]
    assert frames[2].name == str(tmp_path / "below" / "c.png")
    assert isinstance(source, PictureFiles)
    assert source.refused == 1
    assert capsys.readouterr().err.count("b.jpg is not a picture that can be read") == 1


def test_pictures_go_on_where_they_stopped_and_end_when_closed(tmp_path: Path) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image_of(number))
    source = open_source_or_pictures(str(tmp_path), paced=False)
    assert next(iter(source)).index == 0
    assert next(iter(source)).index == 1
    source.close()
    source.close()
    assert list(source) == []


@pytest.mark.parametrize("spec", ["nowhere", "~nobody-of-this-name", "x" * 5000])
def test_what_is_not_there_is_said_with_all_that_may_be_named(spec: str) -> None:
    with pytest.raises(CameraNotFoundError, match=f"There is no {spec}; name a camera's number"):
        open_source_or_pictures(spec, paced=False)
