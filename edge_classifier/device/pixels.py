"""What becomes of pixels that are deep, transparent or lie on their side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from .preprocessing import Image

ORIENTATION: Final = 0x0112
"""The tag of EXIF whose number `upright` takes."""

FIRST_ONLY: Final = "only its first picture was taken"
"""What the user should know of an animation."""

_DEPTHS: Final = (8, 10, 12, 14, 16)
_STRIP: Final = 1 << 18


def eight_bits(values: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.uint8], str]:
    """Bring values of 16 bits to 8, white staying white.

    Cameras of 10, 12 and 14 bits write what they measure into 16, and nothing in the file says so.
    So values are taken to have the fewest bits, of those that cameras have, that hold the greatest.

    Returns:
        The values, and what the user should know, or an empty text.
    """
    most = int(values.max(initial=0))
    bits = next(depth for depth in _DEPTHS if most < 1 << depth) if most else _DEPTHS[-1]
    white = (1 << bits) - 1
    result = np.empty(values.shape, np.uint8)
    rows = max(1, _STRIP // max(1, values[:1].size))
    table = ((np.arange(white + 1, dtype=np.uint32) * 255 + white // 2) // white).astype(np.uint8)
    for top in range(0, len(values), rows):  # in one go there would be copies of 8 bytes a value
        part = slice(top, top + rows)
        np.take(table, values[part], out=result[part], mode="clip")  # as checks would copy again
    if bits == _DEPTHS[-1]:
        return result, ""
    return result, f"its 16 bits hold {bits} only (at most {most}); {white} was taken as white"


def on_white(colours: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8]) -> Image:
    """Lay `(H, W, 3)` colours, of which `(H, W)` alpha says how much shows, on a white page."""
    result = np.empty(colours.shape, np.uint8)
    rows = max(1, _STRIP // max(1, colours.shape[1]))
    for top in range(0, len(colours), rows):
        part = slice(top, top + rows)
        opaque = alpha[part, :, np.newaxis].astype(np.uint16)
        total = colours[part] * opaque + 255 * (255 - opaque) + 128
        result[part] = (total + (total >> 8)) >> 8  # rounded, divided by 255
    return result


def upright(image: Image, orientation: object) -> Image:
    """Turn a picture as its EXIF orientation says; see table 6 of Exif 2.3 (CIPA DC-008)."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def too_many_pixels(name: str, width: int, height: int, most: int) -> str:
    """Say that a picture is too large."""
    return f"{name} has {width} x {height} pixels, more than {most:,}; make it smaller."
