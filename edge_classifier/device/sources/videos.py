"""Video files and streams, by OpenCV's FFmpeg."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from ..errors import CameraNotFoundError
from .video_source import VideoSource, is_picture_file, is_text, open_capture_or_none

if TYPE_CHECKING:
    from .video_source import OpenCapture

_STREAM_LOST_AFTER_S: Final = 0.0  # a read that fails has waited for `_URL_TIMEOUT_S` already
_URL_TIMEOUT_S: Final = 4.0
_URL_SCHEMES: Final = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "tcp", "udp")

MOVING_PICTURES: Final = (".gif", ".apng", ".mjpg", ".mjpeg")
"""Videos that begin as a picture file does."""


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


def open_file(
    spec: str, name: str, open_capture: OpenCapture, *, paced: bool, is_pipe: bool = False
) -> VideoSource:
    """Open a video file, or a named pipe of which it is known that it is one.

    Raises:
        CameraNotFoundError: if it is none.
    """
    no_picture = (
        f"{spec!r} is not a video that can be played; it may be damaged, or no video at all."
    )
    capture = open_capture_or_none(
        open_capture, str(Path(spec).resolve()) if is_pipe else video_file(spec), cv2.CAP_FFMPEG
    )
    if capture is None:
        raise CameraNotFoundError(no_picture)
    return VideoSource(capture, name=name, no_picture=no_picture, paced=paced)


def video_file(spec: str) -> str:
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
    if not os.access(path, os.R_OK):
        raise CameraNotFoundError(f"{spec!r} may not be read by you; change its permissions.")
    # Absolute, so that FFmpeg cannot take a file's name (`concat:…`) for a protocol.
    absolute = str(path.resolve())
    if not is_text(absolute):
        raise CameraNotFoundError(f"{absolute!r} has a path that is no text (UTF-8); rename it.")
    if path.suffix.lower() not in MOVING_PICTURES and is_picture_file(path):
        raise CameraNotFoundError(
            f"{spec!r} is a picture; a source is a video. `edge-classifier predict` takes pictures."
        )
    return absolute
