"""Pictures that OpenCV would read wrongly or not at all, read by Pillow.

OpenCV drops alpha (what lay under a transparent place shows), guesses at CMYK, and does not
know every format. A picture comes out as a person sees it on a white page: upright as its EXIF
orientation says, the first frame of an animation, transparent places white, 16 bits brought to 8.
Colour profiles are not applied, as OpenCV does not apply them to a JPEG file either.
"""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from edge_classifier.errors import InvalidImageError

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image as PillowImage

    from edge_classifier.device.preprocessing import Image

# By name, as Pillow would otherwise try all it has: among them formats that start other programs
# (EPS) or that no camera and no drawing program writes. MPO is what some cameras call a JPEG.
_FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
_WHITE: Final = (255, 255, 255, 255)
_ORIENTATION: Final = 0x0112
"""The tag of EXIF that says which way is up."""

_UPRIGHT: Final = (None, 1)
_DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_STRIP_PIXELS: Final = 1 << 20
_COSTLY: Final = frozenset({"WEBP", "AVIF"})
"""Their decoders hold up to 19 bytes a pixel; others hold up to 10 (with libjpeg's CMYK: 15)."""

_SLOW: Final = frozenset({"PPM", "BMP"})
"""Pillow decodes some of these in Python, a pixel or a run of them at a time."""

_SLOW_DECODERS: Final = frozenset({"bmp_rle", "ppm_plain", "ppm"})
_MAX_SLOW_PIXELS: Final = 4_000_000
_PLAIN_PNG: Final = frozenset({"1", "L", "P", "RGB"})
# Changing what warnings do is not safe between threads; opening reads a header only, so a lock
# around it costs nothing.
_opening: Final = threading.Lock()

LARGE_PIXELS: Final = 16_000_000
LARGE: Final = threading.Lock()
"""Held while a picture of more than `LARGE_PIXELS` is decoded: several threads read pictures, and
one that takes half a gigabyte has to be the only one."""


def read_with_pillow(data: bytes, name: str, max_pixels: int) -> tuple[Image, bool]:
    """Read a picture of at most so many pixels; what has more is refused before it is decoded.

    Returns:
        The image, `(H, W, 3)` uint8, BGR, and whether the file is a PNG that every program
        reads to the same pixels: one frame, upright, without alpha.

    Raises:
        InvalidImageError: if it is no picture, is damaged, or too large.
    """
    opened = _open(data, name)
    with opened:
        width, height = opened.size
        if width < 1 or height < 1:
            raise InvalidImageError(f"{name} has no pixels; remove it or replace it.")
        most = _most_pixels(opened, max_pixels)
        if width * height > most:
            raise InvalidImageError(too_many_pixels(name, width, height, most))
        try:
            plain = (
                opened.format == "PNG"
                and opened.mode in _PLAIN_PNG
                and "transparency" not in opened.info
                and getattr(opened, "n_frames", 1) == 1
                and opened.getexif().get(_ORIENTATION) in _UPRIGHT
            )
            with LARGE if width * height > LARGE_PIXELS else nullcontext():
                opened.load()
                image = image_of(opened, name)
        except InvalidImageError:
            raise
        except Exception as error:  # a damaged file makes Pillow raise whatever comes to hand
            raise InvalidImageError(
                f"The picture {name} is damaged; remove it or replace it."
            ) from error
    return image, plain


def _most_pixels(picture: PillowImage.Image, usual: int) -> int:
    """Say how many pixels a picture may have, so that a decoder needs neither long nor much."""
    if picture.format in _COSTLY or picture.mode == "CMYK":
        return usual // 2
    tiles = getattr(picture, "tile", [])
    if picture.format in _SLOW and any(tile[0] in _SLOW_DECODERS for tile in tiles):
        return min(usual, _MAX_SLOW_PIXELS)
    return usual


def image_of(picture: PillowImage.Image, name: str) -> Image:
    """Turn Pillow's picture of any mode into ours, BGR: upright, transparent places white.

    Raises:
        InvalidImageError: if it holds floating-point numbers.
    """
    width, height = picture.size
    bgr = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):  # else there would be five copies of the whole picture
        strip = picture.crop((0, top, width, min(height, top + rows)))
        bgr[top : top + rows] = _as_rgb(strip, name)[..., ::-1]
    return np.ascontiguousarray(_upright(bgr, picture.getexif().get(_ORIENTATION)))


def too_many_pixels(name: str, width: int, height: int, max_pixels: int) -> str:
    """Say that a picture is too large."""
    return f"{name} has {width} x {height} pixels, more than {max_pixels:,}; make it smaller."


def encode_png(image: Image) -> bytes:
    """Write a picture, `(H, W, 3)` uint8 BGR, without loss."""
    return cv2.imencode(".png", image)[1].tobytes()


def _open(data: bytes, name: str) -> PillowImage.Image:
    from PIL import Image as PillowImage  # noqa: PLC0415 - the start of `live` needs none

    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which is not read
        warnings.simplefilter("error", PillowImage.DecompressionBombWarning)
        PillowImage.init()
        formats: list[str] = [known for known in _FORMATS if known in PillowImage.OPEN]
        try:
            return PillowImage.open(io.BytesIO(data), formats=formats)
        except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
            raise InvalidImageError(f"{name} has far too many pixels; make it smaller.") from error
        except Exception as error:
            raise InvalidImageError(
                f"{name} is not a picture that can be read (JPEG, PNG, WebP, BMP, GIF, TIFF); "
                "remove it or replace it."
            ) from error


def _upright(image: Image, orientation: object) -> Image:
    """Turn a picture as its EXIF orientation says; see table 6 of Exif 2.3 (CIPA DC-008)."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def _as_rgb(picture: PillowImage.Image, name: str) -> npt.NDArray[np.uint8]:
    from PIL import Image as PillowImage  # noqa: PLC0415 - the start of `live` needs none

    if picture.mode in _DEEP:
        return _deep_grey(np.asarray(picture), name)
    if picture.mode == "F":
        raise InvalidImageError(
            f"{name} holds floating-point numbers, of which nobody knows which one is white; "
            "save it with 8 bits."
        )
    if picture.has_transparency_data:
        page = PillowImage.new("RGBA", picture.size, _WHITE)
        picture = PillowImage.alpha_composite(page, picture.convert("RGBA"))
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)


def _deep_grey(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint8]:
    """Bring 16-bit grey to 8 bits: 65535 is white."""
    if values.size and not 0 <= int(values.min()) <= int(values.max()) <= np.iinfo(np.uint16).max:
        raise InvalidImageError(f"{name} has more than 16 bits; save it with 8 bits.")
    grey = ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(grey[..., np.newaxis], 3, axis=2)
