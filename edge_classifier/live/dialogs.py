"""Questions asked in the window: a line of text, or yes and no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.live.view import Mode, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.live.view import PictureStrip

MAX_TYPED = 200


class Dialog:
    """Takes all keys for as long as it is open; the picture goes on meanwhile."""

    __slots__ = ()

    mode = Mode.LIVE
    """What keys mean to it."""

    def handle(self, key: str) -> Dialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        raise NotImplementedError

    def poll(self) -> Dialog | None:
        """Take over what has happened meanwhile; returns the dialog that is open afterwards."""
        return self

    def prompt(self) -> Prompt | None:
        """Return the question to show, if it is one."""
        return None

    def strip(self) -> PictureStrip | None:
        """Return the strip of pictures to show, if it has one."""
        return None


@dataclass(slots=True)
class TextDialog(Dialog):
    """Asks for one line, and hands it to `accept`; its `EdgeClassifierError` is shown.

    Tab switches to the `alternative`, if there is one.
    """

    mode = Mode.TYPING

    title: str
    note: str
    accept: Callable[[str], None]
    text: str = ""
    alternative: Callable[[], TextDialog] | None = None
    error: str | None = None

    def handle(self, key: str) -> TextDialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        if key == "escape":
            return None
        if key == "tab":
            return self.alternative() if self.alternative else self
        if key == "enter":
            try:
                self.accept(self.text)
            except EdgeClassifierError as error:
                self.error = str(error)
                return self
            return None
        self.error = None
        if key == "backspace":
            self.text = self.text[:-1]
        elif len(key) == 1 and len(self.text) < MAX_TYPED:
            self.text += key
        return self

    def prompt(self) -> Prompt:
        """Return what to show."""
        return Prompt(self.title, self.text, self.note, self.error)


@dataclass(slots=True)
class ConfirmDialog(Dialog):
    """Asks yes or no; calls `accept` on yes, of which `note` says what it means."""

    mode = Mode.CONFIRMING

    title: str
    accept: Callable[[], None]
    note: str = ""

    def handle(self, key: str) -> ConfirmDialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        if key.lower() == "y":
            self.accept()
            return None
        return None if key.lower() == "n" or key == "escape" else self

    def prompt(self) -> Prompt:
        """Return what to show."""
        note = "Y yes · N no"
        return Prompt(self.title, None, f"{note} · {self.note}" if self.note else note)
