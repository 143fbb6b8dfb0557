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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from PIL import ExifTags, ImageOps
from PIL import Image as PillowImage

from edge_classifier.errors import InvalidImageError

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.frame import Image

# By name, as Pillow would otherwise try all it has: among them formats that start other programs
# (EPS) or that no camera and no drawing program writes. MPO is what some cameras call a JPEG.
_FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
_WHITE: Final = (255, 255, 255, 255)
_UPRIGHT: Final = (None, 1)
_DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_PLAIN_PNG: Final = frozenset({"1", "L", "P", "RGB"})
# Changing what warnings do is not safe between threads; opening reads a header only, so a lock
# around it costs nothing.
_opening: Final = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class PillowPicture:
    """A picture as Pillow read it.

    Attributes:
        image: `(H, W, 3)` uint8, BGR.
        plain_png: Whether the file is a PNG that every program reads to the same pixels: one
            frame, upright, without alpha.
    """

    image: Image
    plain_png: bool


def read_with_pillow(data: bytes, name: str, max_pixels: int) -> PillowPicture:
    """Read a picture.

    Args:
        data: The file.
        name: For the user.
        max_pixels: What has more is refused before it is decoded.

    Raises:
        InvalidImageError: if it is no picture, is damaged, or too large.
    """
    opened = _open(data, name)
    with opened:
        width, height = opened.size
        if width < 1 or height < 1:
            raise InvalidImageError(f"{name} has no pixels; remove it or replace it.")
        if width * height > max_pixels:
            raise InvalidImageError(too_many_pixels(name, width, height, max_pixels))
        try:
            plain = (
                opened.format == "PNG"
                and opened.mode in _PLAIN_PNG
                and "transparency" not in opened.info
                and getattr(opened, "n_frames", 1) == 1
                and opened.getexif().get(ExifTags.Base.Orientation) in _UPRIGHT
            )
            opened.load()
            image = image_of(opened, name)
        except InvalidImageError:
            raise
        except Exception as error:  # a damaged file makes Pillow raise whatever comes to hand
            raise InvalidImageError(
                f"The picture {name} is damaged; remove it or replace it."
            ) from error
    return PillowPicture(image, plain)


def image_of(picture: PillowImage.Image, name: str) -> Image:
    """Turn Pillow's picture into ours: upright, transparent places white.

    Args:
        picture: Of any mode.
        name: For the user.

    Returns:
        `(H, W, 3)` uint8, BGR.

    Raises:
        InvalidImageError: if it holds floating-point numbers.
    """
    rgb = _as_rgb(ImageOps.exif_transpose(picture), name)
    return np.ascontiguousarray(rgb[..., ::-1])


def too_many_pixels(name: str, width: int, height: int, max_pixels: int) -> str:
    """Say that a picture is too large."""
    return f"{name} has {width} x {height} pixels, more than {max_pixels:,}; make it smaller."


def encode_png(image: Image) -> bytes:
    """Write a picture, `(H, W, 3)` uint8 BGR, without loss."""
    return cv2.imencode(".png", image)[1].tobytes()


def _open(data: bytes, name: str) -> PillowImage.Image:
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


def _as_rgb(picture: PillowImage.Image, name: str) -> npt.NDArray[np.uint8]:
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
