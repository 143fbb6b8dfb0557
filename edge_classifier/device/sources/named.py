"""From what a user names (a camera, a file, an address) to a source of frames."""

from __future__ import annotations

import os
import re
import stat
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import cv2

from ..errors import CameraNotFoundError
from ..media import Medium
from .cameras import DEVICES, open_camera, quiet_opencv
from .picamera import PI_CAMERA, PI_CAMERA_NAME, open_pi_camera
from .pictures import PictureFiles
from .videos import kind_of_source, open_file, open_stream, video_file

if TYPE_CHECKING:
    from .video_source import OpenCapture, VideoSource


class SourceKind(Enum):
    """What can be named."""

    CAMERA = "a camera's number or device"
    PI_CAMERA = "the Raspberry Pi's own camera"
    STREAM = "an address"
    FILE = "a file or a folder"

    @property
    def is_camera(self) -> bool:
        """Whether it is a camera at this machine, whose picture people expect to be a mirror."""
        return self in (SourceKind.CAMERA, SourceKind.PI_CAMERA)


def kind_of(spec: str, *, devices: Path = DEVICES) -> SourceKind:
    """Say what a specification names, whether or not it is there."""
    spec = spec.strip()
    if spec == PI_CAMERA:
        return SourceKind.PI_CAMERA
    if _is_number(spec):
        return SourceKind.CAMERA
    if "://" in spec:
        return SourceKind.STREAM
    return SourceKind.CAMERA if _is_device(spec, devices) else SourceKind.FILE


def source_name(spec: str) -> str:
    """Name a source for the user: `camera 0`, `clip.avi`, an address.

    An address is given without password and query, which may be a secret.
    """
    spec = spec.strip()
    kind = kind_of(spec)
    if kind is SourceKind.PI_CAMERA:
        return PI_CAMERA_NAME
    if kind is SourceKind.CAMERA:
        return f"camera {int(spec)}" if _is_number(spec) else spec
    if kind is SourceKind.STREAM:
        try:
            parts = urlsplit(spec)
        except ValueError:
            return "the address"
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    name = Path(spec).name or spec
    return name if name.isprintable() else ascii(name)[1:-1]


def open_source(
    spec: str,
    *,
    paced: bool = True,
    open_capture: OpenCapture = cv2.VideoCapture,
    devices: Path = DEVICES,
) -> VideoSource:
    """Open a camera, a video file or a stream.

    `spec` is a camera's number (`0`), a device (`/dev/video0`), `picamera`, a video file, or an
    address (`rtsp://…`, `http://…`). A `paced` video plays at its own speed, else as fast as its
    frames are taken. `devices` is where the system keeps its devices.

    Raises:
        CameraNotFoundError: if there is nothing that can be opened.
        CameraError: if it gives pictures that cannot be used.
    """
    return _open(spec, open_capture, devices, paced=paced, on_device=False)


def _open(
    spec: str, open_capture: OpenCapture, devices: Path, *, paced: bool, on_device: bool
) -> VideoSource:
    """Open a source.

    On a device nobody sees that a camera gives nothing yet: it is waited for. And whatever FFmpeg
    can play may be named: its user has no window that asks for something else.
    """
    quiet_opencv()
    spec = spec.strip()
    kind = kind_of(spec, devices=devices)
    name = source_name(spec)
    if kind is SourceKind.PI_CAMERA:
        return open_pi_camera(wait_for_first=on_device)
    if kind is SourceKind.STREAM:
        return open_stream(
            spec, name, open_capture, paced=paced, wait_for_first=on_device, any_scheme=on_device
        )
    if kind is SourceKind.FILE:
        return open_file(spec, name, open_capture, paced=paced)
    number = int(spec) if _is_number(spec) else None
    path = Path(spec) if number is None else devices / f"video{number}"
    return open_camera(path, number, open_capture, wait_for_first=on_device)


def open_source_or_pictures(spec: str, *, paced: bool) -> VideoSource | PictureFiles:
    """Open what `open_source` opens, a picture, or a folder of pictures; for a device.

    Raises:
        CameraNotFoundError: if there is nothing that can be opened.
        CameraError: if it gives pictures that cannot be used.
    """
    if kind_of(spec) is SourceKind.FILE:
        path = Path(os.path.expanduser(spec))  # noqa: PTH111 - leaves ~nobody be, where Path's raises
        if not os.path.exists(path):  # noqa: PTH110 - False for any string, where Path's raises
            raise CameraNotFoundError(
                f"There is no {spec}; name a camera's number, a picture, a folder, a video or an "
                "address."
            )
        if path.is_dir() or _is_picture(path):
            return PictureFiles(path)
    return _open(spec, cv2.VideoCapture, DEVICES, paced=paced, on_device=True)


def check_source(spec: str) -> None:
    """Refuse what names a file that is no video, before anything is begun with it.

    Raises:
        CameraNotFoundError: if there is no such file, or it cannot be a video.
    """
    if kind_of(spec) is SourceKind.FILE:
        video_file(spec.strip())


def _is_picture(path: Path) -> bool:
    try:
        kind = kind_of_source(path) if path.is_file() else None
    except OSError:
        return False
    return kind is not None and kind.medium is not Medium.VIDEO


def _is_number(spec: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", spec) is not None


def _is_device(spec: str, devices: Path) -> bool:
    path = Path(spec)
    try:
        return path.is_relative_to(devices) or stat.S_ISCHR(path.stat().st_mode)
    except (OSError, ValueError):
        return False
