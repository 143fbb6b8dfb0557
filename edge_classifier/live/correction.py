"""W, the question what the newest frame really shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.display import RECORD, target_of
from edge_classifier.live.view import Button, Mode, Prompt
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from edge_classifier.device.frame import Frame
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.live.display import Press
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.recording import Recording
    from edge_classifier.live.view import Say

_MOVES: Final = {"up": -1, "down": 1, "tab": 1}


@dataclass(slots=True)
class CorrectionDialog(Dialog):
    """Asks what a frame really shows, and stores it as a sample of that.

    Attributes:
        frame: As it was when its verdict was called wrong.
        prediction: What was said of it, or `None` where nothing was.
    """

    mode = Mode.CORRECTING

    frame: Frame
    prediction: Prediction | None
    editor: Editor
    recording: Recording
    say: Say
    error: str | None = None

    @property
    def _said(self) -> str:
        if self.prediction is None:
            return ""
        return "unknown" if self.prediction.unknown else self.prediction.class_name

    def handle(self, press: Press) -> CorrectionDialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        key = press.name
        if key in _MOVES:
            self.editor.move_selection(_MOVES[key])
        if key in _MOVES or press.repeated:
            return self
        self.error = None
        if key == "escape":
            self.say("nothing was corrected")
            return None
        if key in (" ", "enter"):
            return self._take(self.editor.selected, "select a class with the arrow keys first")
        if key == "b":
            return self._take(BACKGROUND)
        if class_name := target_of(key, RECORD):
            return self._take(class_name)
        if key and key in "123456789":
            class_name = self.editor.class_of_digit(int(key))
            return self._take(class_name, f"no class has key {key} yet")
        return self

    def _take(self, class_name: str | None, problem: str = "") -> CorrectionDialog | None:
        if class_name is None:
            self.error = problem
            return self
        try:
            class_name = self.recording.add(self.frame, class_name)
        except EdgeClassifierError as error:
            self.error = str(error)
            return self
        if self._said in ("", class_name):
            done = f"added as {class_name}"
        else:
            done = f"corrected: {self._said} → {class_name}"
        self.say(f"{done}; learning it now, U takes it back")
        return None

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the cards."""
        return Button("Background", "b"), Button("Leave it", "escape")

    def prompt(self) -> Prompt:
        """Return what to show."""
        title = f"{self._said} is wrong. What is it?" if self._said else "What is this?"
        selected = f" ({self.editor.selected})" if self.editor.selected else ""
        note = f"1 … 9, B, or ↑ ↓ space{selected} · Esc leaves it"
        return Prompt(title, None, note, self.error, picture=self.frame.image)
