"""What others ask of the runner while it runs."""

from __future__ import annotations

import threading
from typing import Final

PAUSED: Final = "paused"
"""What outputs are told in place of a trouble while nothing is to be answered."""


class Requests:
    """Asked from any thread; the loop does it with its next frame.

    Attributes:
        paused: Whether nothing is to be answered.
    """

    def __init__(self) -> None:
        self.paused = False
        self._adapt = threading.Event()

    def adapt(self) -> None:
        """Ask to adapt once to what is shown from now on."""
        self._adapt.set()

    def take_adapt(self) -> bool:
        """Say whether that was asked for since this was called last."""
        asked = self._adapt.is_set()
        if asked:
            self._adapt.clear()
        return asked
