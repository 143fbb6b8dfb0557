"""The buttons of the live picture."""

from __future__ import annotations

from typing import Final

from edge_classifier.languages.text import Text
from edge_classifier.live.view import Button

BUTTONS: Final = (
    Button(Text("Undo"), "u"),
    Button(Text("Background"), "b"),
    Button(Text("Adapt"), "a"),
    Button(Text("Review"), "v"),
    Button(Text("Export"), "e"),
    Button(Text("More"), "h"),
)
"""What can be pressed where there is no keyboard; the rest is in the list of keys."""

PLAY_AGAIN: Final = Button(Text("Play again"), "r")
"""In place of the background's, while there is no live picture to record."""
