"""The line that appears in the picture for some seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.view import Level, Message

if TYPE_CHECKING:
    from edge_classifier.protocols import Clock

_MESSAGE_S: Final = 5.0
_ERROR_S: Final = 12.0


class Messages:
    """Remembers what was said last, and for how long it is shown.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: tuple[Message, float] | None = None
        self._routine: tuple[Message, float] | None = None

    def say(self, text: str, level: Level = Level.INFO) -> None:
        """Show a line from now on; may be called from another thread."""
        until_s = self._clock() + (_ERROR_S if level is Level.ERROR else _MESSAGE_S)
        self._said = (Message(text, level), until_s)  # at once, for the reader's thread

    def say_by_the_way(self, text: str) -> None:
        """Show a line of routine, unless it would hide what was just answered."""
        said = self._said
        if said is None or said is self._routine or self._clock() > said[1]:
            self.say(text)
            self._routine = self._said

    def clear(self) -> None:
        """Take the line away: something is more important than whatever was said before."""
        self._said = None

    def current(self, now_s: float) -> Message | None:
        """Return the line to show, if there is one."""
        said = self._said
        return said[0] if said and now_s <= said[1] else None
