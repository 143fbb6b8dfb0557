"""Pictures that OpenCV reads wrongly, differently from version to version, or not at all.

It runs in a child process (`decoder_child`), since nobody can say how long such a decoder takes.
A picture comes out by the rules of `picture_decoder`. Pillow and pillow-heif are no part of what a
device has to have.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import InvalidImageError
from .media import AVIF, GIF, HEIC, JPEG, TIFF
from .pixels import FIRST_ONLY, ORIENTATION, eight_bits, on_white, too_many_pixels, upright

if TYPE_CHECKING:
    from PIL import Image as PillowImage

    from .media import Kind
    from .preprocessing import Image

_PILLOW_NAMES: Final = {
    JPEG: ("JPEG",), GIF: ("GIF",), TIFF: ("TIFF",), AVIF: ("AVIF",), HEIC: ("HEIF",),
}  # fmt: skip
_SUBFILE_TYPE: Final = 254
_BITS: Final = 258
_DNG_VERSION: Final = 0xC612
_DEEP: Final = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_BOX_HEAD: Final = 8
_DEEP_BITS: Final = 16
_STRIP_PIXELS: Final = 1 << 20
_MOST_PIXELS: Final = {JPEG: 32_000_000, AVIF: 32_000_000}
"""Of kinds whose decoders hold up to 19 bytes a pixel; of CMYK in JPEG."""


def decode(data: bytes, name: str, kind: Kind, most_pixels: int) -> tuple[Image, str]:
    """Decode a picture of at most so many pixels.

    Returns:
        `(H, W, 3)` uint8 BGR, and what the user should know of it, or an empty text.

    Raises:
        InvalidImageError: if it is damaged, too large, or needs what is not installed.
    """
    with _open(data, name, kind) as opened:
        width, height = opened.size
        most = min(most_pixels, _MOST_PIXELS.get(kind, most_pixels))
        if opened.mode == "CMYK":
            most = min(most, _MOST_PIXELS[JPEG])
        if width * height > most:
            raise InvalidImageError(too_many_pixels(name, width, height, most))
        note = ""
        if getattr(opened, "is_animated", False):
            note = FIRST_ONLY
        deep = _deep_tiff(opened, data, name) if kind is TIFF else None
        if deep is not None:
            return deep
        image, deep_note = image_of(opened, name)
        if kind is HEIC and not _turns_itself(data):
            image = upright(image, opened.info.get("original_orientation"))
        return np.ascontiguousarray(image), deep_note or note


def _open(data: bytes, name: str, kind: Kind) -> PillowImage.Image:
    try:
        from PIL import Image as PillowImage  # noqa: PLC0415 - a device may have none

        if kind is HEIC:
            import pillow_heif  # noqa: PLC0415 - likewise

            pillow_heif.options.THUMBNAILS = False
            pillow_heif.options.DECODE_THREADS = 1
            pillow_heif.register_heif_opener(thumbnails=False)
    except ImportError as error:
        needed = "pillow pillow-heif" if kind is HEIC else "pillow"
        raise InvalidImageError(
            f"{name} is {kind.name}, which is read with {error.name}; `pip install {needed}`, or "
            "save it as JPEG or PNG."
        ) from error
    PillowImage.MAX_IMAGE_PIXELS = None  # we count ourselves
    warnings.simplefilter("ignore")  # of odd metadata, which is not read
    PillowImage.init()
    formats = [known for known in _PILLOW_NAMES[kind] if known in PillowImage.OPEN]
    if not formats:
        raise InvalidImageError(
            f"{name} is {kind.name}, which this Pillow cannot read; `pip install --upgrade "
            "pillow`, or save it as JPEG or PNG."
        )
    return PillowImage.open(io.BytesIO(data), formats=formats)


def _turns_itself(data: bytes) -> bool:
    """Say whether a HEIC file says by its own means how it is turned, which libheif has done then.

    Only where it says nothing EXIF counts: some cameras and editors write that alone, most phones
    both.
    """
    position = 0
    while position + 8 <= len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        end = position + size if size >= _BOX_HEAD else len(data)
        if data[position + 4 : position + 8] == b"meta":
            return any(data.find(turn, position, end) >= 0 for turn in (b"irot", b"imir"))
        position = end
    return False


def _deep_tiff(picture: Any, data: bytes, name: str) -> tuple[Image, str] | None:  # noqa: ANN401 - Pillow's TIFF class is not published
    """Read colours of 16 bits, of which Pillow would drop 8; refuse a raw file's thumbnail."""
    tags = picture.tag_v2
    if tags.get(_SUBFILE_TYPE, 0) & 1 or _DNG_VERSION in tags:
        raise InvalidImageError(f"{name} is camera raw, which is not read; save it as JPEG or PNG.")
    bits = tags.get(_BITS, ())
    if picture.mode not in ("RGB", "RGBA") or _DEEP_BITS not in bits:
        return None
    import cv2  # noqa: PLC0415 - hardly ever needed

    # upright: of TIFF alone OpenCV never leaves it to who asks
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:  # noqa: PLR2004 - (H, W, C)
        return None
    colours, note = eight_bits(np.asarray(values[..., :3], np.uint16))
    if values.shape[2] == 4:  # noqa: PLR2004 - with alpha
        colours = on_white(colours, eight_bits(np.asarray(values[..., 3], np.uint16))[0])
    return colours, note


def _deep_grey(picture: PillowImage.Image, name: str) -> tuple[Image, str]:
    values = np.asarray(picture)
    if values.size and not 0 <= int(values.min()) <= int(values.max()) <= np.iinfo(np.uint16).max:
        raise InvalidImageError(f"{name} has more than 16 bits; save it with 8 bits.")
    grey, note = eight_bits(values.astype(np.uint16))
    return np.repeat(grey[..., np.newaxis], 3, axis=2), note


def image_of(picture: PillowImage.Image, name: str) -> tuple[Image, str]:
    """Turn Pillow's picture of any mode into ours, BGR: upright, transparent places white.

    Returns:
        The image, and what the user should know of it, or an empty text.

    Raises:
        InvalidImageError: if it holds floating-point numbers.
    """
    image, note = _deep_grey(picture, name) if picture.mode in _DEEP else (_bgr(picture, name), "")
    return np.ascontiguousarray(upright(image, picture.getexif().get(ORIENTATION))), note


def _bgr(picture: PillowImage.Image, name: str) -> Image:
    """Convert in strips: else there would be five copies."""
    if picture.mode == "F":
        raise InvalidImageError(
            f"{name} holds floating-point numbers, of which nobody knows which one is white; "
            "save it with 8 bits."
        )
    width, height = picture.size
    bgr = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(height, top + rows)))
        if picture.has_transparency_data:
            rgba = np.asarray(strip.convert("RGBA"))
            colours = on_white(rgba[..., :3], rgba[..., 3])
        else:
            colours = np.asarray(strip.convert("RGB"))
        bgr[top : top + rows] = colours[..., ::-1]
    return bgr
