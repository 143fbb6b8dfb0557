"""What a display is to the session: it shows views, and tells what is pressed and let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.live.view import View

CLOSE: Final = "close"
"""What is pressed where the display is gone, or its user wants it to be."""


@dataclass(frozen=True, slots=True)
class Press:
    """A key, or a part of what is shown that can be pressed, has gone down.

    Attributes:
        name: Of the key: a small letter or another character, a digit wherever the layout has it,
            or `enter`, `escape`, `backspace`, `tab`, `delete`, `up`, `down`, `left`, `right`, `f1`
            and so on. Of a part of what is shown: that of the key that does the same, or what
            `View` says. Empty for text that no key has typed, and `close` likewise.
        text: What it types, in any script.
        repeated: Whether it was down before, and is only held.
    """

    name: str
    text: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """What was pressed has been let go, or the display can no longer hear whether it was."""

    name: str


@dataclass(frozen=True, slots=True)
class Room:
    """The display has room for so many pictures of a gallery.

    Attributes:
        columns: Beside each other.
        rows: Below each other, at least, wherever in the gallery.
    """

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Drag:
    """A mouse or a finger has been dragged over the live picture, while `Mode.FRAMING` is shown.

    Where it began and where it is now, in parts of the picture's width and height: from 0 to 1,
    and of the picture as it came, also where that is drawn mirrored.
    """

    from_x: float
    from_y: float
    to_x: float
    to_y: float


Event: TypeAlias = Press | Release | Room | Drag


RECORD: Final = "record"
RENAME: Final = "rename"
LOOK: Final = "look"
SELECT: Final = "select"
CHOOSE: Final = "choose"
CHOOSE_ROUND: Final = "round"
"""Verbs of parts of what is shown: a class is held to be recorded, tapped to be renamed, selected
or to look at its pictures; a picture of a gallery is chosen by its id, or its whole round is."""


def target(verb: str, of: object) -> str:
    """Name a part of what is shown, as a `Press` of it does."""
    return f"{verb}:{of}"


def target_of(name: str, verb: str) -> str | None:
    """Return what a press acts on, where it is of a part with this verb."""
    before, colon, of = name.partition(":")
    return of if colon and before == verb else None


class Display(Protocol):
    """Shows views and hears what is pressed: a window, later a page in a browser."""

    def show(self, view: View) -> None:
        """Draw and show a view."""

    def events(self) -> Sequence[Event]:
        """Return what was pressed and let go since the last call, the oldest first.

        Each press is followed by its release, at the latest once the display is closed. Once a
        gallery was shown, and where its room has changed since, that is told.
        """

    def close(self) -> None:
        """Take the display away; may be called twice."""
