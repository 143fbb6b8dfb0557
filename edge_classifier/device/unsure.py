"""Which frames teach most: those a model is least sure of, each unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from .preprocessing import Image
    from .verdict import Prediction

LEAST_DOUBT: Final = 0.4
"""Frames that the model doubts less teach little. At 0.5 it is the edge: of what is unknown, or
where the best class leads by half."""

UNLIKE: Final = 0.05
"""The cosine distance from which a frame is unlike another one; see `docs/decisions.md`."""

_MORE_DOUBT: Final = 0.1
"""By so much more doubtful a frame takes the place of one that is like it."""

_LOOKED_AT: Final = 160
_LEAST_DETAIL: Final = 20.0
"""Of pictures of webcams and phones 1 in 100 has less than 45 to 260, by the set; out of focus, by
a fortieth of their width, 95 in 100 have less than 2 to 10."""


def doubt(prediction: Prediction) -> float:
    """Say how unsure a model is of a frame, from 0 to 1: it hesitates, or has not seen the like."""
    scores = np.sort(prediction.scores)
    hesitation = 1.0 - float(scores[-1] - scores[-2]) if len(scores) > 1 else 0.0
    if prediction.similarity is None or prediction.threshold is None:
        return hesitation
    room = max(1e-6, 1.0 - prediction.threshold)
    return max(hesitation, min(1.0, (1.0 - prediction.similarity) / room / 2))


def shows_something(image: Image) -> bool:
    """Say whether there is anything to be seen: not in the dark, in fog, far out of focus.

    Args:
        image: `(H, W, 3)` uint8 BGR.
    """
    scale = _LOOKED_AT / max(image.shape[:2])
    size = [max(3, round(side * scale)) for side in image.shape[1::-1]]
    grey = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) >= _LEAST_DETAIL


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A frame that is kept.

    Attributes:
        name: Of its file without suffix; in the order in which they were kept.
        bytes: On the disk.
        doubt: As `doubt` says.
        model: The SHA-256 of the model that was unsure of it.
        row: Its features `(D,)` of length 1; `None` where they are not those of today's backbone.
    """

    name: str
    bytes: int
    doubt: float
    model: str
    row: npt.NDArray[np.float32] | None


class Selection:
    """Frames that are kept, at most so many; a better one takes the place of one that teaches less.

    That is the oldest of a former model, which today's may know by now; where there is none, of the
    two that are most alike the one that was doubted less, or the older one. So what is kept differs
    more and more, and changes less and less.

    Args:
        most: Frames.
        most_bytes: Of all of them; a single one may have more.
        model: The SHA-256 of today's model.
    """

    def __init__(self, most: int, most_bytes: int, model: str) -> None:
        self._most, self._most_bytes, self._model = most, most_bytes, model
        self._kept: list[Kept] = []
        self._comparable: list[Kept] = []
        self._rows: npt.NDArray[np.float32] | None = None
        self._most_alike: tuple[float, int, int] | None = None

    @property
    def kept(self) -> list[Kept]:
        """All that are kept, the oldest first; a copy."""
        return list(self._kept)

    def replace(self, kept: Iterable[Kept]) -> None:
        """Begin with what is there."""
        self._kept = sorted(kept, key=lambda frame: frame.name)
        self._comparable = [frame for frame in self._kept if frame.row is not None]
        rows = [frame.row for frame in self._comparable if frame.row is not None]
        self._rows = np.stack(rows) if rows else None
        self._most_alike = None

    def wants(self, row: npt.NDArray[np.float32], doubted: float) -> bool:
        """Say whether a frame of features `(D,)` of length 1 is to be kept."""
        rival = self._rival(row)
        return doubted >= LEAST_DOUBT and (rival is None or doubted > rival.doubt + _MORE_DOUBT)

    def add(self, frame: Kept) -> list[Kept]:
        """Keep a frame that is wanted; returns those that give way."""
        rival = None if frame.row is None else self._rival(frame.row)
        gone = [] if rival is None else [rival]
        self._without(gone)
        while self._kept and not self._has_room(frame.bytes):
            gone.append(self._least())
            self._without(gone[-1:])
        self.replace([*self._kept, frame])
        return gone

    def _rival(self, row: npt.NDArray[np.float32]) -> Kept | None:
        """Give the frame beside which another one may not be kept, if there is one."""
        if self._rows is None:
            return None
        near = self._rows @ row
        most_like = int(near.argmax())
        limit = 1.0 - UNLIKE
        usual = sum(frame.bytes for frame in self._kept) // len(self._kept)
        if not self._has_room(usual) and self._oldest_of_former() is None:
            limit = min(limit, self._pair()[0])
        return self._comparable[most_like] if near[most_like] >= limit else None

    def _has_room(self, more_bytes: int) -> bool:
        taken = sum(frame.bytes for frame in self._kept)
        return len(self._kept) < self._most and taken + more_bytes <= self._most_bytes

    def _least(self) -> Kept:
        """Give the one that gives way next."""
        if former := self._oldest_of_former():
            return former
        _, older, newer = self._pair()
        return min(self._comparable[older], self._comparable[newer], key=lambda frame: frame.doubt)

    def _without(self, gone: Iterable[Kept]) -> None:
        names = {frame.name for frame in gone}
        self.replace([frame for frame in self._kept if frame.name not in names])

    def _oldest_of_former(self) -> Kept | None:
        return next((f for f in self._kept if f.model != self._model or f.row is None), None)

    def _pair(self) -> tuple[float, int, int]:
        """Say how alike the two are that are most alike, and which they are; one is its own."""
        if self._most_alike is None:
            assert self._rows is not None  # noqa: S101 - asked for where there is one
            near = self._rows @ self._rows.T
            np.fill_diagonal(near, -1.0)
            older, newer = sorted(divmod(int(near.argmax()), len(near)))
            self._most_alike = float(near[older, newer]), older, newer
        return self._most_alike
