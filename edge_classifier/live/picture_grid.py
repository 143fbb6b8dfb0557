"""Pictures in rows, group by group: which is chosen, and which rows are in sight."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.live.display import Room
    from edge_classifier.values import Sample

_STEPS: Final = {"left": -1, "right": 1}
_ROWS: Final = {"up": -1, "down": 1}
_PAGES: Final = {"pageup": -1, "pagedown": 1}
_SCROLLS: Final = {"scrollup": -1, "scrolldown": 1}


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """Pictures that belong together.

    Attributes:
        samples: At least one.
        number: Of the round, counted from 1; 0 where they are none.
    """

    samples: Sequence[Sample]
    number: int = 0


class Row(NamedTuple):
    """Pictures beside each other: those from `start` to before `stop`, of a group by its place."""

    group: int
    start: int
    stop: int


def picture_id(sample: Sample) -> str:
    """Name a picture for as long as it stays where it is."""
    if not sample.class_name:  # unlabelled ones of several folders may have one name
        return f"/{sample.burst_id}/{sample.path.name}"
    return f"{sample.class_name}/{sample.path.name}"


class PictureGrid:
    """Lays pictures out in as many columns as there is room for.

    Attributes:
        groups: What is shown.
        pictures: All of it, one after the other.
        rows: All of it, row by row.
        first: The first row in sight.
        room: How much is in sight.
        whole: Whether all of the chosen picture's round is chosen.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.groups: tuple[PictureGroup, ...] = ()
        self.pictures: list[Sample] = []
        self.rows: list[Row] = []
        self.first = 0
        self.whole = False
        self._at = 0

    @property
    def place(self) -> int:
        """Which of `pictures` is chosen, where there are any."""
        return self._at

    @property
    def chosen(self) -> Sequence[Sample]:
        """What is chosen: a picture, or all of a round, or nothing where nothing is shown."""
        if not self.pictures:
            return ()
        if self.whole:
            return self.groups[self.rows[self._row_of(self._at)].group].samples
        return (self.pictures[self._at],)

    def show(self, groups: Sequence[PictureGroup]) -> None:
        """Show other pictures; what was chosen stays so, or else what is at its place."""
        before = picture_id(self.pictures[self._at]) if self.pictures else ""
        self.groups = tuple(groups)
        self.pictures = [sample for group in groups for sample in group.samples]
        self._lay_out()
        self.whole = False
        self.choose_place(self._place_of(before, self._at))

    def fit(self, room: Room) -> None:
        """Lay the same pictures out anew."""
        if room != self.room:
            self.room = room
            self._lay_out()
            self.choose_place(self._at)

    def choose(self, wanted: str) -> bool:
        """Choose a picture by its `picture_id`; returns whether it is there."""
        place = self._place_of(wanted, -1)
        if place < 0:
            return False
        self.whole = False
        self.choose_place(place)
        return True

    def choose_place(self, place: int) -> None:
        """Choose a picture by its place, or the nearest there is, and bring it in sight."""
        self._at = max(0, min(place, len(self.pictures) - 1))
        if self.pictures:
            row = self._row_of(self._at)
            self.first = min(max(self.first, row - self.room.rows + 1), row)
        self._scroll_to(self.first)

    def toggle_whole(self) -> None:
        """Choose the whole round of the chosen picture, or again the picture alone."""
        if self.pictures:
            number = self.groups[self.rows[self._row_of(self._at)].group].number
            self.whole = bool(number) and not self.whole

    def step(self, key: str) -> bool:
        """Go where a key goes; returns whether it is such a key."""
        if key in _SCROLLS:
            self._scroll_to(self.first + _SCROLLS[key])
        elif key in _STEPS:
            self._go((self._at + _STEPS[key]) % max(1, len(self.pictures)))
        elif key in _ROWS or key in _PAGES:
            self._go_rows(_ROWS.get(key) or _PAGES[key] * self.room.rows)
        elif key in ("home", "end"):
            self._go(0 if key == "home" else len(self.pictures) - 1)
        else:
            return False
        return True

    def _go(self, place: int) -> None:
        self.whole = False
        self.choose_place(place)

    def _go_rows(self, by: int) -> None:
        if not self.pictures:
            return
        here = self._row_of(self._at)
        there = self.rows[max(0, min(here + by, len(self.rows) - 1))]
        if there is not self.rows[here]:
            column = self._at - self.rows[here].start
            self._go(min(there.start + column, there.stop - 1))

    def _scroll_to(self, row: int) -> None:
        self.first = max(0, min(row, len(self.rows) - self.room.rows))

    def _place_of(self, wanted: str, otherwise: int) -> int:
        found = (n for n, sample in enumerate(self.pictures) if picture_id(sample) == wanted)
        return next(found, otherwise)

    def _row_of(self, place: int) -> int:
        return bisect_right(self.rows, place, key=lambda row: row.start) - 1

    def _lay_out(self) -> None:
        self.rows = []
        start, columns = 0, self.room.columns
        for number, group in enumerate(self.groups):
            stop = start + len(group.samples)
            self.rows += [
                Row(number, left, min(left + columns, stop)) for left in range(start, stop, columns)
            ]
            start = stop
