"""Draws stored pictures to look at and clean up, in rows, round by round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from edge_classifier.languages.text import Text
from edge_classifier.live.display import CHOOSE, CHOOSE_ROUND, Room, target
from edge_classifier.screen.canvas import (
    ACCENT,
    CARD,
    LINE,
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
    from collections.abc import Hashable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.languages.language import Language
    from edge_classifier.live.view import Gallery, GalleryPicture, GalleryRow

_HEAD: Final = 32
_NOTE: Final = 22
_LOW: Final = 280
"""Lower galleries have no line that says which keys do what: buttons say it too."""
_HEADING: Final = 26
_CELL: Final = 104
"""About the width of a picture's place, or less where that makes room for two rows."""
_LEAST_CELL: Final = 76
_SHAPE: Final = 0.76
"""Height of a picture's place, in its widths."""
_GAP: Final = 4
_BAR: Final = 36
"""Width of what scrolls: fingers need some 7 mm."""
_REASON: Final = 12
_REASON_LINES: Final = 2
_CAPTION: Final = 18 + _REASON_LINES * line_height(_REASON) + 4


class _Layout(NamedTuple):
    head: Box
    rows: Box
    note: Box | None
    bar: Box
    cell: tuple[int, int]
    room: Room


def _layout(box: Box, *, captioned: bool) -> _Layout:
    inside = box.inner(8)
    head = Box(inside.left + 4, inside.top - 4, inside.width - 8, _HEAD)
    high = inside.height >= _LOW
    bottom = inside.bottom - (_NOTE if high else 0)
    note = Box(inside.left + 4, bottom + 2, inside.width - 8, _NOTE) if high else None
    rows = Box(inside.left, head.bottom, inside.width - _BAR - _GAP, bottom - head.bottom)
    bar = Box(rows.right + _GAP, rows.top, _BAR, rows.height)
    heading, caption = (0, _CAPTION) if captioned else (_HEADING, 0)
    of_two = round((rows.height // 2 - heading - _GAP) / _SHAPE)
    cell = _CELL if captioned else max(_LEAST_CELL, min(_CELL, of_two))
    columns = max(2, (rows.width + _GAP) // (cell + _GAP))
    width = min((rows.width + _GAP) // columns - _GAP, max(cell, of_two))
    height = round(width * _SHAPE) + caption
    height = min(height, rows.height - heading)  # a low gallery shows one row all the same
    room = Room(columns, max(1, (rows.height + _GAP) // (height + heading + _GAP)))
    return _Layout(head, rows, note, bar, (width, height), room)


class GalleryPanel:
    """Draws a gallery into a box of its own, anew only where it has changed.

    Attributes:
        room: How many pictures there is room for, in the gallery that was drawn last.
    """

    def __init__(self, canvas: Canvas, box: Box, language: Language) -> None:
        self._canvas = canvas
        self._box = box
        self._language = language
        self._content: Hashable = None
        self._drawn: Image | None = None
        self._targets: list[Target] = []
        self.room: Room | None = None

    def draw(self, gallery: Gallery, *, mirrored: bool) -> list[Target]:
        """Draw it; whatever is drawn over it is gone with the next call.

        Returns:
            Where each picture and round can be chosen, and the rest brought in sight.
        """
        content = (_content_of(gallery), mirrored)
        if self._drawn is None or content != self._content:
            self._content = content
            self._targets = self._draw(gallery, mirrored=mirrored)
            self._drawn = self._canvas.part(self._box).copy()
        else:
            self._canvas.part(self._box)[:] = self._drawn
        return list(self._targets)

    def forget(self) -> None:
        """Keep nothing: there is no gallery any longer."""
        self._content = self._drawn = self.room = None

    def _draw(self, gallery: Gallery, *, mirrored: bool) -> list[Target]:
        canvas, layout = self._canvas, _layout(self._box, captioned=gallery.captioned)
        self.room = layout.room
        canvas.fill(self._box, CARD, WINDOW)
        head = layout.head
        if canvas.text.width(gallery.detail, 13) > head.width // 2:
            detail = Box(head.left + head.width // 2, head.top, head.width // 2, head.height)
        else:
            detail = head
        taken = canvas.write(detail, gallery.detail, 13, MUTED, CARD, align="right")
        title = Box(head.left, head.top, head.width - taken - 16, head.height)
        size = canvas.fitting(gallery.title, 15, title.width, SEMIBOLD)
        canvas.write(title, gallery.title, size, TEXT, CARD, weight=SEMIBOLD)
        if layout.note:
            size = canvas.fitting(gallery.note, 13, layout.note.width)
            canvas.write(layout.note, gallery.note, size, MUTED, CARD)
        if gallery.progress is not None:
            middle = layout.rows.top + layout.rows.height // 2
            track = Box(layout.rows.left, middle, layout.rows.width, 8)
            canvas.bar(track, gallery.progress, ACCENT, CARD)
        targets, top = list[Target](), layout.rows.top
        shown = 0
        for row in gallery.rows:
            heading = _HEADING if row.heading else 0
            if top + heading + layout.cell[1] > layout.rows.bottom:
                break
            targets += self._row(row, top, layout, mirrored=mirrored)
            top += heading + layout.cell[1] + _GAP
            shown += 1
        if gallery.first > 0 or shown < gallery.row_count - gallery.first:
            targets += self._scroll_bar(layout.bar, gallery, shown)
        return targets

    def _row(self, row: GalleryRow, top: int, layout: _Layout, *, mirrored: bool) -> list[Target]:
        canvas, targets = self._canvas, list[Target]()
        left, width = layout.rows.left, layout.rows.width
        if row.heading:
            line = Box(left, top, width, _HEADING)
            if row.round_of:
                words = min(width, canvas.text.width(row.heading, 13) + 20)
                pill = Box(left, top + 2, words, _HEADING - 4)
                canvas.fill(pill, RAISED, CARD, 6)
                inside = Box(pill.left + 8, pill.top, pill.width - 10, pill.height)
                canvas.write(inside, row.heading, 13, TEXT, RAISED)
                targets.append(Target(line, target(CHOOSE_ROUND, row.round_of)))
            else:
                canvas.write(Box(left + 4, top, width, _HEADING), row.heading, 13, MUTED, CARD)
            top += _HEADING
        # More of them come until the session has heard of the room that there is now.
        for number, picture in enumerate(row.pictures[: layout.room.columns]):
            place = Box(left + number * (layout.cell[0] + _GAP), top, *layout.cell)
            self._picture(place, picture, mirrored=mirrored)
            targets.append(Target(place, target(CHOOSE, picture.id)))
        return targets

    def _picture(self, place: Box, picture: GalleryPicture, *, mirrored: bool) -> None:
        canvas = self._canvas
        background = RAISED if picture.chosen else CARD
        canvas.frame(place, ACCENT if picture.chosen else CARD, background, CARD)
        inside = place.inner(5)
        words = _CAPTION if picture.text else 0
        tile = Box(inside.left, inside.top, inside.width, max(20, inside.height - words))
        if picture.thumbnail is not None:
            canvas.picture(tile, picture.thumbnail, mirrored=mirrored, background=background)
        else:
            canvas.fill(tile, LINE, background, 6)
            if picture.problem:
                unreadable = self._language.of(Text("unreadable"))
                size = canvas.fitting(unreadable, 13, tile.width)
                canvas.write(tile, unreadable, size, RED, LINE, align="centre")
        if not picture.text:
            return
        name = Box(inside.left, tile.bottom + 1, inside.width, 18)
        colour = readable(picture.colour)
        canvas.write(name, picture.class_name, 13, colour, background, weight=SEMIBOLD)
        lines, size = canvas.wrapped(picture.text, _REASON, inside.width, _REASON_LINES)
        rows = Box(inside.left, name.bottom, inside.width, words)
        canvas.write_lines(rows, lines, size, TEXT, background)

    def _scroll_bar(self, bar: Box, gallery: Gallery, shown: int) -> list[Target]:
        """Draw where in all rows those in sight are; its halves go there."""
        canvas = self._canvas
        half = bar.height // 2
        up = Box(bar.left, bar.top, bar.width, half)
        down = Box(bar.left, bar.top + half, bar.width, bar.height - half)
        canvas.fill(bar, RAISED, CARD, 8)
        end = min(36, half // 2)
        canvas.write(Box(up.left, up.top, up.width, end), "▲", 14, TEXT, RAISED, align="centre")
        low = Box(down.left, down.bottom - end, down.width, end)
        canvas.write(low, "▼", 14, TEXT, RAISED, align="centre")
        track = Box(bar.left + bar.width // 2 - 3, bar.top + end, 6, bar.height - 2 * end)
        rows = max(1, gallery.row_count)
        length = max(8, min(track.height, track.height * shown // rows))
        hidden = max(1, rows - shown)
        at = track.top + (track.height - length) * min(gallery.first, hidden) // hidden
        canvas.fill(track, LINE, RAISED, 3)
        canvas.fill(Box(track.left, at, track.width, length), MUTED, LINE, 3)
        return [Target(up, "pageup"), Target(down, "pagedown")]


def _content_of(gallery: Gallery) -> Hashable:
    """Return all that its drawing depends on; thumbnails by identity, which keeps them alive."""
    return (
        *(gallery.title, gallery.detail, gallery.note, gallery.first, gallery.row_count),
        *(gallery.captioned, gallery.progress),
        tuple(
            (
                row.heading,
                row.round_of,
                tuple(
                    (p.id, _Same(p.thumbnail), p.problem, p.class_name, p.colour, p.text, p.chosen)
                    for p in row.pictures
                ),
            )
            for row in gallery.rows
        ),
    )


class _Same:
    """A picture that equals only itself."""

    __slots__ = ("_image",)

    def __init__(self, image: Image | None) -> None:
        self._image = image

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._image is self._image

    def __hash__(self) -> int:
        return id(self._image)
