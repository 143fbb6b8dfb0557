"""Picture files to pixels and back, guarded against files made to exhaust the memory.

There is one reader for every use (samples, imports, `predict`), so that a file has the same
pixels everywhere. Which library decodes follows from the file's content alone: OpenCV for a
JPEG file in grey or colour, as on a device; Pillow for all else (see `pillow_image`).
"""

from __future__ import annotations

import hashlib
import struct
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.preprocessing import check_image
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.files import describe
from edge_classifier.project.pillow_image import (
    LARGE,
    LARGE_PIXELS,
    encode_png,
    read_with_pillow,
    too_many_pixels,
)
from edge_classifier.values import EncodedImage

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image

IMAGE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
)
"""What counts as a picture in a class folder, in lower case."""

MAX_PIXELS: Final = 64_000_000
"""8000 x 8000. The costliest kind to decode, a progressive JPEG, then takes about 0.6 GB."""

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Larger than an uncompressed picture of `MAX_PIXELS`."""

THUMBNAIL_SIZE: Final = 96
"""Longest side of a thumbnail in pixels."""

# Quality 95 keeps the error (0.6 grey levels rms on a clean 640x480 picture) below a camera's
# own noise. 4:2:0 makes files 0.6 times as large as 4:4:4, and encoding plus decoding 1.8 times
# as fast (1.8 against 3.0 ms); a camera's own MJPG is 4:2:0 or 4:2:2 already, and its colour
# still has more pixels than a network's 224 x 224 input.
_ENCODING: Final = (
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
)
_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_NO_SIZE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN: Final = 0xDA
_JPEG_SCAN_MARKER: Final = b"\xff\xda"
_MAX_SCANS: Final = 200
"""A progressive file has about ten. One of 10,000 empty scans is 0.5 MB and takes a minute."""
_CMYK: Final = 4


def encode_image(image: Image) -> EncodedImage:
    """Turn a picture, `(H, W, 3)` BGR, into what is stored: a JPEG file, and the pixels it holds.

    Raises:
        InvalidImageError: if it is no such array, or larger than a JPEG file can be.
    """
    check_image(image)
    height, width = image.shape[:2]
    if height * width > MAX_PIXELS or max(height, width) > 65_500:  # noqa: PLR2004 - libjpeg's limit
        raise InvalidImageError(
            f"A picture of {width} x {height} pixels is too large to store; make it smaller."
        )
    data = cv2.imencode(".jpg", image, _ENCODING)[1]
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    content = data.tobytes()
    return EncodedImage(content, decoded, hashlib.sha256(content).hexdigest())


def read_image(path: Path) -> Image:
    """Read a picture, BGR, of any kind: upright, transparent places white, the first frame.

    Raises:
        InvalidImageError: if it cannot be read, is no whole picture, or is too large.
    """
    return decode_image(read_image_bytes(path), str(path))


def decode_image(data: bytes, name: str) -> Image:
    """Decode the bytes of a picture file as `read_image` does; its name is for the user.

    Raises:
        InvalidImageError: if it is no whole picture, or is too large.
    """
    _check(data, name)
    if _is_plain_jpeg(data):
        return _decode_jpeg(data, name, cv2.IMREAD_COLOR)
    return read_with_pillow(data, name, MAX_PIXELS)[0]


def encode_file(data: bytes, name: str) -> EncodedImage:
    """Turn the bytes of a picture file into what is stored, without any loss.

    A JPEG file that OpenCV reads, and a PNG file that needs no conversion, stay as they are;
    everything else becomes a PNG file of the pixels that `decode_image` gives.

    Raises:
        InvalidImageError: as with `decode_image`.
    """
    _check(data, name)
    suffix = ".png"
    if _is_plain_jpeg(data):
        suffix, image = ".jpg", _decode_jpeg(data, name, cv2.IMREAD_COLOR)
    else:
        image, is_plain_png = read_with_pillow(data, name, MAX_PIXELS)
        if not is_plain_png:
            data = encode_png(image)
    return EncodedImage(data, image, hashlib.sha256(data).hexdigest(), suffix)


def read_thumbnail(path: Path) -> Image:
    """Read a picture, BGR, small: its longest side is at most `THUMBNAIL_SIZE` pixels.

    Raises:
        InvalidImageError: as with `read_image`.
    """
    data = read_image_bytes(path)
    _check(data, str(path))
    if _is_plain_jpeg(data):
        # a whole factor is decoded for free; what is left is averaged below
        factor = max(image_size(data) or (1, 1)) // THUMBNAIL_SIZE
        reduced = next((flag for least, flag in _REDUCED if factor >= least), cv2.IMREAD_COLOR)
        image = _decode_jpeg(data, str(path), reduced)
    else:
        image = decode_image(data, str(path))
    height, width = image.shape[:2]
    scale = THUMBNAIL_SIZE / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def image_size(data: bytes) -> tuple[int, int] | None:
    """Read a picture's width and height off its header, without decoding it.

    Returns:
        Pixels, or `None` if it is no JPEG, PNG, WebP or BMP.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            frame = _jpeg_frame(data)
            return frame[:2] if frame else None
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return _pair(">II", data, 16)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp_size(data)
        if data.startswith(b"BM"):
            old = data[14:18] == b"\x0c\0\0\0"
            width, height = _pair("<HH" if old else "<ii", data, 18)
            return abs(width), abs(height)  # a negative height says that it starts at the top
    except (IndexError, struct.error):  # it ends within its header
        pass
    return None


def _pair(layout: str, data: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, offset)
    return int(first), int(second)


def _jpeg_frame(data: bytes) -> tuple[int, int, int] | None:
    """Read width, height and the number of components; `None` if there is no frame header."""
    position = 2
    # libjpeg, too, goes on to the next marker where there is something else
    while (position := data.find(b"\xff", position)) >= 0:
        marker = data[position + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte
            position += 1
        elif marker in _JPEG_NO_SIZE:
            position += 2
        elif marker in _JPEG_FRAMES:
            height, width = _pair(">HH", data, position + 5)
            return width, height, data[position + 9]
        elif marker == _JPEG_SCAN:
            return None
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def read_image_bytes(path: Path) -> bytes:
    """Read a picture file as it is.

    Raises:
        InvalidImageError: if it cannot be read, is empty, or is larger than any picture.
    """
    try:
        return read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise InvalidImageError(f"Cannot read the picture {path}: {describe(error)}.") from error


def _check(data: bytes, name: str) -> None:
    """Refuse what need not be decoded to be refused."""
    if not data:
        raise InvalidImageError(f"{name} is empty; remove it or replace it.")
    size = image_size(data)
    if size is not None and size[0] * size[1] > MAX_PIXELS:
        raise InvalidImageError(too_many_pixels(name, *size, MAX_PIXELS))
    if data.startswith(b"\xff\xd8") and data.count(_JPEG_SCAN_MARKER) > _MAX_SCANS:
        raise InvalidImageError(
            f"{name} is a JPEG in more than {_MAX_SCANS} scans, which takes minutes to decode; "
            "save it again."
        )


def _is_plain_jpeg(data: bytes) -> bool:
    """Say whether OpenCV reads the file right: a JPEG file of one or three components."""
    if not data.startswith(b"\xff\xd8"):
        return False
    with suppress(IndexError, struct.error):
        frame = _jpeg_frame(data)
        return frame is None or frame[2] != _CMYK
    return True


def _decode_jpeg(data: bytes, name: str, flag: int) -> Image:
    # OpenCV before 5 gives half a picture and grey for a JPEG that ends before its end marker
    whole = data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    size = image_size(data)
    whole = whole and size is not None  # without a size, libjpeg's reading would be another one
    large = size is not None and size[0] * size[1] > LARGE_PIXELS
    try:
        with LARGE if large else nullcontext():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if whole else None
    except (cv2.error, MemoryError):
        image = None
    if image is None:
        raise InvalidImageError(f"The picture {name} is damaged; remove it or replace it.")
    return np.asarray(image, dtype=np.uint8)
