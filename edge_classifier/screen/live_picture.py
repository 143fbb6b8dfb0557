"""Draws the live picture: the square that the model sees, and the rest of it dimmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from edge_classifier.screen.canvas import CARD, Box, Canvas, centred_part

if TYPE_CHECKING:
    from edge_classifier.device.framing import Region
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import Colour


def draw_picture(canvas: Canvas, box: Box, image: Image, *, mirrored: bool) -> Box:
    """Scale a picture so that the square the model sees fits exactly, and dim the rest.

    Returns:
        Where that square is, in pixels.
    """
    box = canvas.place(box)
    height, width = image.shape[:2]
    side = min(box.width, box.height)
    scale = side / min(height, width)
    shown_width = min(box.width, max(side, round(width * scale)))
    shown_height = min(box.height, max(side, round(height * scale)))
    part = centred_part(image, shown_width / scale, shown_height / scale)
    place = box.centred(shown_width, shown_height)
    pixels = canvas.pixels
    target = place.of(pixels)
    for region in _around(pixels, box, place):
        region[:] = CARD
    size = (shown_width, shown_height)
    if mirrored:
        same = part.shape == target.shape
        scaled = part if same else cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        cv2.flip(scaled, 1, dst=target)
    else:  # a part of that size is only copied
        cv2.resize(part, size, dst=target, interpolation=cv2.INTER_LINEAR)
    square = box.centred(side, side)
    for region in _around(pixels, place, square):
        dim(region)
    return square


def draw_framed(
    canvas: Canvas, box: Box, image: Image, region: Region, colour: Colour, *, mirrored: bool
) -> tuple[Box, Box]:
    """Scale a picture so that all of it fits, outline a region, and dim what is not looked at.

    Returns:
        Where the picture is, and the square that the model sees, in pixels.
    """
    box, pixels = canvas.place(box), canvas.pixels
    height, width = image.shape[:2]
    scale = min(box.width / width, box.height / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    place = box.centred(min(size[0], box.width), min(size[1], box.height))
    for beside in _around(pixels, box, place):
        beside[:] = CARD
    scaled = cv2.resize(image, (place.width, place.height), interpolation=cv2.INTER_LINEAR)
    place.of(pixels)[:] = cv2.flip(scaled, 1) if mirrored else scaled
    left, top, right, bottom = region.pixels(place.width, place.height)
    if mirrored:
        left, right = place.width - right, place.width - left
    part = Box(place.left + left, place.top + top, right - left, bottom - top)
    square = part.centred(*[min(part.width, part.height)] * 2)
    for beside in _around(pixels, place, square):
        dim(beside)
    thick = max(1, round(2 * canvas.scale))
    inner = part.inner(min(thick, (min(part.width, part.height) - 1) // 2))
    for edge in _around(pixels, part, inner):
        edge[:] = colour
    return place, square


def _around(pixels: Image, outer: Box, inner: Box) -> tuple[Image, ...]:
    """Return what a box has around one within it: at its left, its right, above and below."""
    return (
        pixels[outer.top : outer.bottom, outer.left : inner.left],
        pixels[outer.top : outer.bottom, inner.right : outer.right],
        pixels[outer.top : inner.top, inner.left : inner.right],
        pixels[inner.bottom : outer.bottom, inner.left : inner.right],
    )


def dim(region: Image) -> None:
    """Darken a part of a canvas."""
    if region.size:
        cv2.convertScaleAbs(region, dst=region, alpha=0.45)


def mark_square(canvas: Canvas, square: Box, colour: Colour) -> None:
    """Mark the corners of the square, in pixels, that the model sees."""
    margin, arm, thick = (max(1, round(units * canvas.scale)) for units in (8, 22, 2))
    pixels, box = canvas.pixels, square.inner(margin)
    for top in (box.top, box.bottom - thick):
        pixels[top : top + thick, box.left : box.left + arm] = colour
        pixels[top : top + thick, box.right - arm : box.right] = colour
    for left in (box.left, box.right - thick):
        pixels[box.top : box.top + arm, left : left + thick] = colour
        pixels[box.bottom - arm : box.bottom, left : left + thick] = colour
