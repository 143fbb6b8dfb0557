"""Questions asked in the window: a line of text, or yes and no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.view import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TYPED = 200


@dataclass(slots=True)
class TextDialog:
    """Asks for one line.

    Attributes:
        title: The question.
        note: Which keys do what.
        accept: Takes the line; an `EdgeClassifierError` keeps the dialog open and is shown.
        text: What is typed so far.
        alternative: What Tab switches to, if anything.
    """

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
class ConfirmDialog:
    """Asks yes or no.

    Attributes:
        title: The question.
        accept: Is called on yes.
    """

    title: str
    accept: Callable[[], None]

    def handle(self, key: str) -> ConfirmDialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        if key.lower() == "y":
            self.accept()
            return None
        return None if key.lower() == "n" or key == "escape" else self

    def prompt(self) -> Prompt:
        """Return what to show."""
        return Prompt(self.title, None, "Y yes · N no")
