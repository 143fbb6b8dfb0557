"""W, the question what the newest frame really shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.languages.text import Text, text_of
from edge_classifier.live.class_question import ClassQuestion, keys_note
from edge_classifier.live.view import Button, Mode, Prompt

if TYPE_CHECKING:
    from edge_classifier.device.frame import Frame
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.live.recording import Recording
    from edge_classifier.live.view import Say


@dataclass(slots=True, kw_only=True)
class CorrectionDialog(ClassQuestion):
    """Asks what a frame really shows, and stores it as a sample of that.

    Attributes:
        frame: As it was when its verdict was called wrong.
        prediction: What was said of it, or `None` where nothing was.
    """

    mode = Mode.CORRECTING

    frame: Frame
    prediction: Prediction | None
    recording: Recording
    say: Say

    @property
    def _said(self) -> str:
        if self.prediction is None:
            return ""
        return Text("unknown") if self.prediction.unknown else self.prediction.class_name

    def leave(self) -> None:
        """Leave it as it was."""
        self.say(Text("nothing was corrected"))

    def take(self, class_name: str) -> CorrectionDialog | None:
        """Store the frame as a sample of that class, and close, unless that cannot be."""
        try:
            class_name = self.recording.add(self.frame, class_name)
        except EdgeClassifierError as error:
            self.error = text_of(error)
            return self
        if self._said in ("", class_name):
            done = Text("added as {name}; learning it now, U takes it back", name=class_name)
        else:
            done = Text(
                "corrected: {said} → {name}; learning it now, U takes it back",
                said=self._said,
                name=class_name,
            )
        self.say(done)
        return None

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the cards."""
        return Button(Text("Background"), "b"), Button(Text("Leave it"), "escape")

    def prompt(self) -> Prompt:
        """Return what to show."""
        title = Text("What is this?")
        if self._said:
            title = Text("{said} is wrong. What is it?", said=self._said)
        note = keys_note(self.editor.selected)
        return Prompt(title, None, note, self.error, picture=self.frame.image)
