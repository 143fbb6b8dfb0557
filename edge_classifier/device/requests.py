"""What others ask of a running program: of `classify.py`, or of the live session."""

from __future__ import annotations

from collections import deque
from typing import Final

PAUSED: Final = "paused"
"""What outputs are told in place of a trouble while nothing is to be answered, or can be."""

ADAPT: Final = "adapt"
RECORD: Final = "record"
STOP: Final = "stop"
TRAIN: Final = "train"
"""What can be asked for; all but the first only of the live session."""

_MOST_WAITING: Final = 64


class Requests:
    """Asked for in any thread; the loop does it with its next frame. The oldest gives way.

    Attributes:
        paused: Whether nothing is to be answered.
    """

    def __init__(self) -> None:
        self.paused = False
        self._asked: deque[tuple[str, int]] = deque(maxlen=_MOST_WAITING)

    def ask(self, what: str, number: int = 0) -> None:
        """Ask for something; `RECORD` is of the class of a number, the first one 1."""
        self._asked.append((what, number))

    def take(self) -> list[tuple[str, int]]:
        """Return what was asked for since the last call, the oldest first, with its number."""
        return [self._asked.popleft() for _ in range(len(self._asked))]
