"""Picture files to pixels and back.

There is one reader for every use (samples, imports, `predict`, devices), so that a file has the
same pixels everywhere: `device/picture_decoder`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.console import say
from edge_classifier.device.files import read_regular
from edge_classifier.device.picture_decoder import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    decode_picture,
    image_size,
)
from edge_classifier.device.preprocessing import check_image
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.files import describe
from edge_classifier.values import EncodedImage

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image

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
_JPEG_START: Final = b"\xff\xd8"


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

    What the user should know of it (that its end is missing, for example) is said.

    Raises:
        InvalidImageError: if it is no whole picture, or is too large.
    """
    decoded = decode_picture(data, name)
    if decoded.note:
        say(f"{name}: {decoded.note}.")
    return decoded.image


def encode_file(data: bytes, name: str) -> EncodedImage:
    """Turn the bytes of a picture file into what is stored, without any loss.

    A JPEG file, up to its end, and a PNG file that needs no conversion stay as they are; everything
    else becomes a PNG file of the pixels that `decode_image` gives.

    Raises:
        InvalidImageError: as with `decode_image`.
    """
    decoded = decode_picture(data, name)
    file = decoded.file or cv2.imencode(".png", decoded.image)[1].tobytes()
    suffix = ".jpg" if file.startswith(_JPEG_START) else ".png"
    digest = hashlib.sha256(file).hexdigest()
    return EncodedImage(file, decoded.image, digest, suffix, decoded.note)


def read_thumbnail(path: Path, size: int = THUMBNAIL_SIZE) -> Image:
    """Read a picture, BGR, small: its longest side is at most `size` pixels.

    Raises:
        InvalidImageError: as with `read_image`.
    """
    data = read_image_bytes(path)
    reduced = 1
    if data.startswith(_JPEG_START):
        # a whole factor is decoded for free; what is left is averaged below
        factor = max(image_size(data) or (1, 1)) // size
        reduced = next((least for least in (8, 4, 2) if factor >= least), 1)
    image = decode_picture(data, str(path), reduced=reduced).image
    height, width = image.shape[:2]
    scale = size / max(height, width)
    if scale >= 1.0:
        return image
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def read_image_bytes(path: Path) -> bytes:
    """Read a picture file as it is.

    Raises:
        InvalidImageError: if it cannot be read, is empty, or is larger than any picture.
    """
    try:
        return read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise InvalidImageError(f"Cannot read the picture {path}: {describe(error)}.") from error
