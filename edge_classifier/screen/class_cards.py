"""The column of classes: large cards for a few of them, compact rows for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.languages.text import Text, plural
from edge_classifier.live.display import LOOK, RECORD, RENAME, target
from edge_classifier.screen.canvas import (
    CARD,
    MUTED,
    RAISED,
    RED,
    TEXT,
    WINDOW,
    Box,
    Canvas,
    Target,
    readable,
)
from edge_classifier.screen.text import SEMIBOLD, line_height

if TYPE_CHECKING:
    from edge_classifier.languages.language import Language
    from edge_classifier.live.view import ClassCard

_FEW: Final = 5
_NARROW: Final = 280
"""Rows of at most this width have no bar for the score, only its number."""
_WIDE_GAP: Final = 8
_NARROW_GAP: Final = 4
_LARGEST: Final = 106
_LARGE: Final = 84
"""Cards at least this high have three lines: name, count, score."""
_MIDDLE: Final = 40
"""Cards at least this high have the score's bar below the name; lower ones beside it."""
_LOWEST: Final = 28
"""Of a card and the gap below it; where there is less for each, some are not shown."""
_ADD: Final = 34
"""Of the row below the cards, which adds a class."""
_FIRST: Final = (Text("hold for the first class"), Text("hold for the second class"))
_LOOK: Final = 26
"""Height of what is pressed to look at a class's pictures, on a large card."""
_PERCENT: Final = 44
"""Width of a score's number, in pixels."""


@dataclass(frozen=True, slots=True)
class _CardParts:
    """Where the parts of one card are, and how large its text is."""

    strip: Box
    tile: Box | None
    look: Box
    cap: Box | None
    name: Box
    count: Box
    track: Box
    percent: Box
    name_size: int
    align: str


class ClassCards:
    """Draws the cards into a box of its own, and redraws only what changed of them."""

    def __init__(self, canvas: Canvas, box: Box, language: Language) -> None:
        self._canvas = canvas
        self._language = language
        self._box = box
        self._list = Box(box.left, box.top, box.width, box.height - _ADD)
        self._structure: object = None
        self._drawn: dict[int, tuple[object, ...]] = {}
        self._scores: dict[int, float | None] = {}
        self._parts: dict[int, _CardParts] = {}
        self._targets: list[Target] = []

    def draw(self, cards: tuple[ClassCard, ...], *, mirrored: bool) -> list[Target]:
        """Bring the column up to date; the canvas still holds what was drawn last.

        Returns:
            Where each class is recorded, renamed, and another one added.
        """
        shown, hidden = _visible(cards, max(1, (self._list.height + _NARROW_GAP) // _LOWEST))
        structure = (len(cards), len(shown), mirrored)
        changed = structure != self._structure
        boxes = _places(self._list, len(shown) or len(_FIRST))
        below = Box(self._box.left, boxes[-1].bottom + _NARROW_GAP, self._box.width, _ADD - 4)
        if changed:
            self._structure = structure
            self._drawn.clear()
            self._clear(below, hidden)
            if not cards:
                self._empty(boxes)
        for number, (card, box) in enumerate(zip(shown, boxes, strict=False)):
            content = (
                *(card.name, card.key, card.colour, card.count),
                *(card.selected, card.recording, card.score is None),
            )
            before = self._drawn.get(number)
            # Pictures are compared by identity; kept here, an identity cannot be given again.
            if before is None or before[0] is not card.thumbnail or before[1:] != content:
                self._drawn[number] = (card.thumbnail, *content)
                self._parts[number] = _parts(box, card)
                self._card(box, self._parts[number], card, mirrored=mirrored)
                self._scores.pop(number, None)
                changed = True
            if card.score is not None and self._scores.get(number) != card.score:
                self._score(self._parts[number], card, card.score)
                self._scores[number] = card.score
        if changed:
            self._targets = self._pressed_at(shown, boxes, below, hidden)
        return self._targets

    def _pressed_at(
        self, shown: tuple[ClassCard, ...], boxes: list[Box], below: Box, hidden: int
    ) -> list[Target]:
        targets = [Target(box, str(n + 1)) for n, box in enumerate(boxes) if not shown]
        for number, (card, box) in enumerate(zip(shown, boxes, strict=False)):
            parts = self._parts[number]
            targets.append(Target(box, target(RECORD, card.name)))
            targets.append(Target(parts.name, target(RENAME, card.name)))
            targets.append(Target(parts.look, target(LOOK, card.name)))
        targets.append(Target(below, "+"))
        if hidden:
            targets.append(Target(_right_half(below), "pagedown"))
        return targets

    def forget(self) -> None:
        """Draw all of it anew the next time: something else was drawn over it."""
        self._structure = None

    def _clear(self, below: Box, hidden: int) -> None:
        self._canvas.clear(self._box, WINDOW)
        self._canvas.fill(below, RAISED, WINDOW, 8)
        add = (
            below.inner(8)
            if not hidden
            else Box(below.left + 8, below.top, below.width // 2 - 16, below.height)
        )
        label = self._language.of(Text("+ add a class"))
        size = self._canvas.fitting(label, 14, add.width)
        self._canvas.write(add, label, size, MUTED, RAISED, align="centre")
        if hidden:
            more = self._language.of(Text("{count} more ▼", count=hidden))
            size = self._canvas.fitting(more, 14, _right_half(below).width)
            self._canvas.write(_right_half(below), more, size, TEXT, RAISED, align="centre")

    def _empty(self, boxes: list[Box]) -> None:
        for number, (box, which) in enumerate(zip(boxes, _FIRST, strict=True)):
            self._canvas.frame(box, RAISED, WINDOW, WINDOW)
            side = min(36, box.height - 12)
            cap = Box(box.left + 24, box.top + (box.height - side) // 2, side, side)
            self._canvas.key_cap(cap, str(number + 1), WINDOW)
            width = box.right - cap.right - 24
            lines, size = self._canvas.wrapped(self._language.of(which), 17, width, 2)
            high = len(lines) * line_height(size)
            place = Box(cap.right + 16, box.top + (box.height - high) // 2, width, high)
            self._canvas.write_lines(place, lines, size, MUTED, WINDOW)

    def _card(self, box: Box, parts: _CardParts, card: ClassCard, *, mirrored: bool) -> None:
        """Draw all of a card but its score."""
        line = RED if card.recording else readable(card.colour) if card.selected else CARD
        self._canvas.frame(box, line, CARD, WINDOW)
        self._canvas.fill(parts.strip, card.colour, CARD, 2)
        if parts.tile is not None and card.thumbnail is not None:
            self._canvas.picture(parts.tile, card.thumbnail, mirrored=mirrored, background=CARD)
        elif parts.tile is not None:
            self._canvas.fill(parts.tile, RAISED, CARD, 6)
        if box.height >= _LARGE:
            self._canvas.fill(parts.look, RAISED, CARD, 6)
            look = self._language.of(Text("look"))
            size = self._canvas.fitting(look, 14, parts.look.width - 4)
            self._canvas.write(parts.look, look, size, TEXT, RAISED, align="centre")
        if parts.cap is not None:
            self._canvas.key_cap(parts.cap, card.key or self._language.of(Text("space")), CARD)
        self._canvas.write(parts.name, card.name, parts.name_size, TEXT, CARD, weight=SEMIBOLD)
        colour = RED if card.recording else MUTED
        count = self._language.of(plural("{count} picture", "{count} pictures", card.count))
        if box.height < _LARGE or self._canvas.text.width(count, 14) > parts.count.width:
            count = str(card.count)
        self._canvas.write(parts.count, count, 14, colour, CARD, align=parts.align)

    def _score(self, parts: _CardParts, card: ClassCard, score: float) -> None:
        """Draw the score's bar and number: what changes with every frame."""
        if parts.track.width:
            self._canvas.bar(parts.track, score, readable(card.colour), CARD)
        self._canvas.clear(parts.percent, CARD)
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
        long = 64 if box.width > _NARROW else 0
        track = Box(percent.left - long, box.top + box.height // 2 - 3, long, 6)
        count = Box(track.left - (52 if long else 36), inside.top, 42 if long else 36, line)
    else:
        tile = Box(strip.right + 8, inside.top, inside.height, inside.height)
        left = tile.right + 10
        track = Box(left, inside.bottom - 6, inside.right - left, 5)
        count = Box(percent.left - 40, inside.top, 40, line)
    name = Box(left, inside.top, count.left - 6 - left, line)
    if low:  # all that is within the frame: letters reach below the line
        name = Box(left, box.top + 2, name.width, box.height - 4)
    # Where there is no picture to press, the number of pictures is.
    look = tile or Box(count.left, box.top, count.width + 6, box.height)
    return _CardParts(strip, tile, look, cap, name, count, track, percent, 16, "right")


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
    look = Box(tile.left, tile.bottom - _LOOK, tile.width, _LOOK)
    return _CardParts(strip, tile, look, cap, name, count, track, percent, 20, "left")


def _cap(inside: Box, line: int, card: ClassCard, largest: int) -> Box | None:
    """Return the place of a card's key, at the right end of its first line."""
    if card.key is None and not card.selected:
        return None
    height = min(largest, line)
    width = height + 2 if card.key else 54
    return Box(inside.right - width, inside.top + (line - height) // 2, width, height)


def _places(column: Box, count: int) -> list[Box]:
    """Return a box for each of the cards, equally high and together within the column."""
    gap = _WIDE_GAP if count <= _FEW else _NARROW_GAP
    height = min(_LARGEST, (column.height + gap) // count - gap)
    return [
        Box(column.left, column.top + number * (height + gap), column.width, height)
        for number in range(count)
    ]


def _right_half(row: Box) -> Box:
    return Box(row.left + row.width // 2, row.top, row.width - row.width // 2, row.height)


def _visible(cards: tuple[ClassCard, ...], room: int) -> tuple[tuple[ClassCard, ...], int]:
    """Return the cards to show, the chosen one always among them, and how many are hidden."""
    if len(cards) <= room:
        return cards, 0
    chosen = next((n for n, card in enumerate(cards) if card.recording or card.selected), 0)
    start = max(0, chosen - room + 1)
    return cards[start : start + room], len(cards) - room
