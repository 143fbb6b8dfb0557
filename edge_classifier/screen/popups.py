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
    Target,
)
from edge_classifier.screen.text import SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.live.view import Message, Prompt

_LEVEL_COLOURS: Final = {Level.INFO: ACCENT, Level.WARNING: AMBER, Level.ERROR: RED}
_MESSAGE_SIZE: Final = 15
_HELP_ROW: Final = 27
_LOW_HELP_ROW: Final = 22
_TILE: Final = (148, 111)
"""Width and height of the picture that a question is about, in pixels."""


def draw_message(canvas: Canvas, video: Box, message: Message) -> Box:
    """Draw what appears for some seconds, broken into at most five lines, at the bottom.

    Returns:
        Where; a low picture is not high enough for all of them.
    """
    width = video.width - 32
    lines = canvas.text.wrap(message.text, _MESSAGE_SIZE, width - 36, 5)
    height = max(len(lines), 1) * line_height(_MESSAGE_SIZE) + 18
    box = Box(video.left + 16, max(0, video.bottom - 16 - height), width, height)
    canvas.frame_over(box, LINE, CARD)
    strip = Box(box.left + 8, box.top + 8, 4, height - 16)
    canvas.fill(strip, _LEVEL_COLOURS[message.level], CARD, 2)
    place = Box(box.left + 22, box.top + 9, width - 36, height - 18)
    canvas.write_lines(place, lines, _MESSAGE_SIZE, TEXT, CARD)
    return box


def draw_prompt(canvas: Canvas, video: Box, prompt: Prompt, *, mirrored: bool, above: int) -> Box:
    """Draw a question with, where something is typed, its text and a caret.

    One about a picture has that beside it, and is at the top, out of the live picture's middle.
    All are `above` the message that is there, as far as there is room.

    Returns:
        Where; a low picture is not high enough for a long one.
    """
    about_picture = prompt.picture is not None
    width = min(560 if about_picture else 460, video.width - 48)
    aside = _TILE[0] + 20 if about_picture else 0
    inside_width = width - 48 - aside
    title = canvas.text.wrap(prompt.title, 18, inside_width, 3)
    error = [] if prompt.error is None else canvas.text.wrap(prompt.error, 14, inside_width, 3)
    note, note_size = canvas.wrapped(prompt.note, 14, inside_width, 3)
    typing = prompt.text is not None
    height = 40 + len(title) * line_height(18) + (58 if typing else 0)
    height += (len(error) + len(note)) * line_height(14) + 8 * bool(error) + 10
    if about_picture:
        height = max(height, _TILE[1] + 36)
    spare = 16 if about_picture else (video.height - height) // 2
    top = max(0, min(video.top + spare, above - 4 - height))
    box = Box(video.left + (video.width - width) // 2, top, width, height)
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
        behind = LINE if prompt.replaced else RAISED
        if prompt.replaced:
            width = canvas.text.width(shown, 20)
            canvas.clear(Box(place.left - 3, top + 8, width + 6, 28), behind)
        end = canvas.write(place.centred(place.width, 28), shown, 20, TEXT, behind)
        caret = Box(min(place.left + end + 1, field.right - 8), top + 11, 2, 22)
        canvas.clear(caret, ACCENT)
        top += 54
    if error:
        canvas.write_lines(Box(left, top, inside_width, 99), error, 14, RED, CARD)
        top += len(error) * line_height(14) + 8
    canvas.write_lines(Box(left, top, inside_width, 99), note, note_size, MUTED, CARD)
    return box


def draw_help(canvas: Canvas, room: Box, lines: tuple[tuple[str, str, str], ...]) -> list[Target]:
    """Draw the keys and what they do; returns where each can be pressed.

    Where the list is too long for the room there is, it goes on in a second column.
    """
    columns = 1 if len(lines) * _LOW_HELP_ROW + 20 <= room.height else 2
    rows = -(-len(lines) // columns)
    row = min(_HELP_ROW, (room.height - 20) // rows)
    column = min(480, (room.width - 16) // columns)
    box = room.centred(column * columns + 16, row * rows + 20)
    canvas.frame_over(box, LINE, CARD)
    aside, beside = column * 22 // 100, column * 78 // 100 - 32
    longest = max(
        (meaning for _, meaning, _ in lines), key=lambda text: canvas.text.width(text, 15)
    )
    size = canvas.fitting(longest, min(15, row - 6), beside)
    targets = []
    for number, (key, meaning, press) in enumerate(lines):
        at, below = divmod(number, rows)
        place = Box(box.left + 8 + at * column, box.top + 10 + below * row, column, row)
        targets.append(Target(place, press))
        keys = Box(place.left, place.top, aside, row)
        canvas.write(keys, key, size, ACCENT, CARD, weight=SEMIBOLD, align="right")
        words = Box(keys.right + 14, place.top, beside, row)
        canvas.write(words, meaning, size, TEXT, CARD)
    return targets
