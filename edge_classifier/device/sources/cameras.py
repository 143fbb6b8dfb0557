"""From what a user names (a camera, a file, an address) to a source of frames, by OpenCV."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import cv2
import cv2.utils.logging

from ..errors import CameraNotFoundError
from .opencv_source import Capture, OpenCVSource

OpenCapture: TypeAlias = Callable[..., Capture]
"""Opens as `cv2.VideoCapture(target, backend, parameters)` does."""

WIDTH: Final = 640
HEIGHT: Final = 480
FPS: Final = 30
"""What is asked of a camera: every webcam can do it, and no backbone looks at more."""

_MJPG: Final = 0x47504A4D
"""FOURCC `MJPG`: uncompressed pictures do not fit through USB 2 at this size and rate
together with a second device."""

_BUFFERS: Final = 2
"""Pictures that the driver keeps: with one it has nowhere to write while that one is read."""

_CAMERA_LOST_AFTER_S: Final = 1.0
_STREAM_LOST_AFTER_S: Final = 0.0  # a read that fails has waited for `_URL_TIMEOUT_S` already
_URL_TIMEOUT_S: Final = 4.0
_URL_SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "tcp", "udp")

_MOVING_PICTURES: Final = (".gif", ".apng", ".mjpg", ".mjpeg")
"""Videos that begin as a picture file does."""

_MOST_CAMERAS: Final = 10
"""How many numbers are tried on systems that do not list their cameras."""

_LIST_HINT: Final = "`edge-classifier cameras` lists what can be opened."

DEVICES: Final = Path("/dev")
SYSFS: Final = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class CameraListing:
    """A camera that can be opened.

    Attributes:
        spec: What opens it: `0`.
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


def source_name(spec: str) -> str:
    """Say what a specification names, for the user: `camera 0`, `clip.avi`, an address.

    An address is given without password and query, which may be a secret.
    """
    spec = spec.strip()
    if _is_number(spec):
        return f"camera {int(spec)}"
    if "://" in spec:
        try:
            parts = urlsplit(spec)
        except ValueError:
            return "the address"
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if _is_device(spec, DEVICES):
        return spec
    name = Path(spec).name or spec
    return name if name.isprintable() else ascii(name)[1:-1]


def open_source(
    spec: str,
    *,
    paced: bool = True,
    open_capture: OpenCapture = cv2.VideoCapture,
    devices: Path = DEVICES,
) -> OpenCVSource:
    """Open a camera, a video file or a stream.

    Args:
        spec: A camera's number (`0`), a device (`/dev/video0`), a video file, or an address
            (`rtsp://…`, `http://…`).
        paced: Whether a video plays at its own speed, or as fast as its frames are taken.
        open_capture: Opens the device; replaced in tests.
        devices: Where the system keeps its devices.

    Raises:
        CameraNotFoundError: if there is nothing that can be opened.
        CameraError: if it gives pictures that cannot be used.
    """
    _quiet_opencv()
    spec = spec.strip()
    if _is_number(spec):
        return _open_camera(devices / f"video{int(spec)}", int(spec), open_capture)
    if "://" in spec:
        return _open_stream(spec, open_capture, paced=paced)
    if _is_device(spec, devices):
        return _open_camera(Path(spec), None, open_capture)
    return _open_file(spec, open_capture, paced=paced)


def check_source(spec: str, *, devices: Path = DEVICES) -> None:
    """Refuse what names a file that is no video, before anything is begun with it.

    Args:
        spec: As in `open_source`.
        devices: Where the system keeps its devices.

    Raises:
        CameraNotFoundError: if there is no such file, or it cannot be a video.
    """
    spec = spec.strip()
    if not (_is_number(spec) or "://" in spec or _is_device(spec, devices)):
        _video_file(spec)


def list_cameras(
    *,
    open_capture: OpenCapture = cv2.VideoCapture,
    devices: Path = DEVICES,
    sysfs: Path = SYSFS,
) -> tuple[CameraListing, ...]:
    """Find out which cameras can be opened, by opening each of them.

    A camera that another program uses cannot be opened, so it is not listed.
    """
    _quiet_opencv()
    linux = sys.platform.startswith("linux")
    if linux:
        matches = (re.fullmatch(r"video(\d{1,4})", path.name) for path in devices.glob("video*"))
        numbers = sorted(int(match[1]) for match in matches if match)
    else:
        numbers = list(range(_MOST_CAMERAS))
    found = []
    for number in numbers:
        path = devices / f"video{number}"
        capture = _configured_camera(path if linux else number, open_capture)
        if capture is None:
            continue
        found.append(
            CameraListing(
                spec=str(number),
                path=str(path) if linux else "",
                name=_driver_name(sysfs / path.name),
                width=int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                height=int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
                fps=max(0.0, float(capture.get(cv2.CAP_PROP_FPS))),
            )
        )
        capture.release()
    return tuple(found)


def _is_number(spec: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", spec) is not None


def _is_device(spec: str, devices: Path) -> bool:
    path = Path(spec)
    try:
        return path.is_relative_to(devices) or stat.S_ISCHR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _driver_name(folder: Path) -> str:
    try:
        return (folder / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _quiet_opencv() -> None:
    """Keep OpenCV and FFmpeg from writing to the user's terminal.

    All that they say there is said by our own errors. Environment variables that the user has
    set win; OpenCV reads the two below at the first capture.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    # Seconds until a camera that delivers nothing is given up; its default is 10.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _open(open_capture: OpenCapture, target: str | int, *options: Any) -> Capture | None:  # noqa: ANN401 - as OpenCV takes them
    """Open a capture, or give `None`."""
    try:
        capture = open_capture(target, *options)
    except cv2.error:
        return None
    if capture.isOpened():
        return capture
    capture.release()
    return None


def _configured_camera(device: Path | int, open_capture: OpenCapture) -> Capture | None:
    """Open a camera and ask for what suits; it may then run at something else.

    The order matters: on V4L2 each setting resets the stream, a width does nothing before its
    height, and a rate is only valid for the format and size it was asked for.
    """
    backend = cv2.CAP_V4L2 if isinstance(device, Path) else cv2.CAP_ANY
    target = str(device) if isinstance(device, Path) else device
    capture = _open(open_capture, target, backend)
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


def _open_camera(path: Path, number: int | None, open_capture: OpenCapture) -> OpenCVSource:
    """Open a camera by its device, or by its number where devices have no path."""
    name = f"camera {number}" if number is not None else str(path)
    linux = sys.platform.startswith("linux")
    if linux or number is None:
        # Looked for first: OpenCV takes its time to find out, and cannot say why it failed.
        if not _exists(path):
            raise CameraNotFoundError(f"There is no {name}; {_LIST_HINT}")
        if not os.access(path, os.R_OK | os.W_OK):
            raise CameraNotFoundError(
                f"{name} may not be opened by you; `sudo usermod -aG video $USER` and a new "
                "login allow it."
            )
    capture = _configured_camera(path if linux or number is None else number, open_capture)
    if capture is None:
        raise CameraNotFoundError(
            f"{name} cannot be opened; is another program using it? {_LIST_HINT}"
        )
    return OpenCVSource(
        capture,
        name=name,
        no_picture=f"{name} opens but gives no picture; is another program using it? {_LIST_HINT}",
        lost_after_s=_CAMERA_LOST_AFTER_S,
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _open_stream(url: str, open_capture: OpenCapture, *, paced: bool) -> OpenCVSource:
    """Open an address; one that has an end is played as a file is."""
    name = source_name(url)
    scheme = url.partition("://")[0].lower()
    if scheme not in _URL_SCHEMES:
        raise CameraNotFoundError(
            f"{scheme}:// is no kind of address that can be played; known are "
            f"{', '.join(_URL_SCHEMES)}."
        )
    timeout_ms = int(_URL_TIMEOUT_S * 1000)
    timeouts = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms),
    ]
    no_picture = (
        f"{name} gives no video (waited at most {_URL_TIMEOUT_S:.0f} s); check the address, "
        "and that the device is on."
    )
    capture = _open(open_capture, url, cv2.CAP_FFMPEG, timeouts)
    if capture is None:
        raise CameraNotFoundError(no_picture)
    finite = capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0
    return OpenCVSource(
        capture,
        name=name,
        no_picture=no_picture,
        lost_after_s=None if finite else _STREAM_LOST_AFTER_S,
        paced=finite and paced,
    )


def _video_file(spec: str) -> str:
    """Give the absolute path of a file that may be a video.

    Raises:
        CameraNotFoundError: if it is none.
    """
    if not spec:
        raise CameraNotFoundError(
            "No source is named; give a camera's number, a file or an address."
        )
    try:
        path = Path(spec).expanduser()
        mode, size = path.stat().st_mode, path.stat().st_size
    except (OSError, ValueError, RuntimeError):
        raise CameraNotFoundError(
            f"There is no file {spec!r}; give a camera's number, a video file or an address."
        ) from None
    if stat.S_ISDIR(mode):
        raise CameraNotFoundError(f"{spec!r} is a folder; name a video file in it.")
    if not stat.S_ISREG(mode):
        raise CameraNotFoundError(f"{spec!r} is neither a video file nor a camera.")
    if size == 0:
        raise CameraNotFoundError(f"{spec!r} is empty.")
    if not os.access(path, os.R_OK):
        raise CameraNotFoundError(f"{spec!r} may not be read by you; change its permissions.")
    # Absolute, so that FFmpeg cannot take a file's name (`concat:…`) for a protocol.
    absolute = str(path.resolve())
    if path.suffix.lower() not in _MOVING_PICTURES and cv2.haveImageReader(absolute):
        raise CameraNotFoundError(
            f"{spec!r} is a picture; a source is a video. `edge-classifier predict` takes pictures."
        )
    return absolute


def _open_file(spec: str, open_capture: OpenCapture, *, paced: bool) -> OpenCVSource:
    """Open a video file."""
    no_picture = (
        f"{spec!r} is not a video that can be played; it may be damaged, or no video at all."
    )
    capture = _open(open_capture, _video_file(spec), cv2.CAP_FFMPEG)
    if capture is None:
        raise CameraNotFoundError(no_picture)
    return OpenCVSource(capture, name=source_name(spec), no_picture=no_picture, paced=paced)
