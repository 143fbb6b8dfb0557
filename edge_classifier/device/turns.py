"""Whose turn it is with what serves one thread at a time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """One at a time; who comes `first`, the camera, waits for no more than one turn of the others.

    With a plain lock the others could take it several times in a row.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._first_waits = False

    @contextmanager
    def first(self) -> Iterator[None]:
        """Have a turn before all others; for one thread."""
        with self._changed:
            self._first_waits = True
            self._changed.wait_for(lambda: not self._taken)
            self._first_waits, self._taken = False, True
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def other(self) -> Iterator[None]:
        """Have a turn when nobody comes first."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._taken or self._first_waits))
            self._taken = True
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()
