"""Questions asked in the window: a line of text, or yes and no."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.languages.text import Text, joined, text_of
from edge_classifier.live.view import Button, Mode, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.framing import Region
    from edge_classifier.live.display import Drag, Press, Room
    from edge_classifier.live.view import Gallery

MAX_TYPED = 200


class Dialog:
    """Hears all that is pressed for as long as it is open; the picture goes on meanwhile."""

    __slots__ = ()

    mode = Mode.LIVE
    """What keys mean to it."""

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        raise NotImplementedError

    def poll(self) -> Dialog | None:
        """Take over what has happened meanwhile; returns the dialog that is open afterwards."""
        return self

    def prompt(self) -> Prompt | None:
        """Return the question to show, if it is one."""
        return None

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, where there is no keyboard."""
        return ()

    def chosen(self) -> Region | None:
        """Return the part of the picture to outline, if it asks for one."""
        return None

    def hint(self) -> str:
        """Return what to say below the picture, or nothing."""
        return ""

    def drag(self, drag: Drag) -> None:
        """Take note of what was dragged over in the picture."""

    def gallery(self) -> Gallery | None:
        """Return the stored pictures to show, if it is about some."""
        return None

    def fit(self, room: Room) -> None:
        """Take note of how many pictures of a gallery the display has room for."""

    def finish(self) -> None:
        """Do what was begun and is not done yet, waiting for it: the session ends."""


class OverGallery(Dialog):
    """A question about what is chosen in a gallery, which stays in sight."""

    __slots__ = ()

    dialog: Dialog

    def poll(self) -> Dialog | None:
        """Let the gallery take over what has happened meanwhile."""
        return self if self.dialog.poll() else None

    def fit(self, room: Room) -> None:
        """Take note of how many pictures there is room for."""
        self.dialog.fit(room)

    def gallery(self) -> Gallery | None:
        """Return the pictures behind the question."""
        return self.dialog.gallery()


@dataclass(slots=True)
class TextDialog(Dialog):
    """Asks for one line, and hands it to `accept`; its `EdgeClassifierError` is shown.

    A `text` to begin with is replaced by what is typed, unless it is edited first.
    """

    mode = Mode.TYPING

    title: str
    note: str
    accept: Callable[[str], None]
    text: str = ""
    error: str | None = None
    replaced: bool = True

    def handle(self, press: Press) -> TextDialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        if press.name == "escape":
            return None
        if press.name == "enter":
            return self if press.repeated else self._enter()
        if press.name == "backspace":
            self.error, self.replaced, self.text = None, False, self.text[:-1]
        elif press.name in ("left", "right", "end", "home"):
            self.replaced = False
        elif typed := _without_controls(press.text):
            kept = "" if self.replaced else self.text
            self.error, self.replaced, self.text = None, False, (kept + typed)[:MAX_TYPED]
        return self

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile."""
        return Button(Text("OK"), "enter"), Button(Text("Cancel"), "escape")

    def _enter(self) -> TextDialog | None:
        try:
            self.accept(self.text)
        except EdgeClassifierError as error:
            self.error = text_of(error)
            return self
        return None

    def prompt(self) -> Prompt:
        """Return what to show."""
        replaced = self.replaced and bool(self.text)
        return Prompt(self.title, self.text, self.note, self.error, replaced=replaced)


def _without_controls(text: str) -> str:
    """Drop line ends and other controls, as pasted text has them."""
    return "".join(c for c in text if unicodedata.category(c) != "Cc")


@dataclass(slots=True)
class ConfirmDialog(Dialog):
    """Asks yes or no; calls `accept` on yes, of which `note` says what it means.

    It is taken back once it need not be `asked` any longer.
    """

    mode = Mode.CONFIRMING

    title: str
    accept: Callable[[], None]
    note: str = ""
    asked: Callable[[], bool] = lambda: True

    def poll(self) -> ConfirmDialog | None:
        """Take over what has happened meanwhile; returns the dialog that is open afterwards."""
        return self if self.asked() else None

    def handle(self, press: Press) -> ConfirmDialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        if press.name == "y":
            self.accept()
            return None
        return None if press.name in ("n", "escape") else self

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile."""
        return Button(Text("Yes"), "y"), Button(Text("No"), "n")

    def prompt(self) -> Prompt:
        """Return what to show."""
        return Prompt(self.title, None, joined(" · ", Text("Y yes · N no"), self.note))
