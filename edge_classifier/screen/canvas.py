"""A canvas: rounded boxes, bars, text and pictures, each of which lands inside its box."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from edge_classifier.screen.text import REGULAR, TextRenderer, line_height, tint

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import Colour

    Mask = npt.NDArray[np.uint8]
    _Pixels = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # rows and columns, `(N,)` each

WINDOW: Final = (24, 20, 18)
"""The theme's colours are blue, green, red: greys that lean to blue, so that pictures stand out."""
CARD: Final = (38, 32, 29)
RAISED: Final = (54, 46, 42)
LINE: Final = (72, 62, 56)
TEXT: Final = (240, 236, 233)
MUTED: Final = (168, 158, 150)
ACCENT: Final = (246, 176, 96)
RED: Final = (92, 92, 242)
AMBER: Final = (84, 188, 245)

RADIUS: Final = 10
"""Of the corners of cards and of the video."""

_OVERSAMPLING: Final = 4
_READABLE: Final = 120.0
"""The least luminance, of 255, at which small text stands out from a card."""
_SMALLEST: Final = 8
"""Letters that are still read, in units of a layout."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a layout, or of pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """One past the last column."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """One past the last row."""
        return self.top + self.height

    def holds(self, x: float, y: float) -> bool:
        """Say whether a point lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def of(self, canvas: Image) -> Image:
        """Return the box's part of a picture's pixels, as a view to write to."""
        return canvas[self.top : self.bottom, self.left : self.right]

    def centred(self, width: int, height: int) -> Box:
        """Return a box of this size in the middle of this one."""
        left, top = self.left + (self.width - width) // 2, self.top + (self.height - height) // 2
        return Box(left, top, width, height)

    def inner(self, margin: int) -> Box:
        """Return the box without a margin on all sides."""
        return self.centred(self.width - 2 * margin, self.height - 2 * margin)


class Target(NamedTuple):
    """A part of the layout, and what is pressed there, as `display.Press` names it."""

    box: Box
    press: str


class Canvas:
    """An image that is drawn on.

    Boxes and sizes are of a layout, whose unit is `scale` pixels. Colours are blue, green, red;
    `background` is what a box is filled with already, and what soft edges blend into.

    Attributes:
        pixels: `(H, W, 3)` uint8, BGR.
        scale: As above.
        text: Draws lines of text in the same scale, and keeps them.
    """

    def __init__(self, pixels: Image, text: TextRenderer, scale: float = 1.0) -> None:
        self.pixels = pixels
        self.scale = scale
        self.text = text.at(scale)

    def place(self, box: Box) -> Box:
        """Return the pixels of a box; boxes that touch, touch in pixels too."""
        scale = self.scale
        left, top = round(box.left * scale), round(box.top * scale)
        right, bottom = round(box.right * scale), round(box.bottom * scale)
        return Box(left, top, right - left, bottom - top)

    def part(self, box: Box) -> Image:
        """Return a box's pixels, as a view to write to."""
        return self.place(box).of(self.pixels)

    def clear(self, box: Box, colour: Colour) -> None:
        """Fill a box to its corners."""
        self.part(box)[:] = colour

    def fill(self, box: Box, colour: Colour, background: Colour, radius: int = RADIUS) -> None:
        """Fill a box with rounded corners."""
        place = self.place(box)
        picture = _rounded(place.width, place.height, self._length(radius), colour, background)
        place.of(self.pixels)[:] = picture

    def frame(self, box: Box, line: Colour, inside: Colour, background: Colour) -> None:
        """Fill a box with rounded corners and a line of two units around it."""
        place, radius = self.place(box), self._length(RADIUS)
        picture = _framed(
            (place.width, place.height), radius, self._length(2), line, inside, background
        )
        place.of(self.pixels)[:] = picture

    def frame_over(self, box: Box, line: Colour, inside: Colour) -> None:
        """Like `frame`, over whatever is there already."""
        corners, share = self._corners(box)
        under = self.pixels[corners]
        self.frame(box, line, inside, line)
        self.pixels[corners] = self.pixels[corners] * share + under * (1 - share)

    def round_corners(self, box: Box, background: Colour) -> None:
        """Blend a colour into the four corners of a box, so that what it holds looks rounded."""
        corners, share = self._corners(box)
        outside = np.asarray(background, np.float32) * (1 - share)
        self.pixels[corners] = self.pixels[corners] * share + outside

    def _length(self, units: int) -> int:
        return max(1, round(units * self.scale))

    def _corners(self, box: Box) -> tuple[_Pixels, npt.NDArray[np.float32]]:
        """Return the pixels of a box's corners, and how much of each lies inside the rounding."""
        place = self.place(box)
        (rows, columns), share = _rounding(place.width, place.height, self._length(RADIUS))
        return (place.top + rows, place.left + columns), share

    def bar(self, box: Box, share: float, colour: Colour, background: Colour) -> None:
        """Draw a rounded track and fill a share of it, from 0.0 to 1.0."""
        box = self.place(box)
        radius = box.height // 2
        target = box.of(self.pixels)
        target[:] = _rounded(box.width, box.height, radius, LINE, background)
        width = round(min(max(share, 0.0), 1.0) * box.width)
        if width < box.height:
            return
        full = _rounded(box.width, box.height, radius, colour, background)
        target[:, : width - radius] = full[:, : width - radius]
        # The filled part's round end blends into the track, not into the background.
        behind = LINE if width < box.width else background
        end = _rounded(box.width, box.height, radius, colour, behind)
        target[:, width - radius : width] = end[:, box.width - radius :]

    def picture(self, box: Box, image: Image, *, mirrored: bool, background: Colour) -> None:
        """Draw the largest centred part of an image that has the box's shape, corners rounded."""
        box = self.place(box)
        scale = max(box.width / image.shape[1], box.height / image.shape[0])
        part = centred_part(image, box.width / scale, box.height / scale)
        small = cv2.resize(part, (box.width, box.height), interpolation=cv2.INTER_AREA)
        if mirrored:
            small = cv2.flip(small, 1)
        share = _share(_rounded_mask(box.width, box.height, self._length(6)))
        box.of(self.pixels)[:] = small * share + np.asarray(background, np.float32) * (1 - share)

    def write(
        self,
        box: Box,
        text: str,
        size: int,
        colour: Colour,
        background: Colour,
        *,
        weight: int = REGULAR,
        align: str = "left",
    ) -> int:
        """Draw one line of text, vertically centred in a box, ellipsised to its width.

        `size` is the em, `weight` from 300 to 900, `align` is `left`, `centre` or `right`.

        Returns:
            The width of what was drawn.
        """
        if not text or box.width < 1:
            return 0
        place = self.place(box)
        bitmap = self.text.bitmap(
            text, size, colour, background, weight=weight, max_width=box.width
        )
        spare_rows = place.height - bitmap.shape[0]
        if spare_rows < 0:  # a low box shows the middle of the line, where the letters are
            bitmap = bitmap[-spare_rows // 2 :][: place.height]
        bitmap = bitmap[:, : place.width]
        height, width = int(bitmap.shape[0]), int(bitmap.shape[1])
        top = place.top + max(spare_rows, 0) // 2
        spare = place.width - width
        left = place.left + {"left": 0, "centre": spare // 2, "right": spare}[align]
        self.pixels[top : top + height, left : left + width] = bitmap
        return math.ceil(width / self.scale)

    def fitting(self, text: str, size: int, width: int, weight: int = REGULAR) -> int:
        """Return the size at which a line is no wider than that: this one, or a smaller one."""
        sizes = range(size, _SMALLEST, -1)
        return next((s for s in sizes if self.text.width(text, s, weight) <= width), _SMALLEST)

    def wrapped(self, text: str, size: int, width: int, most: int) -> tuple[list[str], int]:
        """Break a text into so many lines at most, smaller ones where they would be too wide."""
        for smaller in range(size, _SMALLEST, -1):
            lines = self.text.wrap(text, smaller, width, most)
            if all(self.text.width(line, smaller) <= width for line in lines):
                return lines, smaller
        return self.text.wrap(text, _SMALLEST, width, most), _SMALLEST

    def hint(self, text: str, sizes: tuple[int, int], width: int) -> tuple[list[str], int]:
        """Break a hint into two lines, between the largest size and the smallest to be read.

        Of what is longer than that some is left out.
        """
        lines, size = self.wrapped(text, sizes[0], width, 2)
        if size >= sizes[1]:
            return lines, size
        elided = self.text.elided(text, sizes[1], width)
        return self.text.wrap(elided, sizes[1], width, 2), sizes[1]

    def write_lines(
        self, box: Box, lines: list[str], size: int, colour: Colour, background: Colour
    ) -> None:
        """Draw lines below each other from the top of a box."""
        step = line_height(size)
        for number, line in enumerate(lines):
            row = Box(box.left, box.top + number * step, box.width, step)
            self.write(row, line, size, colour, background)

    def key_cap(self, box: Box, label: str, background: Colour) -> None:
        """Draw a key of the keyboard."""
        self.fill(box, LINE, background, 6)
        face = Box(box.left + 1, box.top + 1, box.width - 2, box.height - 3)
        self.fill(face, RAISED, LINE, 5)
        size = min(15, round(box.height * 0.62))
        self.write(face, label, size, TEXT, RAISED, weight=500, align="centre")


def centred_part(image: Image, width: float, height: float) -> Image:
    """Return the centre of an image, of a size that is rounded and limited to the image's."""
    width = min(image.shape[1], max(1, round(width)))
    height = min(image.shape[0], max(1, round(height)))
    left, top = (image.shape[1] - width) // 2, (image.shape[0] - height) // 2
    return image[top : top + height, left : left + width]


@lru_cache(maxsize=256)
def _rounded_mask(width: int, height: int, radius: int) -> Mask:
    """Return a smooth rounded rectangle, `(height, width)` uint8 with 255 inside. Shared."""
    radius = min(radius, width // 2, height // 2)
    large = np.zeros((height * _OVERSAMPLING, width * _OVERSAMPLING), np.uint8)
    r, right, bottom = radius * _OVERSAMPLING, large.shape[1] - 1, large.shape[0] - 1
    large[:, r : right + 1 - r] = 255
    large[r : bottom + 1 - r] = 255
    for x in (r, right - r):
        for y in (r, bottom - r):
            cv2.circle(large, (x, y), r, (255,), -1)
    mask: Mask = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]  # OpenCV's stubs widen the dtype
    return mask


@lru_cache(maxsize=512)
def _rounded(width: int, height: int, radius: int, colour: Colour, background: Colour) -> Image:
    """Return a filled rounded rectangle, `(height, width, 3)` BGR. Shared: do not write to it."""
    return tint(_rounded_mask(width, height, radius), colour, background)


@lru_cache(maxsize=64)
def _rounding(width: int, height: int, radius: int) -> tuple[_Pixels, npt.NDArray[np.float32]]:
    """Return N pixels that a rounding cuts off a box, wholly or in part.

    And how much of each lies inside, `(N, 1)`. Shared.
    """
    mask = _rounded_mask(2 * radius, 2 * radius, radius)
    rows, columns = np.nonzero(mask < 255)  # noqa: PLR2004 - what lies inside whole
    share = _share(mask)[rows, columns]
    right, bottom = width - 2 * radius, height - 2 * radius
    return (rows + bottom * (rows >= radius), columns + right * (columns >= radius)), share


def readable(colour: Colour) -> Colour:
    """Lighten a colour until text in it can be read on the dark theme."""
    blue, green, red = colour
    luminance = 0.114 * blue + 0.587 * green + 0.299 * red  # ITU-R BT.601
    if luminance >= _READABLE:
        return colour
    share = (_READABLE - luminance) / (255 - luminance)
    return (
        round(blue + share * (255 - blue)),
        round(green + share * (255 - green)),
        round(red + share * (255 - red)),
    )


@lru_cache(maxsize=256)
def _framed(
    size: tuple[int, int], radius: int, thick: int, line: Colour, inside: Colour, background: Colour
) -> Image:
    width, height = size
    outer = _rounded(width, height, radius, line, background)
    bitmap = outer.astype(np.float32)
    inner = bitmap[thick : height - thick, thick : width - thick]
    share = _share(_rounded_mask(width - 2 * thick, height - 2 * thick, radius - thick))
    inner += (np.asarray(inside, np.float32) - inner) * share
    return np.rint(bitmap).astype(np.uint8)


def _share(mask: Mask) -> npt.NDArray[np.float32]:
    """Return a mask as `(H, W, 1)` float32 from 0 to 1."""
    return np.divide(mask[:, :, None], 255, dtype=np.float32)
