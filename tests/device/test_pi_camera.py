"""The Pi's own camera, as far as that can be shown without one: by a stand-in for Picamera2."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.live_session import LiveSession
from support.picamera import PICAMERA2

from edge_classifier.commands import live
from edge_classifier.device.errors import CameraHungError, CameraLostError, CameraNotFoundError
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceStatus
from edge_classifier.device.sources.cameras import (
    CameraListing,
    default_source,
    list_cameras,
    open_camera,
)
from edge_classifier.device.sources.named import open_source, source_name
from edge_classifier.device.sources.picamera import PiCapture, full_view_mode
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Install the stand-in, and give its class."""
    monkeypatch.syspath_prepend(str(PICAMERA2))
    yield importlib.import_module("picamera2").Picamera2
    del sys.modules["picamera2"]


def edge(image: np.ndarray[Any, Any]) -> set[int]:
    """Give the values at a picture's edge, which are 255 only at that of the sensor."""
    return {int(v) for line in (image[0], image[-1], image[:, 0], image[:, -1]) for v in line.flat}


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


@pytest.mark.parametrize(("modes", "size"), [("IMX219", (640, 480)), ("IMX708", (848, 480))])
def test_all_that_the_lens_shows_is_seen(picamera2: Any, modes: str, size: tuple[int, int]) -> None:
    picamera2.modes = getattr(sys.modules["picamera2"], modes)
    source = open_source("picamera")
    image = next(iter(source)).image
    assert (image.shape[1], image.shape[0]) == size
    assert edge(image) == {255}
    source.close()


@pytest.mark.parametrize(
    ("modes", "taken"),
    [
        pytest.param(
            (
                ((640, 480), 58.9, (16, 0, 2560, 1920)),
                ((1296, 972), 43.25, (0, 0, 2592, 1944)),
                ((1920, 1080), 30.62, (348, 434, 1928, 1080)),
                ((2592, 1944), 15.63, (0, 0, 2592, 1944)),
            ),
            (1296, 972),
            id="the first camera, of 2013",
        ),
        pytest.param(
            (
                ((1332, 990), 120.05, (696, 528, 2664, 1980)),
                ((2028, 1080), 50.03, (0, 440, 4056, 2160)),
                ((2028, 1520), 40.01, (0, 0, 4056, 3040)),
                ((4056, 3040), 10.0, (0, 0, 4056, 3040)),
            ),
            (2028, 1520),
            id="the High Quality Camera",
        ),
        pytest.param(
            (
                ((1280, 720), 60.0, (400, 400, 2560, 1440)),
                ((2328, 1748), 15.0, (0, 0, 4656, 3496)),
                ((4656, 3496), 9.0, (0, 0, 4656, 3496)),
            ),
            (2328, 1748),
            id="slow in each of its whole modes",
        ),
        pytest.param(
            (((320, 240), 60.0, (0, 0, 320, 240)),), (320, 240), id="smaller than our picture"
        ),
    ],
)
def test_a_mode_that_is_fast_and_not_cropped_is_taken(modes: Any, taken: tuple[int, int]) -> None:
    listed = [{"size": s, "fps": f, "crop_limits": c} for s, f, c in modes]
    assert full_view_mode(listed)["size"] == taken


def test_a_usb_camera_that_picamera2_knows_is_read_too(picamera2: Any) -> None:
    picamera2.modes = ()
    source = open_source("picamera")
    assert next(iter(source)).image.shape == (480, 640, 3)
    source.close()


def test_a_camera_that_never_answers_is_told_and_closed(picamera2: Any) -> None:
    picamera2.hangs_after = 2
    capture = PiCapture(hung_after_s=0.2)
    assert [capture.read()[0] for _ in range(2)] == [True, True]
    with pytest.raises(CameraHungError, match="the Pi camera has not answered for 0 s"):
        capture.read()
    picamera2.close_hangs = True
    capture.release()
    assert not capture.isOpened()


def test_of_the_pi_camera_one_picture_in_a_while_is_copied(picamera2: Any) -> None:
    source = open_source("picamera")
    source.give_every(0.05)
    assert picamera2.controls == {"FrameDurationLimits": (50_000, 50_000)}
    frames = [frame for frame, _ in zip(source, range(3), strict=False)]
    assert len(frames) == 3
    assert frames[2].timestamp_s - frames[0].timestamp_s >= 0.1
    source.close()


def test_a_picamera2_made_for_another_numpy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picamera2.py").write_text(
        "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility.')",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CameraNotFoundError, match=r"numpy\.dtype size changed.*numpy<2"):
        open_source("picamera")


@pytest.fixture
def system(tmp_path: Path) -> dict[str, Path]:
    """Give the folders of a system without any video device."""
    folders = {"devices": tmp_path / "dev", "sysfs": tmp_path / "sys"}
    for folder in folders.values():
        folder.mkdir()
    return folders


def add_device(system: dict[str, Path], number: int, name: str) -> None:
    (system["devices"] / f"video{number}").touch()
    (system["sysfs"] / f"video{number}").mkdir()
    (system["sysfs"] / f"video{number}" / "name").write_text(f"{name}\n", encoding="utf-8")


PI_4 = {
    0: "unicam-image",
    1: "unicam-embedded",
    10: "bcm2835-codec-decode",
    13: "bcm2835-isp-output0",
}
PI_5 = {0: "rp1-cfe-csi2_ch0", 4: "rp1-cfe-fe_image0", 19: "rpi-hevc-dec", 20: "pispbe-input"}
WEBCAM = "HD Pro Webcam C920"

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list devices")


@linux
@pytest.mark.parametrize(
    ("devices", "meant"),
    [
        (PI_4, "picamera"),
        (PI_5, "picamera"),
        ({**PI_4, 8: WEBCAM}, "8"),
        ({0: WEBCAM, 1: WEBCAM, 10: "bcm2835-codec-decode"}, "0"),
        ({2: WEBCAM}, "2"),
        ({0: "mmal service 16.1"}, "0"),
        ({}, "0"),
    ],
)
def test_the_pis_own_devices_are_no_cameras_by_themselves(
    system: dict[str, Path], devices: dict[int, str], meant: str
) -> None:
    for number, name in devices.items():
        add_device(system, number, name)
    assert default_source(**system) == meant


@linux
def test_where_picamera2_is_installed_and_no_other_camera_is_there_it_is_meant(
    picamera2: Any, system: dict[str, Path]
) -> None:
    assert default_source(**system) == "picamera"
    assert picamera2.opened == 0


@linux
def test_who_names_one_of_its_devices_is_told_its_name(system: dict[str, Path]) -> None:
    add_device(system, 0, "unicam-image")
    with pytest.raises(CameraNotFoundError, match=r"camera 0 belongs to .* name `picamera`"):
        open_camera(system["devices"] / "video0", 0, cv2.VideoCapture, sysfs=system["sysfs"])


@linux
def test_it_is_listed_among_the_cameras_and_its_devices_are_not(
    picamera2: Any, system: dict[str, Path]
) -> None:
    for number, name in PI_4.items():
        add_device(system, number, name)
    assert list_cameras(devices=system["devices"], sysfs=system["sysfs"]) == (
        CameraListing("picamera", "", "imx219", 640, 480, 30.0),
    )
    picamera2.modes = ()  # a USB camera, which is listed by its number
    assert list_cameras(devices=system["devices"], sysfs=system["sysfs"]) == ()


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
