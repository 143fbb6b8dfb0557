"""Draws a strip of pictures to choose from, below the live one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.live.display import CHOOSE, target
from edge_classifier.live.view import STRIP_LENGTH
from edge_classifier.screen.canvas import (
    ACCENT,
    CARD,
    LINE,
    MUTED,
    RAISED,
    TEXT,
    WINDOW,
    Box,
    Canvas,
    Target,
    readable,
)
from edge_classifier.screen.text import SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.live.view import PictureStrip, StripPicture

STRIP_HEIGHT: Final = 204
_HEAD: Final = 34
_GAP: Final = 6
_REASON: Final = 12
_REASON_LINES: Final = 3


def draw_strip(canvas: Canvas, box: Box, strip: PictureStrip, *, mirrored: bool) -> list[Target]:
    """Draw a strip into a box that is `STRIP_HEIGHT` high, or a little less.

    Returns:
        Where each picture can be chosen.
    """
    canvas.fill(box, CARD, WINDOW)
    head = Box(box.left + 14, box.top + 4, box.width - 28, _HEAD - 4)
    taken = canvas.write(head, strip.note, 13, MUTED, CARD, align="right")
    title = Box(head.left, head.top, head.width - taken - 16, head.height)
    canvas.write(title, strip.title, 15, TEXT, CARD, weight=SEMIBOLD)
    if strip.progress is not None:
        track = Box(head.left, box.top + box.height // 2, head.width, 8)
        canvas.bar(track, strip.progress, ACCENT, CARD)
    width = (box.width - 20 - _GAP * (STRIP_LENGTH - 1)) // STRIP_LENGTH
    targets = []
    for number, each in enumerate(strip.pictures):
        left = box.left + 10 + number * (width + _GAP)
        cell = Box(left, box.top + _HEAD, width, box.height - _HEAD - 8)
        _cell(canvas, cell, each, chosen=number == strip.chosen, mirrored=mirrored)
        targets.append(Target(cell, target(CHOOSE, number)))
    return targets


def _cell(canvas: Canvas, cell: Box, each: StripPicture, *, chosen: bool, mirrored: bool) -> None:
    background = RAISED if chosen else CARD
    canvas.frame(cell, ACCENT if chosen else CARD, background, CARD)
    inside = cell.inner(5)
    step = line_height(_REASON)
    words = 20 + _REASON_LINES * step
    tile = Box(inside.left, inside.top, inside.width, max(24, inside.height - words))
    if each.thumbnail is None:
        canvas.fill(tile, LINE, background, 6)
    else:
        canvas.picture(tile, each.thumbnail, mirrored=mirrored, background=background)
    name = Box(inside.left, tile.bottom + 1, inside.width, 18)
    canvas.write(name, each.class_name, 13, readable(each.colour), background, weight=SEMIBOLD)
    lines = canvas.text.wrap(each.text, _REASON, inside.width, _REASON_LINES)
    rows = Box(inside.left, name.bottom, inside.width, words)
    canvas.write_lines(rows, lines, _REASON, TEXT, background)
