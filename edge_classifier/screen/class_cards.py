"""The column of classes: large cards for a few of them, compact rows for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.screen.canvas import (
    CARD,
    MUTED,
    RAISED,
    RED,
    TEXT,
    WINDOW,
    Box,
    Canvas,
    readable,
)
from edge_classifier.screen.text import SEMIBOLD

if TYPE_CHECKING:
    from edge_classifier.live.view import ClassCard

_FEW: Final = 5
_WIDE_GAP: Final = 8
_NARROW_GAP: Final = 4
_LARGEST: Final = 106
_LARGE: Final = 76
"""Cards at least this high have three lines: name, count, score."""
_MIDDLE: Final = 40
"""Cards at least this high have the score's bar below the name; lower ones beside it."""
_ROWS: Final = 20
_PERCENT: Final = 44
"""Width of a score's number, in pixels."""


@dataclass(frozen=True, slots=True)
class _CardParts:
    """Where the parts of one card are, and how large its text is."""

    strip: Box
    tile: Box | None
    cap: Box | None
    name: Box
    count: Box
    track: Box
    percent: Box
    name_size: int
    align: str


class ClassCards:
    """Draws the cards into a box of its own, and redraws only what changed of them."""

    def __init__(self, canvas: Canvas, box: Box) -> None:
        self._canvas = canvas
        self._box = box
        self._structure: object = None
        self._drawn: dict[int, tuple[object, ...]] = {}
        self._scores: dict[int, float | None] = {}

    def draw(self, cards: tuple[ClassCard, ...], *, mirrored: bool) -> None:
        """Bring the column up to date; the canvas still holds what was drawn last."""
        shown, hidden = _visible(cards)
        structure = (len(shown), hidden, mirrored)
        if structure != self._structure:
            self._structure = structure
            self._drawn.clear()
            self._clear(hidden, empty=not cards)
        boxes = _places(self._box, len(shown), more=hidden > 0)
        for number, (card, box) in enumerate(zip(shown, boxes, strict=True)):
            content = (
                *(card.name, card.key, card.colour, card.count),
                *(card.selected, card.recording, card.score is None),
            )
            before = self._drawn.get(number)
            # Pictures are compared by identity; kept here, an identity cannot be given again.
            if before is None or before[0] is not card.thumbnail or before[1:] != content:
                self._drawn[number] = (card.thumbnail, *content)
                self._card(box, card, mirrored=mirrored)
                self._scores.pop(number, None)
            if card.score is not None and self._scores.get(number) != card.score:
                self._score(_parts(box, card), card, card.score)
                self._scores[number] = card.score

    def _clear(self, hidden: int, *, empty: bool) -> None:
        self._box.of(self._canvas.pixels)[:] = WINDOW
        if hidden:
            row = Box(self._box.left, self._box.bottom - 24, self._box.width, 24)
            self._canvas.write(row, f"+{hidden} more", 14, MUTED, WINDOW, align="centre")
        for number, which in enumerate(("first", "second") if empty else ()):
            top = self._box.top + number * (_LARGEST + _WIDE_GAP)
            box = Box(self._box.left, top, self._box.width, _LARGEST)
            self._canvas.frame(box, RAISED, WINDOW, WINDOW)
            cap = Box(box.left + 24, box.top + 35, 36, 36)
            self._canvas.key_cap(cap, str(number + 1), WINDOW)
            line = Box(cap.right + 16, box.top, box.width - 92, box.height)
            text = f"hold for the {which} class"
            self._canvas.write(line, text, 17, MUTED, WINDOW)

    def _card(self, box: Box, card: ClassCard, *, mirrored: bool) -> None:
        """Draw all of a card but its score."""
        parts = _parts(box, card)
        line = RED if card.recording else readable(card.colour) if card.selected else CARD
        self._canvas.frame(box, line, CARD, WINDOW)
        self._canvas.fill(parts.strip, card.colour, CARD, 2)
        if parts.tile is not None and card.thumbnail is not None:
            self._canvas.picture(parts.tile, card.thumbnail, mirrored=mirrored, background=CARD)
        elif parts.tile is not None:
            self._canvas.fill(parts.tile, RAISED, CARD, 6)
        if parts.cap is not None:
            self._canvas.key_cap(parts.cap, card.key or "space", CARD)
        self._canvas.write(parts.name, card.name, parts.name_size, TEXT, CARD, weight=SEMIBOLD)
        words = "" if box.height < _LARGE else " sample" if card.count == 1 else " samples"
        colour = RED if card.recording else MUTED
        count = f"{card.count}{words}"
        self._canvas.write(parts.count, count, 14, colour, CARD, align=parts.align)

    def _score(self, parts: _CardParts, card: ClassCard, score: float) -> None:
        """Draw the score's bar and number: what changes with every frame."""
        self._canvas.bar(parts.track, score, readable(card.colour), CARD)
        parts.percent.of(self._canvas.pixels)[:] = CARD
        number = f"{round(score * 100)} %"
        self._canvas.write(parts.percent, number, 14, TEXT, CARD, align="right")


def _parts(box: Box, card: ClassCard) -> _CardParts:
    """Divide a card, as its height allows."""
    if box.height >= _LARGE:
        return _large_parts(box, card)
    low = box.height < _MIDDLE
    inside = box.inner(4 if low else 6)
    line = inside.height if low else inside.height - 8
    strip = Box(inside.left, inside.top, 4, inside.height)
    cap = _cap(inside, line, card, 22)
    # Rows keep the key's place free, so that their numbers stand below each other.
    right = inside.right - (62 if low else 32 if cap is None else cap.width + 8)
    percent = Box(right - _PERCENT, inside.top, _PERCENT, line)
    if low:
        tile, left = None, strip.right + 8
        track = Box(percent.left - 64, box.top + box.height // 2 - 3, 64, 6)
        count = Box(track.left - 52, inside.top, 42, line)
    else:
        tile = Box(strip.right + 8, inside.top, inside.height, inside.height)
        left = tile.right + 10
        track = Box(left, inside.bottom - 6, inside.right - left, 5)
        count = Box(percent.left - 40, inside.top, 40, line)
    name = Box(left, inside.top, count.left - 6 - left, line)
    return _CardParts(strip, tile, cap, name, count, track, percent, 16, "right")


def _large_parts(box: Box, card: ClassCard) -> _CardParts:
    inside = box.inner(10)
    strip = Box(inside.left, inside.top, 4, inside.height)
    tile = Box(strip.right + 10, inside.top, inside.height, inside.height)
    left = tile.right + 12
    cap = _cap(inside, 28, card, 28)
    right = inside.right if cap is None else cap.left - 8
    name = Box(left, inside.top, right - left, 28)
    count = Box(left, name.bottom + 2, right - left, 20)
    percent = Box(inside.right - _PERCENT, inside.bottom - 20, _PERCENT, 20)
    track = Box(left, percent.top + 6, percent.left - 6 - left, 8)
    return _CardParts(strip, tile, cap, name, count, track, percent, 20, "left")


def _cap(inside: Box, line: int, card: ClassCard, largest: int) -> Box | None:
    """Return the place of a card's key, at the right end of its first line."""
    if card.key is None and not card.selected:
        return None
    height = min(largest, line)
    width = height + 2 if card.key else 54
    return Box(inside.right - width, inside.top + (line - height) // 2, width, height)


def _places(column: Box, count: int, *, more: bool) -> list[Box]:
    """Return a box for each of the cards, equally high and together within the column."""
    rows = count + more
    gap = _WIDE_GAP if rows <= _FEW else _NARROW_GAP
    height = min(_LARGEST, (column.height + gap) // max(rows, 1) - gap)
    return [
        Box(column.left, column.top + number * (height + gap), column.width, height)
        for number in range(count)
    ]


def _visible(cards: tuple[ClassCard, ...]) -> tuple[tuple[ClassCard, ...], int]:
    """Return the cards to show, the chosen one always among them, and how many are hidden."""
    if len(cards) <= _ROWS:
        return cards, 0
    room = _ROWS - 1
    chosen = next((n for n, card in enumerate(cards) if card.recording or card.selected), 0)
    start = max(0, chosen - room + 1)
    return cards[start : start + room], len(cards) - room
