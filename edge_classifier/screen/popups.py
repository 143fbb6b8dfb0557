"""What is drawn over the live picture: messages, questions and the list of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.live.view import Level
from edge_classifier.screen.canvas import (
    ACCENT,
    AMBER,
    CARD,
    LINE,
    MUTED,
    RAISED,
    RED,
    TEXT,
    Box,
    Canvas,
)
from edge_classifier.screen.text import SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.live.view import Message, Prompt

_LEVEL_COLOURS: Final = {Level.INFO: ACCENT, Level.WARNING: AMBER, Level.ERROR: RED}
_MESSAGE_SIZE: Final = 15
_HELP_ROW: Final = 27
_TILE: Final = (148, 111)
"""Width and height of the picture that a question is about, in pixels."""


def draw_message(canvas: Canvas, video: Box, message: Message) -> None:
    """Draw what appears for some seconds, broken into at most five lines, at the bottom."""
    width = video.width - 32
    lines = canvas.text.wrap(message.text, _MESSAGE_SIZE, width - 36, 5)
    height = max(len(lines), 1) * line_height(_MESSAGE_SIZE) + 18
    box = Box(video.left + 16, video.bottom - 16 - height, width, height)
    canvas.frame_over(box, LINE, CARD)
    strip = Box(box.left + 8, box.top + 8, 4, height - 16)
    canvas.fill(strip, _LEVEL_COLOURS[message.level], CARD, 2)
    place = Box(box.left + 22, box.top + 9, width - 36, height - 18)
    canvas.write_lines(place, lines, _MESSAGE_SIZE, TEXT, CARD)


def draw_prompt(canvas: Canvas, video: Box, prompt: Prompt, *, mirrored: bool) -> None:
    """Draw a question with, where something is typed, its text and a caret.

    One about a picture has that beside it, and is at the top, out of the live picture's middle.
    """
    about_picture = prompt.picture is not None
    width = min(560 if about_picture else 460, video.width - 48)
    aside = _TILE[0] + 20 if about_picture else 0
    inside_width = width - 48 - aside
    title = canvas.text.wrap(prompt.title, 18, inside_width, 3)
    error = [] if prompt.error is None else canvas.text.wrap(prompt.error, 14, inside_width, 3)
    note = canvas.text.wrap(prompt.note, 14, inside_width, 2)
    typing = prompt.text is not None
    height = 40 + len(title) * line_height(18) + (58 if typing else 0)
    height += (len(error) + len(note)) * line_height(14) + 8 * bool(error) + 10
    if about_picture:
        height = max(height, _TILE[1] + 36)
    spare = 16 if about_picture else (video.height - height) // 2
    box = Box(video.left + (video.width - width) // 2, video.top + spare, width, height)
    canvas.frame_over(box, LINE, CARD)
    left, top = box.left + 24 + aside, box.top + 20
    if prompt.picture is not None:
        tile = Box(box.left + 18, box.top + 18, *_TILE)
        canvas.picture(tile, prompt.picture, mirrored=mirrored, background=CARD)
    canvas.write_lines(Box(left, top, inside_width, height), title, 18, TEXT, CARD)
    top += len(title) * line_height(18) + 10
    if prompt.text is not None:
        field = Box(left, top, inside_width, 44)
        canvas.frame(field, ACCENT if prompt.error is None else RED, RAISED, CARD)
        place = Box(left + 12, top + 2, inside_width - 28, 40)
        shown = canvas.text.tail(prompt.text, 20, place.width)
        end = canvas.write(place, shown, 20, TEXT, RAISED)
        caret = Box(min(place.left + end + 1, field.right - 8), top + 11, 2, 22)
        caret.of(canvas.pixels)[:] = ACCENT
        top += 54
    if error:
        canvas.write_lines(Box(left, top, inside_width, 99), error, 14, RED, CARD)
        top += len(error) * line_height(14) + 8
    canvas.write_lines(Box(left, top, inside_width, 99), note, 14, MUTED, CARD)


def draw_help(canvas: Canvas, video: Box, lines: tuple[tuple[str, str], ...]) -> None:
    """Draw the keys and what they do, in two columns."""
    row = min(_HELP_ROW, (video.height - 60) // max(len(lines), 1))
    width, height = min(520, video.width - 32), row * len(lines) + 36
    box = video.centred(width, height)
    canvas.frame_over(box, LINE, CARD)
    size = min(15, row - 6)
    for number, (key, meaning) in enumerate(lines):
        top = box.top + 18 + number * row
        keys = Box(box.left + 20, top, 112, row)
        canvas.write(keys, key, size, ACCENT, CARD, weight=SEMIBOLD, align="right")
        words = Box(keys.right + 20, top, box.right - 20 - keys.right - 20, row)
        canvas.write(words, meaning, size, TEXT, CARD)
