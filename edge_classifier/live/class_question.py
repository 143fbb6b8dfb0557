"""Questions that a class is the answer to, by its key, the arrows or its card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.languages.text import Text, joined
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.display import LOOK, RECORD, RENAME, target_of
from edge_classifier.live.editor import SELECT_FIRST
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from edge_classifier.live.display import Press
    from edge_classifier.live.editor import Editor

PAGE: Final = 10
"""Classes by which the longer steps of the selection go."""

_MOVES: Final = {"up": -1, "down": 1, "tab": 1, "pageup": -PAGE, "pagedown": PAGE}


def is_class_key(key: str) -> bool:
    """Say whether what is pressed stands for a class."""
    digit = key != "" and key in "123456789"
    return digit or key == "b" or any(target_of(key, verb) for verb in (RECORD, RENAME, LOOK))


def class_of_key(key: str, editor: Editor) -> str | None:
    """Return the class that a key or a card stands for, new ones by the first free digit.

    `None` is a digit that no class has yet.
    """
    if key == "b":
        return BACKGROUND
    for verb in (RECORD, RENAME, LOOK):
        if class_name := target_of(key, verb):
            return class_name
    return editor.class_of_digit(int(key))


def keys_note(selected: str | None) -> Text:
    """Say which keys answer a question for a class."""
    keys = Text("1 … 9, B, or ↑ ↓ space")
    if selected:
        keys = Text("1 … 9, B, or ↑ ↓ space ({name})", name=selected)
    return joined(" · ", keys, Text("Esc leaves it"))


@dataclass(slots=True)
class ClassQuestion(Dialog):
    """Asks for a class; what is done with it is the heirs'.

    Attributes:
        error: Why the answer could not be taken.
    """

    editor: Editor
    error: str | None = None

    def take(self, class_name: str) -> Dialog | None:
        """Take the answer, and return the dialog that is open afterwards, or `None`."""
        raise NotImplementedError

    def leave(self) -> Dialog | None:
        """Close without an answer; returns likewise."""
        raise NotImplementedError

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        key = press.name
        if key in _MOVES:
            self.editor.move_selection(_MOVES[key])
        if key in _MOVES or press.repeated:
            return self
        self.error = None
        if key == "escape":
            return self.leave()
        if key in (" ", "enter"):
            class_name = self.editor.selected
            self.error = None if class_name else SELECT_FIRST
        elif is_class_key(key):
            class_name = class_of_key(key, self.editor)
            no_class = Text("no class has key {key} yet: press another one", key=key)
            self.error = None if class_name else no_class
        else:
            return self
        return self if class_name is None else self.take(class_name)
