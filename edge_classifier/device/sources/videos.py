"""Video files and streams, by OpenCV's FFmpeg."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from ..errors import CameraNotFoundError
from ..files import open_regular
from ..jpeg import jpeg_layout
from ..media import GIF, JPEG, MJPEG, MOVING_GIF, MOVING_PNG, PNG, START_BYTES, Medium, kind_of
from .video_source import VideoSource, is_text, open_capture_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..media import Kind
    from .video_source import OpenCapture, VideoCapture

_STREAM_LOST_AFTER_S: Final = 0.0  # a read that fails has waited for `_URL_TIMEOUT_S` already
_URL_TIMEOUT_S: Final = 4.0
_URL_SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "tcp", "udp")

_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_opening: Final = threading.Lock()
_FIRST_PICTURE_BYTES: Final = 16 * 1024 * 1024
_MOST_PIXELS: Final = 36_000_000
"""8K is 33 million; FFmpeg keeps up to 17 pictures of 1.5 bytes a pixel."""


def open_stream(
    url: str,
    name: str,
    open_capture: OpenCapture,
    *,
    paced: bool,
    wait_for_first: bool = False,
    any_scheme: bool = False,
) -> VideoSource:
    """Open an address; one that has an end is played as a file is.

    Raises:
        CameraNotFoundError: if it gives no video.
    """
    scheme = url.partition("://")[0].lower()
    if not any_scheme and scheme not in _URL_SCHEMES:
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
    capture = open_capture_or_none(open_capture, url, cv2.CAP_FFMPEG, timeouts)
    if capture is None:
        raise CameraNotFoundError(no_picture)
    finite = capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0
    return VideoSource(
        capture,
        name=name,
        no_picture=no_picture,
        lost_after_s=None if finite else _STREAM_LOST_AFTER_S,
        paced=finite and paced,
        wait_for_first=wait_for_first,
    )


def open_file(spec: str, name: str, open_capture: OpenCapture, *, paced: bool) -> VideoSource:
    """Open a video file.

    Raises:
        CameraNotFoundError: if it is none.
    """
    no_picture = (
        f"{spec!r} is not a video that can be played; it may be damaged, or hold sound only."
    )
    path, kind = video_file(spec)
    capture = _open_as(path, kind, open_capture)
    if capture is None:
        raise CameraNotFoundError(no_picture)
    width, height = (
        capture.get(side) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > _MOST_PIXELS:
        capture.release()
        raise CameraNotFoundError(
            f"{spec!r} has pictures of {width:.0f} x {height:.0f} pixels, more than "
            f"{_MOST_PIXELS:,}; make it smaller."
        )
    return VideoSource(capture, name=name, no_picture=no_picture, paced=paced)


def _open_as(path: str, kind: Kind, open_capture: OpenCapture) -> VideoCapture | None:
    """Open a file as what it is, whatever it is called and whatever else FFmpeg could play.

    FFmpeg takes its options from the environment only. They are ours for a file: told to, it would
    read a list of other files, or fetch some.
    """
    options = f"input_format;{kind.demuxer}|protocol_whitelist;file,fd"
    with _opening, _file_for_ffmpeg(path) as name:
        before = os.environ.get(_OPTIONS)
        os.environ[_OPTIONS] = options
        try:
            return open_capture_or_none(open_capture, name, cv2.CAP_FFMPEG)
        finally:
            if before is None:
                del os.environ[_OPTIONS]
            else:
                os.environ[_OPTIONS] = before


@contextmanager
def _file_for_ffmpeg(path: str) -> Iterator[str]:
    """Give a name of a file that FFmpeg can take: OpenCV crashes on one that is no text."""
    if is_text(path):
        yield path
        return
    with open_regular(path) as file:
        yield f"/dev/fd/{file.fileno()}"


def video_file(spec: str) -> tuple[str, Kind]:
    """Give the absolute path of a video, and its kind, which its content tells.

    Raises:
        CameraNotFoundError: if it is none.
    """
    if not spec:
        raise CameraNotFoundError(
            "No source is named; give a camera's number, a file or an address."
        )
    try:
        path = Path(spec).expanduser()
        status = path.stat()
    except (OSError, ValueError, RuntimeError):
        raise CameraNotFoundError(
            f"There is no file {spec!r}; give a camera's number, a video file or an address."
        ) from None
    if stat.S_ISDIR(status.st_mode):
        raise CameraNotFoundError(f"{spec!r} is a folder; name a video file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise CameraNotFoundError(f"{spec!r} is neither a video file nor a camera.")
    if status.st_size == 0:
        raise CameraNotFoundError(f"{spec!r} is empty.")
    try:
        kind = kind_of_source(path)
    except OSError:
        raise CameraNotFoundError(
            f"{spec!r} may not be read by you; change its permissions."
        ) from None
    if kind is not None and kind.medium is Medium.PICTURE:
        raise CameraNotFoundError(
            f"{spec!r} is a picture; a source is a video. `edge-classifier predict` takes pictures."
        )
    if kind is None or kind.medium is not Medium.VIDEO:
        what = f" but {kind.name}" if kind else "; it may be damaged, or no video at all"
        raise CameraNotFoundError(f"{spec!r} is not a video that can be played{what}.")
    # Absolute, so that FFmpeg cannot take a file's name (`concat:…`) for a protocol.
    return str(path.resolve()), kind


def kind_of_source(path: Path) -> Kind | None:
    """Tell what a file is that was named as a source: then pictures that move are a video.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(path) as file:
        kind = kind_of(file.read(START_BYTES))
        if kind not in (GIF, PNG, JPEG):
            return kind
        file.seek(0)
        data = file.read(_FIRST_PICTURE_BYTES)
    if kind is GIF:
        return MOVING_GIF
    if kind is PNG:
        return MOVING_PNG if 0 < data.find(b"acTL") < data.find(b"IDAT") else PNG
    layout = jpeg_layout(data)
    if layout is None or layout.has_more_pictures or kind_of(data[layout.end :]) is not JPEG:
        return JPEG
    return MJPEG
