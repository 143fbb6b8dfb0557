"""Draws the verdict below the live picture, or what to do first where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.languages.text import Text
from edge_classifier.screen.canvas import CARD, MUTED, TEXT, WINDOW, Box, Canvas, readable
from edge_classifier.screen.text import BOLD, SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.languages.language import Language
    from edge_classifier.live.view import Banner

_UNKNOWN_GREY: Final = (176, 168, 162)
_FAMILIAR_ROW: Final = 22
_FAMILIAR: Final = 13
_FAMILIAR_PART: Final = 70
"""Of the row, in percent, that words take at most beside the bar."""
_MARGIN: Final = 20
_HINT: Final = (19, 14)
"""Letters of what to do first, and the smallest where it is long."""


def draw_first_hint(canvas: Canvas, box: Box, hint: str) -> None:
    """Draw what to do first, in at most two lines, while there is no verdict."""
    canvas.fill(box, CARD, WINDOW)
    width = box.width - 2 * _MARGIN
    lines, size = canvas.hint(hint, _HINT, width)
    top = box.top + (box.height - line_height(size) * len(lines)) // 2
    place = Box(box.left + _MARGIN, top, width, box.bottom - top)
    canvas.write_lines(place, lines, size, TEXT, CARD)


def draw_verdict(canvas: Canvas, box: Box, banner: Banner, language: Language) -> None:
    """Draw a verdict: class or unknown, how sure it is, and how familiar the picture."""
    canvas.fill(box, CARD, WINDOW)
    inside = Box(box.left + _MARGIN, box.top + 2, box.width - 2 * _MARGIN, box.height - 38)
    large = inside.height * 40 // 54  # of which letters with descenders take the rest
    colour = _UNKNOWN_GREY if banner.unknown else readable(banner.colour)
    taken = 0
    if banner.confidence is not None:
        text = f"{round(banner.confidence * 100)} %"
        taken = 24 + canvas.write(
            inside, text, large * 34 // 40, TEXT, CARD, weight=SEMIBOLD, align="right"
        )
    label = Box(inside.left, inside.top, inside.width - taken, inside.height)
    canvas.write(label, banner.label, large, colour, CARD, weight=BOLD)
    row = Box(inside.left, box.bottom - _FAMILIAR_ROW - 5, inside.width, _FAMILIAR_ROW)
    if banner.confidence is not None:
        canvas.bar(Box(inside.left, row.top - 9, inside.width, 4), banner.confidence, colour, CARD)
    if banner.similarity is not None and banner.threshold is not None:
        _familiarity(canvas, row, banner.similarity, banner.threshold, language)


def _familiarity(
    canvas: Canvas, row: Box, similarity: float, threshold: float, language: Language
) -> None:
    """Draw how much the picture looks like what was shown, and a mark below which it is unknown."""
    # A cosine can be negative, which says nobody anything.
    similarity, threshold = max(similarity, 0.0), max(threshold, 0.0)
    percent, least = round(similarity * 100), round(threshold * 100)
    most = row.width * _FAMILIAR_PART // 100
    # As wide for any number, so that the bar beside it stays where it is.
    width = canvas.text.width(_familiar(100, 100, language), _FAMILIAR) + _FAMILIAR
    line = _familiar(percent, least if width <= most else None, language)
    if width > most:
        width = canvas.text.width(_familiar(100, None, language), _FAMILIAR) + _FAMILIAR
    words = Box(row.left, row.top, min(width, most), row.height)
    canvas.write(words, line, _FAMILIAR, MUTED, CARD)
    track = Box(words.right, row.top + row.height // 2 - 3, row.right - words.right, 6)
    canvas.bar(track, similarity, MUTED, CARD)
    at = track.left + round(min(threshold, 1.0) * (track.width - 3))
    canvas.clear(Box(at, track.top - 4, 3, track.height + 8), TEXT)


def _familiar(percent: int, least: int | None, language: Language) -> str:
    text = Text("{percent} % like what you showed", percent=percent)
    if least is not None:
        text = Text("{similar} · unknown below {least} %", similar=text, least=least)
    return language.of(text)
