"""What was removed while the window is open: undone and put back in the right order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edge_classifier.removed import Removed

_KEPT: Final = 500
"""What was removed before that can still be found in the project's trash. A long review of
pictures has to come back one by one."""

_KEPT_UNDONE: Final = 32
"""Likewise of what was undone: a person who records and undoes all day must not fill the memory."""


@dataclass(slots=True)
class _Removal:
    removed: Removed
    by_undo: bool
    last_burst: str


class Removals:
    """Remembers the newest removals, the newest last."""

    def __init__(self) -> None:
        self._removals: list[_Removal] = []

    def add(self, removed: Removed, *, by_undo: bool, last_burst: str) -> None:
        """Remember one.

        Args:
            removed: What can be put back.
            by_undo: Whether it was the undoing of a burst; that is not undone itself.
            last_burst: The newest burst there was just before, or empty.
        """
        self._removals.append(_Removal(removed, by_undo, last_burst))
        del self._removals[:-_KEPT]
        undone = [removal for removal in self._removals if removal.by_undo]
        if len(undone) > _KEPT_UNDONE:
            self._removals.remove(undone[0])

    @property
    def newest(self) -> Removed | None:
        """What was removed last, in whichever way."""
        return self._removals[-1].removed if self._removals else None

    def newer_than(self, last_burst: str) -> Removed | None:
        """Return the last removal that came after a burst, but for bursts undone.

        Args:
            last_burst: The newest burst there is now, or empty.
        """
        for removal in reversed(self._removals):
            if not removal.by_undo:
                return removal.removed if removal.last_burst >= last_burst else None
        return None

    def forget(self, removed: Removed) -> None:
        """Take note that something is back."""
        self._removals = [r for r in self._removals if r.removed is not removed]

    def rename(self, class_name: str, new_name: str) -> None:
        """Let what was removed of a class go back to it under its new name.

        A class that was removed as a whole keeps its name: the one that is renamed is another.
        """
        for removal in self._removals:
            if removal.removed.class_name == class_name and not removal.removed.whole_class:
                removal.removed = replace(removal.removed, class_name=new_name)
