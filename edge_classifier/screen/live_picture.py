"""Draws the live picture: the square that the model sees, and the rest of it dimmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from edge_classifier.screen.painter import CARD, Box

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image


def show_picture(canvas: Image, box: Box, image: Image, *, mirrored: bool) -> Box:
    """Scale a picture so that the square the model sees fits exactly, and dim the rest.

    Returns:
        Where that square is on the canvas.
    """
    height, width = image.shape[:2]
    side = min(box.width, box.height)
    scale = side / min(height, width)
    shown_width = min(box.width, max(side, round(width * scale)))
    shown_height = min(box.height, max(side, round(height * scale)))
    part_width = min(width, max(1, round(shown_width / scale)))
    part_height = min(height, max(1, round(shown_height / scale)))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    part = image[top : top + part_height, left : left + part_width]
    place = Box(
        box.left + (box.width - shown_width) // 2,
        box.top + (box.height - shown_height) // 2,
        shown_width,
        shown_height,
    )
    target = place.of(canvas)
    if place != box:
        box.of(canvas)[:] = CARD
    if part.shape == target.shape:
        if mirrored:
            cv2.flip(part, 1, dst=target)
        else:
            target[:] = part
    elif mirrored:
        scaled = cv2.resize(part, (shown_width, shown_height), interpolation=cv2.INTER_LINEAR)
        cv2.flip(scaled, 1, dst=target)
    else:
        cv2.resize(part, (shown_width, shown_height), dst=target, interpolation=cv2.INTER_LINEAR)
    square = Box(box.left + (box.width - side) // 2, box.top + (box.height - side) // 2, side, side)
    dim(canvas[place.top : place.bottom, place.left : square.left])
    dim(canvas[place.top : place.bottom, square.right : place.right])
    dim(canvas[place.top : square.top, square.left : square.right])
    dim(canvas[square.bottom : place.bottom, square.left : square.right])
    return square


def dim(region: Image) -> None:
    """Darken a part of a canvas."""
    if region.size:
        cv2.convertScaleAbs(region, dst=region, alpha=0.45)


def mark_square(canvas: Image, square: Box, colour: tuple[int, int, int]) -> None:
    """Mark the corners of the square that the model sees."""
    box, arm, thick = square.inner(8), 22, 2
    for top in (box.top, box.bottom - thick):
        canvas[top : top + thick, box.left : box.left + arm] = colour
        canvas[top : top + thick, box.right - arm : box.right] = colour
    for left in (box.left, box.right - thick):
        canvas[box.top : box.top + arm, left : left + thick] = colour
        canvas[box.bottom - arm : box.bottom, left : left + thick] = colour
