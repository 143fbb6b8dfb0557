from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_classifier.errors import InvalidValueError, NotImportableError
from edge_classifier.project.importers import Importer, LabelledPicture, Stretch, open_importer

FPS = 10


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds at 10 frames per second; each frame's grey is 8 times its number."""
    path = tmp_path_factory.mktemp("video") / "mug.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (64, 48))
    for number in range(30):
        writer.write(np.full((48, 64, 3), 8 * number, np.uint8))
    writer.release()
    return path


def frames(importer: Importer) -> list[int]:
    """Number of each frame, read off its grey."""
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    return [round(float(c.encoded().image.mean()) / 8) for c in found]


def test_every_nth_frame_of_a_stretch_is_taken_as_one_burst(video: Path) -> None:
    stretch = Stretch(every=4, from_s=0.5, to_s=2.0)
    importer = open_importer(video, class_name="mug", stretch=stretch)
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    assert frames(importer) == [5, 9, 13, 17]
    assert importer.count == 4
    assert {(c.class_name, c.group) for c in found} == {("mug", str(video))}
    assert found[0].source == f"{video} at 0.50 s"


def test_without_a_stretch_the_whole_video_is_meant(video: Path) -> None:
    assert frames(open_importer(video, class_name="mug")) == [0, 10, 20]


def test_a_stretch_behind_the_end_is_nothing(video: Path) -> None:
    with pytest.raises(NotImportableError, match="no picture"):
        open_importer(video, class_name="mug", stretch=Stretch(from_s=100))


def test_a_video_needs_a_class(video: Path) -> None:
    with pytest.raises(NotImportableError, match="--class NAME"):
        open_importer(video)


def test_what_cannot_be_played_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"hello")
    with pytest.raises(NotImportableError, match=r"x\.mp4"):
        open_importer(tmp_path / "x.mp4", class_name="mug")


@pytest.mark.parametrize(
    ("every", "from_s", "to_s"), [(0, 0.0, None), (1, -1.0, None), (1, 2.0, 1.0), (1, 1.0, 1.0)]
)
def test_a_stretch_that_makes_no_sense_is_refused(
    every: int, from_s: float, to_s: float | None
) -> None:
    with pytest.raises(InvalidValueError):
        Stretch(every, from_s, to_s)
