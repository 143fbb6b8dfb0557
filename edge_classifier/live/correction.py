"""W, the question what the newest frame really shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.view import Level, Mode, Prompt
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Frame
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.recording import Recording
    from edge_classifier.values import Prediction

_MOVES: Final = {"up": -1, "down": 1, "tab": 1}


class CorrectionDialog(Dialog):
    """Asks what a frame really shows, and stores it as a sample of that.

    Args:
        frame: As it was when its verdict was called wrong.
        prediction: What was said of it, or `None` where nothing was.
        editor: Knows the classes and which is selected.
        recording: Stores the sample.
        say: Shows a line in the picture.
    """

    mode = Mode.CORRECTING

    def __init__(
        self,
        frame: Frame,
        prediction: Prediction | None,
        editor: Editor,
        recording: Recording,
        say: Callable[[str, Level], None],
    ) -> None:
        self._frame = frame
        self._editor = editor
        self._recording = recording
        self._say = say
        self._said = ""
        if prediction is not None:
            self._said = "unknown" if prediction.unknown else prediction.class_name
        self._error: str | None = None

    def handle(self, key: str) -> CorrectionDialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        self._error = None
        if key == "escape":
            self._say("nothing was corrected", Level.INFO)
            return None
        if key in _MOVES:
            self._editor.move_selection(_MOVES[key])
            return self
        if key in (" ", "enter"):
            return self._take(self._editor.selected, "select a class with the arrow keys first")
        if key.lower() == "b":
            return self._take(BACKGROUND)
        if key in "123456789":
            class_name = self._editor.class_of_digit(int(key))
            return self._take(class_name, f"no class has key {key} yet")
        return self

    def _take(self, class_name: str | None, problem: str = "") -> CorrectionDialog | None:
        if class_name is None:
            self._error = problem
            return self
        try:
            class_name = self._recording.add(self._frame, class_name)
        except EdgeClassifierError as error:
            self._error = str(error)
            return self
        if self._said in ("", class_name):
            done = f"added as {class_name}"
        else:
            done = f"corrected: {self._said} → {class_name}"
        self._say(f"{done}; learning it now, U takes it back", Level.INFO)
        return None

    def prompt(self) -> Prompt:
        """Return what to show."""
        title = f"{self._said} is wrong. What is it?" if self._said else "What is this?"
        selected = f" ({self._editor.selected})" if self._editor.selected else ""
        note = f"1 … 9, B, or ↑ ↓ space{selected} · Esc leaves it"
        return Prompt(title, None, note, self._error, picture=self._frame.image)
