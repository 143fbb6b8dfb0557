"""Draws what is to be chosen before there is anything else to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
)
from edge_classifier.screen.text import SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.live.view import Choice, Menu

_WIDEST: Final = 620
_HIGHEST_ROW: Final = 72
_GAP: Final = 6
_TITLE: Final = 22
_NOTE: Final = 14
_TEXT: Final = 17
_SMALL: Final = 13


def draw_menu(canvas: Canvas, room: Box, menu: Menu, pressed: str) -> list[Target]:
    """Draw a menu in the middle of an empty room; returns where each row is."""
    width = min(_WIDEST, room.width - 24)
    title, title_size = canvas.wrapped(menu.title, _TITLE, width, 2)
    note, note_size = canvas.wrapped(menu.note, _NOTE, width, 2)
    head = len(title) * line_height(title_size) + 10
    foot = len(note) * line_height(note_size) + 6
    rows = len(menu.choices)
    row = min(_HIGHEST_ROW, (room.height - 16 - head - foot) // rows)
    box = room.centred(width, head + rows * row + foot)
    canvas.write_lines(box, title, title_size, TEXT, WINDOW)
    targets = []
    for number, choice in enumerate(menu.choices):
        place = Box(box.left, box.top + head + number * row, width, row - _GAP)
        _row(canvas, place, choice, marked=number == menu.chosen, down=choice.press == pressed)
        targets.append(Target(place, choice.press))
    below = Box(box.left, box.bottom - foot + 4, width, foot)
    canvas.write_lines(below, note, note_size, MUTED, WINDOW)
    return targets


def _row(canvas: Canvas, place: Box, choice: Choice, *, marked: bool, down: bool) -> None:
    """Draw a choice: its text, beside that the detail, and below them where it lies."""
    background = LINE if down else RAISED if marked else CARD
    canvas.frame(place, ACCENT if marked else background, background, WINDOW)
    cap = Box(place.left + 12, place.top + (place.height - 26) // 2, 30, 26)
    canvas.key_cap(cap, choice.key, background)
    left = cap.right + 14
    first, second = line_height(_TEXT), line_height(_SMALL) * bool(choice.where)
    if first + second > place.height - 4:  # a low window
        second = 0
    top = place.top + max(0, place.height - first - second) // 2
    line = Box(left, top, place.right - 14 - left, first)
    taken = canvas.write(line, choice.detail, _SMALL, MUTED, background, align="right")
    name = Box(left, top, line.width - taken - 12, first)
    canvas.write(name, choice.text, _TEXT, TEXT, background, weight=SEMIBOLD)
    if second:
        where = canvas.text.tail(choice.where, _SMALL, line.width)
        below = Box(left, line.bottom, line.width, second)
        canvas.write(below, where, _SMALL, MUTED, background)
