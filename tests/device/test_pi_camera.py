"""The Pi's own camera, as far as that can be shown without one: by a stand-in for Picamera2."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.live_session import LiveSession
from support.picamera import PICAMERA2

from edge_classifier.commands import live
from edge_classifier.device.errors import CameraLostError, CameraNotFoundError
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceStatus
from edge_classifier.device.sources.named import open_source, source_name
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install the stand-in, and give its class."""
    monkeypatch.syspath_prepend(str(PICAMERA2))
    yield importlib.import_module("picamera2").Picamera2
    del sys.modules["picamera2"]


def test_it_gives_numbered_frames_in_bgr_and_says_what_it_is(picamera2: Any) -> None:
    source = open_source("picamera")
    assert source.description == "the Pi camera, 640x480 at 30 fps"
    frames = iter(source)
    first, second = next(frames), next(frames)
    assert (first.index, second.index) == (0, 1)
    assert first.name == source_name("picamera") == "the Pi camera"
    assert first.image.shape == (480, 640, 3)
    assert first.image.dtype == np.uint8
    assert first.image[1, 1].tolist() == [200, 100, 50]
    assert not np.shares_memory(first.image, second.image)
    source.close()
    source.close()
    assert next(frames, None) is None
    assert picamera2.opened == 1


def test_without_picamera2_it_is_said_how_to_get_it() -> None:
    with pytest.raises(CameraNotFoundError, match="sudo apt install python3-picamera2"):
        open_source("picamera")


def test_a_camera_that_does_not_start_is_one_line(picamera2: Any) -> None:
    picamera2.lasts = 0
    with pytest.raises(CameraNotFoundError, match="The Pi camera cannot be opened: Camera __init_"):
        open_source("picamera")


def test_a_camera_that_breaks_off_is_lost(picamera2: Any) -> None:
    picamera2.lasts = 3
    frames = iter(open_source("picamera"))
    assert [next(frames).index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(CameraLostError, match="the Pi camera is gone"):
        next(frames)


def test_the_live_window_reads_it_and_opens_it_again_when_it_was_lost(
    picamera2: Any, tmp_path: Path
) -> None:
    picamera2.lasts = 3
    with ProjectStore.create(tmp_path / "p") as store:
        started = LiveSession(store)
        options = Namespace(source="picamera", mirror=None, unpaced=False)
        name, open_it = live._source(options, started.session)
        seen: list[int] = []
        with FrameReader(open_it, name=name, retry_s=0.0, drop=False) as reader:
            while len(seen) < 5:
                frame = reader.take(10.0)
                if frame is not None:
                    seen.append(frame.index)
                    picamera2.lasts = 1_000_000  # the next one that is opened
        assert seen == [0, 1, 2, 3, 4]
        assert reader.state.status is SourceStatus.RUNNING
        started.close()
    assert name == "the Pi camera"
    assert picamera2.opened == 2
