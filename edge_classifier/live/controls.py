"""What is pressed does: the question that is open hears it first, else each has its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_classifier.device.source_state import SourceStatus
from edge_classifier.languages.text import Text
from edge_classifier.learning.fine_tuning import MIN_CLASSES
from edge_classifier.learning.training import FEWEST_OF_ONE, is_enough
from edge_classifier.live.buttons import BUTTONS, PLAY_AGAIN
from edge_classifier.live.class_question import PAGE
from edge_classifier.live.correction import CorrectionDialog
from edge_classifier.live.dialogs import ConfirmDialog
from edge_classifier.live.display import (
    CLOSE,
    LOOK,
    RECORD,
    RENAME,
    SELECT,
    Drag,
    Release,
    Room,
    target_of,
)
from edge_classifier.live.gallery import ClassGallery
from edge_classifier.live.picture_grid import PictureGrid
from edge_classifier.live.presenter import unknown_setting
from edge_classifier.live.review import ReviewDialog
from edge_classifier.live.view import Level
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_classifier.live.adapting import Adapting
    from edge_classifier.live.dialogs import Dialog
    from edge_classifier.live.display import Event
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.framing import LiveFraming
    from edge_classifier.live.gallery import GalleryDialog
    from edge_classifier.live.heat import HeatMap
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.prediction import LivePrediction
    from edge_classifier.live.recording import Recording
    from edge_classifier.live.sounds import Cues
    from edge_classifier.live.tasks import Tasks
    from edge_classifier.live.thumbnails import Thumbnails
    from edge_classifier.live.view import Button, Say
    from edge_classifier.project.store import ProjectStore


@dataclass(eq=False, slots=True)
class Controls:
    """Turns keys into what they mean; the fields without a default are what they act on.

    Attributes:
        dialog: The question that is open, or `None`.
        help: Whether the list of keys is shown.
        details: Whether it is shown where the time goes.
        room: How many pictures of a gallery the display has room for, as far as it has told.
        done: Whether the user has ended the session.
        begin_again: Lets a video that has ended begin again, or `None` where there is none.
    """

    store: ProjectStore
    say: Say
    learner: Learner
    editor: Editor
    live: LivePrediction
    recording: Recording
    tasks: Tasks
    adapting: Adapting
    heat: HeatMap
    framing: LiveFraming
    cues: Cues
    thumbnails: Thumbnails
    dialog: Dialog | None = None
    help: bool = False
    details: bool = False
    room: Room = field(default_factory=lambda: Room(6, 3))
    done: bool = False
    begin_again: Callable[[], None] | None = None

    def handle(self, event: Event) -> None:
        """Do what is to be done where something is pressed or let go at this moment.

        Raises:
            EdgeClassifierError: if that cannot be done.
        """
        if isinstance(event, Room):
            self.room = event
            if self.dialog:
                self.dialog.fit(event)
        elif isinstance(event, Drag):
            if self.dialog:
                self.dialog.drag(event)
        elif isinstance(event, Release):
            self.recording.release(event.name)
        elif event.name == CLOSE:
            self.end()
        elif self.dialog:
            self.dialog = self.dialog.handle(event)
        elif not event.repeated or event.name in _MOVES:
            self._press(event.name)

    def _press(self, name: str) -> None:
        if name not in _HELP_KEYS:
            self.help = False
        if action := _ACTIONS.get(name):
            action(self)
        elif class_name := target_of(name, RECORD):
            self.recording.record(class_name, name)
        elif class_name := target_of(name, RENAME):
            self.editor.selected = class_name
            self.ask(self.editor.name_dialog)
        elif class_name := target_of(name, LOOK):
            self.look_at(class_name)
        elif class_name := target_of(name, SELECT):
            self.editor.select(class_name)
        elif name:
            self.say(Text("H shows what the keys do"))

    def ask(self, dialog: Callable[[], Dialog | None]) -> None:
        """Open a question, which ends what is being recorded."""
        self.recording.stop()
        self.dialog = dialog()

    def undo(self) -> None:
        """Take back what was done last; while frames to adapt to are collected, stop that."""
        self.recording.stop()
        if not self.adapting.give_up():
            self.editor.undo()

    def put_back(self) -> None:
        """Put back what was undone or removed last."""
        self.recording.stop()
        self.editor.put_back()

    def correct(self) -> None:
        """Ask what the newest frame really shows."""
        frame, prediction = self.live.frame, self.live.prediction
        if frame is None:
            self.say(Text("there is no picture to correct yet: wait for the camera"), Level.WARNING)
            return
        self.ask(
            lambda: CorrectionDialog(
                editor=self.editor,
                frame=frame,
                prediction=prediction,
                recording=self.recording,
                say=self.say,
            )
        )

    def review(self) -> None:
        """Open the pictures that look wrong."""
        if self._can_train(Text("reviewing")) and self.learner.model:
            self.show_pictures(ReviewDialog)

    def look(self) -> None:
        """Open the pictures of the selected class, or else of the first."""
        names = self.editor.dataset.class_names
        if names:
            self.look_at(self.editor.selected or names[0])
        else:
            self.say(Text("there are no pictures yet: hold 1 to record some"), Level.WARNING)

    def look_at(self, class_name: str) -> None:
        """Open the pictures of a class."""
        if class_name in self.editor.dataset.class_names:
            self.show_pictures(partial(ClassGallery, class_name=class_name))

    def show_pictures(self, gallery: Callable[..., GalleryDialog]) -> None:
        """Open a gallery."""
        grid, say, thumbnails = PictureGrid(self.room), self.say, self.thumbnails
        acts_on = {"store": self.store, "editor": self.editor, "learner": self.learner}
        self.ask(lambda: gallery(**acts_on, grid=grid, say=say, thumbnails=thumbnails))

    def adjust_unknown(self, by: int) -> None:
        """Make "unknown" so many steps stricter; below 0 more lenient."""
        current = self.learner.current
        before = current.unknown_steps
        current.adjust_unknown(before + by)
        model = current.model
        threshold = model.unknown.threshold if model and model.unknown else None
        text = unknown_setting(current.unknown_steps, threshold)
        if before == current.unknown_steps:
            text = Text("at the end: {setting}", setting=text)
        self.say(text)

    def train(self) -> None:
        """Train now."""
        # Without a backbone it begins to load one, whatever there is to train.
        if self.learner.backbone is None or self._can_train(Text("training")):
            self.learner.request_training()

    def fine_tune(self) -> None:
        """Fine-tune the backbone."""
        self.recording.stop()
        if len(self.editor.dataset.captured_classes) >= MIN_CLASSES:
            self.tasks.fine_tune()
        else:
            needs = Text("fine-tuning needs pictures of at least two classes: record another one")
            self.say(needs, Level.WARNING)

    def adapt(self) -> None:
        """Begin to collect frames to adapt to, or adapt to those that there are."""
        self.recording.stop()
        self.adapting.begin_or_apply()

    def toggle_smoothing(self) -> None:
        """Switch the steady label on or off."""
        on = self.live.toggle_smoothing()
        self.say(Text("steady label on") if on else Text("steady label off"))

    def toggle_heat(self) -> None:
        """Switch the heat map on or off."""
        if not self.heat.on and not self._can_train(Text("the heat map")):
            return
        on, shown = self.heat.toggle(), Text("heat map: red where the picture is unlike its class")
        self.say(shown if on else Text("heat map off"))

    @property
    def _has_ended(self) -> bool:
        return self.recording.source.status is SourceStatus.ENDED and self.begin_again is not None

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed where there is no keyboard."""
        return (BUTTONS[0], PLAY_AGAIN, *BUTTONS[2:]) if self._has_ended else BUTTONS

    def frame(self) -> None:
        """Ask for the part of the picture to look at; a video that has ended begins again."""
        if self._has_ended and self.begin_again:
            self.begin_again()
        else:
            self.ask(self.framing.dialog)

    def toggle_sounds(self) -> None:
        """Switch sounds on or off."""
        self.cues.on = not self.cues.on
        on = Text("sounds on: a click at each picture, a tone at a new label")
        self.say(on if self.cues.on else Text("sounds off"))

    def toggle_details(self) -> None:
        """Show or hide where the time goes."""
        self.details = not self.details

    def toggle_help(self) -> None:
        """Show or hide the list of keys."""
        self.help = not self.help

    def stop(self) -> None:
        """Hide the list of keys, or else stop what the worker does."""
        if self.help:
            self.help = False
        elif not self.tasks.export_waits and self.adapting.give_up():
            pass
        elif self.tasks.busy:
            self.tasks.stop()
        elif line := self.learner.cancel():
            self.say(line)

    def quit(self) -> None:
        """End the session, after a question where something would be lost by that."""
        if unfinished := self.tasks.unfinished:
            title = Text("{work} is not finished. Quit all the same?", work=unfinished)
            note = Text("nothing of it is kept")
            self.ask(
                lambda: ConfirmDialog(title, self.end, note, lambda: bool(self.tasks.unfinished))
            )
        else:
            self.end()

    def end(self) -> None:
        """End the session."""
        self.done = True

    def _can_train(self, what: Text) -> bool:
        dataset = self.editor.dataset
        if is_enough([dataset.count(name) for name in dataset.class_names]):
            return True
        needs = Text(
            "{what} needs {count} pictures of a class, or two classes",
            what=what,
            count=FEWEST_OF_ONE,
        )
        self.say(needs, Level.WARNING)
        return False


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of the list of keys.

    Attributes:
        keys: As the list shows them.
        meaning: What they do, in a few words.
        actions: What each does, by its name as `display.Press` has it.
    """

    keys: str
    meaning: Text
    actions: Mapping[str, Callable[[Controls], object]]


def _record(digit: int) -> Callable[[Controls], None]:
    return lambda c: c.recording.record_digit(digit)


KEYS: Final = (
    KeyRow(
        "1 … 9",
        Text("hold to record a class, tap for one picture"),
        {str(digit): _record(digit) for digit in range(1, 10)},
    ),
    KeyRow(
        "B",
        Text("hold to record the background: the empty scene"),
        {"b": lambda c: c.recording.record(BACKGROUND, "b")},
    ),
    KeyRow(
        Text("↑ ↓  space"),
        Text("select a class, hold space to record it"),
        {
            "up": lambda c: c.editor.move_selection(-1),
            "down": lambda c: c.editor.move_selection(1),
            "pageup": lambda c: c.editor.move_selection(-PAGE),
            "pagedown": lambda c: c.editor.move_selection(PAGE),
            "tab": lambda c: c.editor.move_selection(1),
            " ": lambda c: c.recording.record_selected(" "),
        },
    ),
    KeyRow(
        "N",
        Text("give the selected class another name"),
        {"n": lambda c: c.ask(c.editor.name_dialog)},
    ),
    KeyRow("+", Text("add a class"), {"+": lambda c: c.ask(c.editor.new_class_dialog)}),
    KeyRow("W", Text("the answer is wrong: then press the right class"), {"w": Controls.correct}),
    KeyRow("U", Text("undo the last round or removal, and so on"), {"u": Controls.undo}),
    KeyRow("Z", Text("put back what was undone or removed last"), {"z": Controls.put_back}),
    KeyRow("X", Text("remove the selected class"), {"x": lambda c: c.ask(c.editor.remove_dialog)}),
    KeyRow("G", Text("look at the pictures of the selected class"), {"g": Controls.look}),
    KeyRow("V", Text("review pictures that look wrong: ← → X K Z"), {"v": Controls.review}),
    KeyRow(
        "[  ]",
        Text("say unknown less often, or more often"),
        {"[": lambda c: c.adjust_unknown(-1), "]": lambda c: c.adjust_unknown(+1)},
    ),
    KeyRow("T", Text("train now (it also happens by itself)"), {"t": Controls.train}),
    KeyRow("F", Text("fine-tune the network (a minute or two)"), {"f": Controls.fine_tune}),
    KeyRow("A", Text("adapt to another light or place: show all again"), {"a": Controls.adapt}),
    KeyRow("Y", Text("show where the picture is unlike its class"), {"y": Controls.toggle_heat}),
    KeyRow("M", Text("steady label on or off"), {"m": Controls.toggle_smoothing}),
    KeyRow("L", Text("sounds on or off"), {"l": Controls.toggle_sounds}),
    KeyRow("I", Text("show or hide where the time goes"), {"i": Controls.toggle_details}),
    KeyRow("P", Text("pause the answers, or go on"), {"p": lambda c: c.live.toggle_pause()}),
    KeyRow("R", Text("choose the part of the picture to look at"), {"r": Controls.frame}),
    KeyRow("S", Text("save a copy of the project"), {"s": lambda c: c.ask(c.tasks.save_dialog)}),
    KeyRow(
        "E",
        Text("export for the Raspberry Pi"),
        {"e": lambda c: c.tasks.export(learning=c.recording.learning or c.adapting.busy)},
    ),
    KeyRow(
        "H",
        Text("show or hide these keys"),
        dict.fromkeys(("h", "f1", "?"), Controls.toggle_help),
    ),
    KeyRow("Q", Text("quit; everything is on disk"), {"q": Controls.quit}),
)
"""All keys, but for Escape; the README's table is checked against this."""

HELP: Final = tuple(
    (row.keys, row.meaning, "" if len(row.keys) > 1 else row.keys.lower()) for row in KEYS
)
"""What the window shows of the keys."""

_HELP_KEYS: Final = ("h", "f1", "?", "escape")
"""What shows and hides the list of keys; whatever else is pressed hides it."""

_MOVES: Final = ("up", "down", "tab", "pageup", "pagedown")
"""What goes on while it is held down."""

_ACTIONS: Final = {
    "escape": Controls.stop,
    **{key: action for row in KEYS for key, action in row.actions.items()},
}
