"""Cameras that the system knows by a number or a device, by OpenCV."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from ..errors import CameraNotFoundError
from .picamera import PI_CAMERA, PiCapture, pi_camera_can_be
from .video_source import FPS, HEIGHT, LOST_AFTER_S, WIDTH, VideoSource, open_capture_or_none

if TYPE_CHECKING:
    from .video_source import OpenCapture, VideoCapture

_MJPG: Final = 0x47504A4D
"""FOURCC `MJPG`: uncompressed pictures do not fit through USB 2 at this size and rate
together with a second device."""

_BUFFERS: Final = 2
"""Pictures that the driver keeps: with one it has nowhere to write while that one is read."""

_MOST_CAMERAS: Final = 10
"""How many numbers are tried on systems that do not list their cameras."""

_LINUX: Final = sys.platform.startswith("linux")

_HINT: Final = (
    "`edge-classifier cameras` lists what can be opened."
    if __name__.startswith("edge_classifier.")
    else "plug one in, or name a video, a folder or an address instead."  # in a bundle
)

DEVICES: Final = Path("/dev")
SYSFS: Final = Path("/sys/class/video4linux")

_PI_NODES: Final = re.compile(
    r"(bcm2835-)?unicam|bcm2835-(isp|codec)|rp1-cfe|pispbe|rpivid|rpi-hevc"
)
"""How the drivers call the steps between the Raspberry Pi's own camera and a picture, and its
codecs. Each is a device like a camera's."""


@dataclass(frozen=True, slots=True)
class CameraListing:
    """A camera that can be opened.

    Attributes:
        spec: What opens it: `0`, `picamera`.
        path: Its device, or empty where the system has none.
        name: As the driver calls it, or empty.
        width: Of the pictures that `open_source` will get, in pixels.
        height: Likewise.
        fps: Frames per second that the driver agreed to, or 0 where it does not tell.
    """

    spec: str
    path: str
    name: str
    width: int
    height: int
    fps: float


def list_cameras(
    *,
    open_capture: OpenCapture = cv2.VideoCapture,
    devices: Path = DEVICES,
    sysfs: Path = SYSFS,
) -> tuple[CameraListing, ...]:
    """Find out which cameras can be opened, by opening each of them.

    A camera that another program uses cannot be opened, so it is not listed.
    """
    quiet_opencv()
    found = []
    for number in _camera_numbers(devices):
        path = devices / f"video{number}"
        if _is_pi_node(path.name, sysfs):
            continue
        capture = _configured_camera(path if _LINUX else number, open_capture)
        if capture is not None:
            name = _driver_name(path.name, sysfs)
            found.append(_listing(capture, str(number), str(path) if _LINUX else "", name))
    if pi_camera_can_be():
        with contextlib.suppress(CameraNotFoundError):
            pi_camera = PiCapture()
            listing = _listing(pi_camera, PI_CAMERA, "", pi_camera.model)
            found += [listing] if pi_camera.is_own else []
    return tuple(found)


def default_source(*, devices: Path = DEVICES, sysfs: Path = SYSFS) -> str:
    """Say what is meant where nothing is named: the first camera, or else the Pi's own.

    Devices of the Pi's own camera are no cameras to OpenCV: of them only Picamera2 gets pictures.
    """
    numbers = _camera_numbers(devices)
    cameras = [n for n in numbers if not _is_pi_node(f"video{n}", sysfs)]
    if not cameras and (numbers or pi_camera_can_be()):
        return PI_CAMERA
    return str(min(cameras, default=0))


def open_camera(
    path: Path,
    number: int | None,
    open_capture: OpenCapture,
    *,
    wait_for_first: bool = False,
    sysfs: Path = SYSFS,
) -> VideoSource:
    """Open a camera by its device, or by its number where devices have no path.

    Raises:
        CameraNotFoundError: if there is none, or it gives no picture.
    """
    name = f"camera {number}" if number is not None else str(path)
    if _LINUX or number is None:
        # Looked for first: OpenCV takes its time to find out, and cannot say why it failed.
        if not os.path.exists(path):  # noqa: PTH110 - False for any string, where Path's raises
            raise CameraNotFoundError(f"There is no {name}; {_HINT}")
        if not os.access(path, os.R_OK | os.W_OK):
            raise CameraNotFoundError(
                f"{name} may not be opened by you; `sudo usermod -aG video $USER` and a new "
                "login allow it."
            )
    if _is_pi_node(path.name, sysfs):
        raise CameraNotFoundError(
            f"{name} belongs to the Raspberry Pi's own camera or codecs, and gives no pictures "
            f"by itself; name `{PI_CAMERA}`, which is that camera."
        )
    capture = _configured_camera(path if _LINUX or number is None else number, open_capture)
    if capture is None:
        raise CameraNotFoundError(f"{name} cannot be opened; is another program using it? {_HINT}")
    return VideoSource(
        capture,
        name=name,
        no_picture=f"{name} opens but gives no picture; is another program using it? {_HINT}",
        lost_after_s=LOST_AFTER_S,
        wait_for_first=wait_for_first,
    )


def quiet_opencv() -> None:
    """Keep FFmpeg from writing to the user's terminal, where our own errors say what it would.

    Environment variables that the user has set win; OpenCV reads these at the first capture.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    # Seconds until a camera that delivers nothing is given up; its default is 10.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")


def _configured_camera(device: Path | int, open_capture: OpenCapture) -> VideoCapture | None:
    """Open a camera and ask for what suits; it may then run at something else.

    The order matters: on V4L2 each setting resets the stream, a width does nothing before its
    height, and a rate is only valid for the format and size it was asked for.
    """
    backend = cv2.CAP_V4L2 if isinstance(device, Path) else cv2.CAP_ANY
    target = str(device) if isinstance(device, Path) else device
    capture = open_capture_or_none(open_capture, target, backend)
    if capture is not None:
        for setting, value in (
            (cv2.CAP_PROP_BUFFERSIZE, _BUFFERS),
            (cv2.CAP_PROP_FOURCC, _MJPG),
            (cv2.CAP_PROP_FRAME_WIDTH, WIDTH),
            (cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT),
            (cv2.CAP_PROP_FPS, FPS),
        ):
            capture.set(setting, value)
    return capture


def _camera_numbers(devices: Path) -> list[int]:
    """Give the numbers of what may be a camera, in order."""
    if not _LINUX:
        return list(range(_MOST_CAMERAS))
    matches = (re.fullmatch(r"video(\d{1,4})", path.name) for path in devices.glob("video*"))
    return sorted(int(match[1]) for match in matches if match)


def _listing(capture: VideoCapture, spec: str, path: str, name: str) -> CameraListing:
    listing = CameraListing(
        spec=spec,
        path=path,
        name=name,
        width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        fps=max(0.0, float(capture.get(cv2.CAP_PROP_FPS))),
    )
    capture.release()
    return listing


def _is_pi_node(device: str, sysfs: Path) -> bool:
    return _PI_NODES.match(_driver_name(device, sysfs)) is not None


def _driver_name(device: str, sysfs: Path) -> str:
    try:
        return (sysfs / device / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
