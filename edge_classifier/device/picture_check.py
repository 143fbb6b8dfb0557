"""Tells what a camera in trouble gives from pictures of a dark or a plain scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from .preprocessing import Image

_LARGE_PART: Final = 8
"""An eighth of a picture's rows, filled in, is no detail of the scene."""
_SHARP_ROWS: Final = 16
"""JPEG is cut off within one row of its blocks, which is at most so high in pixels."""
_GREY: Final = 128
_MOST_BLACK: Final = 0.1
_SETTLED: Final = 300
"""A black part that stays as it is for so many pictures (10 s) belongs to them."""


class PictureCheck:
    """Tells what a camera in trouble gives from pictures of a dark or a plain scene.

    Found is what no lens and no light can give: a picture that is of one colour to the last
    pixel, and one whose lower part is what decoders leave where the data end early: libjpeg's
    grey, the green of YUV zeros, or black. A black part counts only if it is new, has a sharp
    edge and none like it at the top, as films and dark scenes have. What a decoder fills in from
    the picture before cannot be told.
    """

    def __init__(self) -> None:
        self._usual_rows: int | None = None
        self._black_rows = 0
        self._same = 0

    def fault(self, image: Image) -> str:
        """Say what is wrong with the next picture of a source, `(H, W, 3)` uint8 BGR.

        Returns:
            What the source does, to go on after its name: `gives black pictures: …`; empty where
            nothing is wrong.
        """
        if _of_one_colour(image):
            if image[0, 0].any():
                return "gives pictures of one colour only: is another program using it?"
            return "gives black pictures: is the lens covered, or another program using it?"
        if self._cut_off(image):
            return "gives damaged pictures, the lower part is missing: a bad cable, hub or network?"
        return ""

    def _cut_off(self, image: Image) -> bool:
        blue, green, red = image[-1, -1].tolist()
        if blue == red and (green == blue == _GREY or (blue == 0 < green)):
            return _filled_rows(image) > 0
        rows = _filled_rows(image) if blue == green == red == 0 else 0
        usual, self._usual_rows = self._usual_rows, rows
        if not rows or usual is None or rows <= usual + _SHARP_ROWS or _is_soft(image, rows):
            return False
        self._same = self._same + 1 if rows == self._black_rows else 0
        self._black_rows = rows
        if self._same < _SETTLED:
            self._usual_rows = usual
            return True
        return False


def _of_one_colour(image: Image) -> bool:
    first = image[0, 0]
    # Nearly every picture is told by a few of its pixels.
    return bool((image[::16, ::16] == first).all() and (image == first).all())


def _filled_rows(image: Image) -> int:
    """Count the rows of one colour at the bottom; 0 where they are no large part."""
    large = max(1, len(image) // _LARGE_PART)
    fill = image[-1, -1]
    if not ((image[-1] == fill).all() and (image[-large:] == fill).all()):
        return 0
    other = np.flatnonzero((image != fill).any(axis=(1, 2)))
    return len(image) - 1 - int(other[-1]) if len(other) else len(image)


def _is_soft(image: Image, rows: int) -> bool:
    """Say whether a black part ends as a dark scene does, or has its like at the top."""
    above = image[max(0, len(image) - rows - 3 * _SHARP_ROWS) : len(image) - rows - _SHARP_ROWS]
    if not above.size or (above == 0).all(axis=2).mean() > _MOST_BLACK:
        return True
    return not image[: max(1, len(image) // (2 * _LARGE_PART))].any()
