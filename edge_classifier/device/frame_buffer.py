"""Frames that differ from each other, as many as fit: what adaptation is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_FRAMES: Final = 256

DIFFERS: Final = 0.005
"""The cosine distance from which a frame is another one; neighbouring ones of a webcam are 0.004 to
0.07 apart, of a thing that stands still less."""


SAME: Final = -1.0
"""The distance that even a copy has, for a frame that need not be another one."""


class FrameBuffer:
    """Keeps features of frames that differ, with the class that each was recognised as.

    Once it is full, the oldest frame of the class with the most goes for a new one: what is before
    the camera for an hour does not push out what came by.
    """

    def __init__(self, feature_dim: int, most: int = MAX_FRAMES) -> None:
        self._rows = np.empty((most, feature_dim), np.float32)
        self._class_ids: list[int] = []

    def __len__(self) -> int:
        return len(self._class_ids)

    @property
    def rows(self) -> npt.NDArray[np.float32]:
        """Features of length 1, `(N, D)`, the oldest first; a copy."""
        rows: npt.NDArray[np.float32] = self._rows[: len(self)].copy()
        return rows

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """What each was recognised as, `(N,)`; a copy."""
        return np.array(self._class_ids, np.int64)

    def counts(self, classes: int) -> npt.NDArray[np.int64]:
        """Count the frames of each class, `(C,)`."""
        return np.bincount(self.class_ids, minlength=classes)

    def add(self, row: npt.NDArray[np.float32], class_id: int, *, differs: float = DIFFERS) -> bool:
        """Add a frame, `(D,)` of length 1, unless one like it is there; says whether it did."""
        count = len(self)
        if count and float((self._rows[:count] @ row).max()) > 1.0 - differs:
            return False
        if count == len(self._rows):
            self._drop_one()
        self._rows[len(self)] = row
        self._class_ids.append(class_id)
        return True

    def _drop_one(self) -> None:
        index = self._class_ids.index(int(np.bincount(self._class_ids).argmax()))
        del self._class_ids[index]
        self._rows[index : len(self)] = self._rows[index + 1 : len(self) + 1]
