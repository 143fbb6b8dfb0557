"""What keys do: the question that is open hears them first, else each has its own meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.learning.training import MIN_CLASSES
from edge_classifier.live.keys import HoldTiming, SpentKey
from edge_classifier.live.presenter import unknown_setting
from edge_classifier.live.review import CorrectionDialog, ReviewStrip
from edge_classifier.live.view import Level, Mode
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock
    from edge_classifier.live.capture import Capture
    from edge_classifier.live.dialogs import Dialog
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.prediction import LivePrediction
    from edge_classifier.live.presenter import Messages
    from edge_classifier.live.tasks import Tasks
    from edge_classifier.project.store import ProjectStore

HELP: Final = (
    ("1 … 9", "hold to record a class, tap for one picture"),
    ("B", "hold to record the background: the empty scene"),
    ("↑ ↓  space", "select a class, hold space to record it"),
    ("N", "name a new class, or rename (Tab)"),
    ("W", "that was wrong: then the key of the right class"),
    ("U", "undo the last burst or removal, and so on"),
    ("Z", "put back what was undone or removed last"),
    ("X", "remove the selected class"),
    ("V", "review pictures that look wrong: ← → X Z"),
    ("[  ]", "unknown less often, or more often"),
    ("T", "train now (it also happens by itself)"),
    ("F", "fine-tune the network (a minute or so)"),
    ("M", "steady label on or off"),
    ("P", "pause or resume prediction"),
    ("S", "save a copy of the project"),
    ("E", "export for the Raspberry Pi"),
    ("H", "show or hide these keys"),
    ("Q", "quit; everything is on disk"),
)
"""Key and meaning; the README's table is checked against this."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What keys act on; see the classes of these."""

    store: ProjectStore
    clock: Clock
    messages: Messages
    learner: Learner
    editor: Editor
    live: LivePrediction
    capture: Capture
    tasks: Tasks


class Controls:
    """Turns keys into what they mean.

    Args:
        parts: What keys act on.
        hold: When a silent key counts as released.

    Attributes:
        dialog: The question that is open, or `None`.
        help: Whether the list of keys is shown.
        done: Whether the user has ended the session.
    """

    def __init__(self, parts: Parts, hold: HoldTiming) -> None:
        self._parts = parts
        self._spent = SpentKey(hold)
        self.dialog: Dialog | None = None
        self.help = False
        self.done = False

    @property
    def learning(self) -> bool:
        """Whether a burst is running, or not all was learned yet."""
        return self._parts.capture.class_name is not None or self._parts.learner.busy

    def poll(self) -> None:
        """Let the open question take over what has happened meanwhile."""
        if self.dialog:
            self.dialog = self.dialog.poll()

    def handle(self, key: str) -> None:
        """Do what a key does at this moment.

        Args:
            key: As named in `protocols.Display.show`.

        Raises:
            EdgeClassifierError: if that cannot be done.
        """
        if key == "close":
            self.done = True
        elif self._spent.swallows(key, self._parts.clock()):
            pass
        elif self.dialog:
            before, self.dialog = self.dialog, self.dialog.handle(key)
            if before.mode in (Mode.CORRECTING, Mode.REVIEWING) and self.dialog is None:
                # What is still held down then must not record, nor open the strip again.
                self._spent.spend(key, self._parts.clock())
        elif key in "123456789":
            self._parts.capture.record_digit(int(key))
        elif action := self._actions().get(key.lower()):
            action()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "escape": self._on_escape,
            "up": lambda: self._parts.editor.move_selection(-1),
            "down": lambda: self._parts.editor.move_selection(1),
            "tab": lambda: self._parts.editor.move_selection(1),
            " ": self._parts.capture.record_selected,
            "b": lambda: self._parts.capture.record(BACKGROUND),
            "n": lambda: self._ask(self._parts.editor.new_class_dialog),
            "u": self._undo,
            "z": self._put_back,
            "x": lambda: self._ask(self._parts.editor.remove_dialog),
            "w": self._correct,
            "v": self._review,
            "[": lambda: self._adjust_unknown(-1),
            "]": lambda: self._adjust_unknown(+1),
            "t": self._train_now,
            "f": self._deepen,
            "m": self._toggle_smoothing,
            "p": self._parts.live.toggle_pause,
            "s": lambda: self._ask(self._parts.tasks.save_dialog),
            "e": lambda: self._parts.tasks.export(learning=self.learning),
            "h": self._toggle_help,
            "q": self._quit,
        }

    def _on_escape(self) -> None:
        if self.help:
            self.help = False
        elif self._parts.tasks.busy:
            self._parts.tasks.cancel()
        elif line := self._parts.learner.cancel():
            self._parts.messages.say(line)

    def _quit(self) -> None:
        self.done = True

    def _toggle_help(self) -> None:
        self.help = not self.help

    def _toggle_smoothing(self) -> None:
        on = self._parts.live.toggle_smoothing()
        self._parts.messages.say("steady label on" if on else "steady label off")

    def _undo(self) -> None:
        self._parts.capture.stop()
        self._parts.editor.undo()

    def _put_back(self) -> None:
        self._parts.capture.stop()
        self._parts.editor.put_back()

    def _correct(self) -> None:
        frame = self._parts.live.frame
        if frame is None:
            self._parts.messages.say("there is no picture to correct yet", Level.WARNING)
            return
        say, prediction = self._parts.messages.say, self._parts.live.prediction
        self._ask(
            lambda: CorrectionDialog(
                frame, prediction, self._parts.editor, self._parts.capture, say
            )
        )

    def _review(self) -> None:
        if self._has_two_classes("reviewing") and self._parts.learner.model:
            say = self._parts.messages.say
            self._ask(
                lambda: ReviewStrip(self._parts.store, self._parts.editor, self._parts.learner, say)
            )
            self._spent.spend("v", self._parts.clock())

    def _adjust_unknown(self, by: int) -> None:
        current = self._parts.learner.current
        before = current.unknown_steps
        current.adjust_unknown(before + by)
        model = current.model
        threshold = model.unknown.threshold if model and model.unknown else None
        text = unknown_setting(current.unknown_steps, threshold)
        self._parts.messages.say(text if before != current.unknown_steps else f"at the end: {text}")

    def _train_now(self) -> None:
        # Without a backbone it begins to load one, whatever there is to train.
        if self._parts.learner.backbone is None or self._has_two_classes("training"):
            self._parts.learner.request_training()

    def _deepen(self) -> None:
        self._parts.capture.stop()
        if self._has_two_classes("fine-tuning"):
            self._parts.tasks.deepen()

    def _has_two_classes(self, what: str) -> bool:
        if len(self._parts.editor.dataset.captured_classes) >= MIN_CLASSES:
            return True
        self._parts.messages.say(f"{what} needs pictures of at least two classes", Level.WARNING)
        return False

    def _ask(self, dialog: Callable[[], Dialog | None]) -> None:
        self._parts.capture.stop()
        self.dialog = dialog()
