"""What a person can do in the window, as a pure state machine: frames and keys in, views out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.dialogs import ConfirmDialog, TextDialog
from edge_classifier.editor import Editor
from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.frame import BACKGROUND, Features, Frame, Image, Prediction
from edge_classifier.jobs import Job
from edge_classifier.keys import HoldTiming
from edge_classifier.learner import Learner, LoadedBackbone
from edge_classifier.presenter import Presenter, learning_activity, source_message
from edge_classifier.rate import RateMeter
from edge_classifier.recorder import Candidate, Recorded, Recorder
from edge_classifier.smoothing import Smoother
from edge_classifier.source_state import SourceState, SourceStatus
from edge_classifier.training import MIN_CLASSES, HeadSettings
from edge_classifier.view import Activity, Level, Message, Mode, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.dataset import Dataset
    from edge_classifier.model import Model
    from edge_classifier.protocols import (
        Backbone,
        Cancelled,
        Clock,
        Executor,
        Progress,
        SampleStore,
    )

_MESSAGE_S: Final = 5.0
_ERROR_S: Final = 12.0

HELP: Final = (
    ("1 … 9", "hold to record a class, tap for one picture"),
    ("B", "hold to record the background: the empty scene"),
    ("↑ ↓  space", "select a class, hold space to record it"),
    ("N", "name a new class, or rename (Tab)"),
    ("U", "undo the last burst; again: the one before"),
    ("X", "remove the selected class"),
    ("T", "train now (it also happens by itself)"),
    ("M", "steady label on or off"),
    ("P", "pause or resume prediction"),
    ("S", "save a copy of the project"),
    ("E", "export for the Raspberry Pi"),
    ("H", "show or hide these keys"),
    ("Q", "quit; everything is on disk"),
)
"""The keys of the window; the README's table is checked against this."""


Export: TypeAlias = "Callable[[Model, Backbone, Progress, Cancelled], Path]"
"""Writes a bundle and returns where."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How the live picture behaves.

    Attributes:
        mirrored: Draw the picture mirrored, as people expect of themselves.
        smoothing_s: Time constant of the steady label in seconds; 0 switches it off.
        samples_per_second: Recorded at most, while a key is held.
        hold: When a silent key counts as released.
        head: How heads are trained.
    """

    mirrored: bool = False
    smoothing_s: float = 0.2
    samples_per_second: float = 15.0
    hold: HoldTiming = field(default_factory=HoldTiming)
    head: HeadSettings = field(default_factory=HeadSettings)


class Session:
    """The live classifier without its window.

    Args:
        store: The project on disk.
        load: Loads the backbone on the worker thread.
        executor: The worker.
        clock: Monotonic seconds, of the frames' time stamps and the keys.
        timer: Seconds for measuring durations; differs from `clock` where time is scripted.
        settings: How it behaves.
        export: Runs on the worker thread; `None` where exporting is not possible.
    """

    def __init__(
        self,
        store: SampleStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        *,
        executor: Executor,
        clock: Clock,
        timer: Clock = time.perf_counter,
        settings: SessionSettings | None = None,
        export: Export | None = None,
    ) -> None:
        self._store = store
        self._name = store.name
        self._clock = clock
        self._timer = timer
        self._executor = executor
        self._settings = settings or SessionSettings()
        self._export = export
        self._recorder = Recorder(
            store,
            timing=self._settings.hold,
            samples_per_second=self._settings.samples_per_second,
        )
        self._smoother = Smoother(self._settings.smoothing_s)
        self.rates = RateMeter()
        self._learner = Learner(store, load, executor, self._settings.head)
        self._presenter = Presenter(store)
        self._editor = Editor(store, self._learner, self._presenter, self._say)
        self._frame: Frame | None = None
        self._source = SourceState(SourceStatus.OPENING, "")
        self._features: Features | None = None
        self._predicted_by: Model | None = None
        self._prediction: Prediction | None = None
        self._dialog: TextDialog | ConfirmDialog | None = None
        self._message: tuple[Message, float] | None = None
        self._routine: tuple[Message, float] | None = None
        self._help = False
        self._paused = False
        self._done = False
        self._problem = ""
        self._job: Job[str] | None = None
        self._export_waits = False

    @property
    def dataset(self) -> Dataset:
        """What was captured so far."""
        return self._editor.dataset

    @property
    def prediction(self) -> Prediction | None:
        """The steady prediction of the newest frame, or `None`."""
        return self._prediction

    @property
    def learner(self) -> Learner:
        """Features and model."""
        return self._learner

    @property
    def done(self) -> bool:
        """Whether the user has ended it."""
        return self._done

    @property
    def problem(self) -> str:
        """The last error that was shown, or empty."""
        return self._problem

    @property
    def unfinished(self) -> str:
        """What the user had started and the worker had not finished, or empty."""
        return self._job.text if self._job and not self._job.done else ""

    @property
    def busy(self) -> bool:
        """Whether a burst is running, or the worker still has something to do."""
        return self._learning or self._job is not None or self._export_waits

    @property
    def _learning(self) -> bool:
        return self._recorder.class_name is not None or self._learner.busy

    def step(self, frame: Frame | None, key: str | None, source: SourceState | None = None) -> View:
        """Take what has happened since the last step and say what to show.

        Args:
            frame: A new frame, or `None` if there is none.
            key: A key as named in `protocols.Display.show`, or `None`.
            source: How the camera is.

        Returns:
            What to show now.
        """
        self.advance(frame, key, source)
        return self.view()

    def advance(
        self, frame: Frame | None, key: str | None, source: SourceState | None = None
    ) -> None:
        """Do what `step` does, for a moment at which nothing will be shown."""
        if source is not None:
            self._note_source(source)
        self._guard(self._poll, ends_burst=False)
        if key is not None:
            self._guard(lambda: self._on_key(key))
        # Before the frame: one that takes long keeps the next repeat from being heard.
        if self._recorder.released(self._clock()):
            self._learner.request_training()
        if frame is not None:
            self._guard(lambda: self._on_frame(frame))
        elif (last := self._frame) and self._predicted_by is not self._learner.model:
            self._guard(lambda: self._predict(last))  # a picture that stands still

    def shrink(self, image: Image) -> Image | None:
        """Do the part of the preprocessing that needs no network; for the thread that reads.

        Returns:
            What belongs into `Frame.small`: `None` while there is no backbone.
        """
        backbone = self._learner.backbone
        return backbone.info.preprocessing.shrink(image) if backbone else None

    def announce(self, text: str, level: Level = Level.INFO) -> None:
        """Show a line in the picture for some seconds; may be called from another thread."""
        self._say(text, level)

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._recorder.stop()
        if self._job:
            self._job.cancel()
        self._learner.close()

    # What comes in

    def _guard(self, work: Callable[[], None], *, ends_burst: bool = True) -> None:
        """Show an error of ours in the picture; the session goes on."""
        try:
            work()
        except EdgeClassifierError as error:
            if ends_burst:
                self._stop_recording()
            self._problem = str(error)
            self._say(self._problem, Level.ERROR)

    def _poll(self) -> None:
        if self._job and self._job.done:
            job, self._job = self._job, None
            try:
                self._say(job.result())
            except CancelledError as error:
                self._say(str(error), Level.WARNING)
        if line := self._learner.poll():
            self._say_by_the_way(line)
            self._smoother.reset()
        if self._export_waits and not self._learning:
            self._export_waits = False
            self._start_export()

    def _stop_recording(self) -> None:
        """End the burst, if one is running, as the release of its key does."""
        if self._recorder.class_name is not None:
            self._recorder.stop()
            self._learner.request_training()

    def _note_source(self, source: SourceState) -> None:
        if source.status is not SourceStatus.RUNNING and self._source.status is (
            SourceStatus.RUNNING
        ):
            # A key that is down goes on recording only when its user sees the picture again.
            self._stop_recording()
            self._message = None  # nothing said before is more important
        self._source = source

    def _on_frame(self, frame: Frame) -> None:
        started = self._timer()
        self._frame = frame
        if self._recorder.wants(frame):
            encoded = self._store.encode(frame.image)
            features = self._learner.extract(encoded.image)
            self._write(lambda: self._recorder.offer(frame, Candidate(encoded, features)))
        elif not self._paused and self._learner.model:
            features = self._learner.extract(frame.image if frame.small is None else frame.small)
        else:
            features = None
        self._features = features
        self._predict(frame)
        self.rates.add_frame(
            self._clock(),
            capture_ms=frame.capture_ms,
            inference_ms=(self._timer() - started) * 1000,
        )

    def _predict(self, frame: Frame) -> None:
        self._predicted_by = model = self._learner.model
        if self._paused or model is None or self._features is None:
            self._prediction = None
        else:
            raw = model.predict(self._features[None])[0]
            self._prediction = self._smoother.update(raw, frame.timestamp_s)

    def _on_key(self, key: str) -> None:
        if key == "close":
            self._done = True
        elif self._dialog:
            self._dialog = self._dialog.handle(key)
        elif key == "escape":
            self._on_escape()
        elif key in "123456789":
            self._record_digit(int(key))
        elif key in ("up", "down", "tab"):
            self._editor.move_selection(-1 if key == "up" else 1)
        elif action := self._actions().get(key.lower()):
            action()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            " ": self._record_selected,
            "b": lambda: self._record(BACKGROUND),
            "n": self._ask_new_class,
            "u": self._undo,
            "x": self._ask_remove,
            "t": self._train_now,
            "m": self._toggle_smoothing,
            "p": self._toggle_pause,
            "s": self._ask_save_as,
            "e": self._start_export,
            "h": self._toggle_help,
            "q": self._quit,
        }

    # What keys do

    def _on_escape(self) -> None:
        if self._help:
            self._help = False
        elif self._export_waits:
            self._export_waits = False
        elif self._job:
            self._job.cancel()

    def _quit(self) -> None:
        self._done = True

    def _toggle_help(self) -> None:
        self._help = not self._help

    def _toggle_pause(self) -> None:
        self._paused = not self._paused
        self._smoother.reset()

    def _toggle_smoothing(self) -> None:
        on = self._smoother.time_constant_s <= 0
        self._smoother = Smoother(self._settings.smoothing_s or 0.2 if on else 0.0)
        self._say("steady label on" if on else "steady label off")

    def _record_digit(self, digit: int) -> None:
        class_name = self._editor.class_of_digit(digit) if self._can_record() else None
        if class_name is not None:
            self._record(class_name)
        elif self._can_record():
            self._say(f"no class has key {digit} yet; N names a new one", Level.WARNING)

    def _record_selected(self) -> None:
        if self._editor.selected is None:
            self._say("select a class with the arrow keys first", Level.WARNING)
        else:
            self._record(self._editor.selected)

    def _can_record(self) -> bool:
        if self._source.status is SourceStatus.RUNNING:
            return True
        if not self._source.text:  # which says why
            self._say("nothing is recorded: there is no live picture", Level.WARNING)
        return False

    def _record(self, class_name: str) -> None:
        if not self._can_record():
            return
        class_name = self._editor.with_class(class_name)
        if self._recorder.class_name not in (None, class_name):
            self._learner.request_training()
        self._write(lambda: self._recorder.event(class_name, self._clock()))

    def _write(self, record: Callable[[], list[Recorded]]) -> None:
        try:
            recorded = record()
        except EdgeClassifierError:
            self._editor.reload()  # some samples may have been written before it failed
            raise
        self._editor.remember(recorded)

    def _undo(self) -> None:
        self._stop_recording()
        self._editor.undo()

    def _train_now(self) -> None:
        if len(self.dataset.captured_classes) < MIN_CLASSES:
            self._say("training needs pictures of at least two classes", Level.WARNING)
        else:
            self._learner.request_training()

    def _ask_new_class(self) -> None:
        self._stop_recording()
        self._dialog = self._editor.new_class_dialog()

    def _ask_remove(self) -> None:
        self._stop_recording()
        self._dialog = self._editor.remove_dialog()

    def _ask_save_as(self) -> None:
        def accept(text: str) -> None:
            def work(_progress: Progress, _cancelled: Cancelled) -> str:
                self._store.save_as(Path(text).expanduser())
                return f"saved a copy in {text}"

            self._start_job(f"saving to {text}", work)

        self._dialog = TextDialog(
            "Save a copy as (folder)",
            "Enter saves · Esc cancels; the project itself is always saved",
            accept,
            text=f"{self._name}-copy",
        )

    def _start_export(self) -> None:
        export, model, backbone = self._export, self._learner.model, self._learner.backbone
        if export is None:
            self._say("exporting is not possible here", Level.WARNING)
        elif model is None or backbone is None or len(model.class_names) < MIN_CLASSES:
            self._say("export needs a trained model: capture two classes first", Level.WARNING)
        elif self._learning:  # else what was just captured would be missing in it
            self._export_waits = True
            self._say("the export begins when the training has ended; Esc takes it back")
        else:
            self._start_job(
                "exporting", lambda p, c: f"exported to {export(model, backbone, p, c)}"
            )

    def _start_job(self, text: str, work: Callable[[Progress, Cancelled], str]) -> None:
        if self._job:
            self._say(f"not yet: {self._job.text} is under way; Esc stops it", Level.WARNING)
        else:
            self._job = Job(text, work, self._executor)

    # What comes out

    def _say(self, text: str, level: Level = Level.INFO) -> None:
        until_s = self._clock() + (_ERROR_S if level is Level.ERROR else _MESSAGE_S)
        self._message = (Message(text, level), until_s)  # at once, for the reader's thread

    def _say_by_the_way(self, text: str) -> None:
        """Show a line of routine, unless it would hide what was just answered."""
        said = self._message
        if said is None or said is self._routine or self._clock() > said[1]:
            self._say(text)
            self._routine = self._message

    def view(self) -> View:
        """Say what to show now."""
        now = self._clock()
        said = self._message
        return View(
            image=self._frame.image if self._frame else None,
            mirrored=self._settings.mirrored,
            mode=self._mode(),
            title=" · ".join(part for part in (self._name, self._learner.note) if part),
            cards=self._presenter.cards(
                self._prediction,
                selected=self._editor.selected,
                recording=self._recorder.class_name,
            ),
            banner=self._presenter.banner(self._prediction),
            activity=self._activity(),
            rates=self.rates.rates(now),
            hint=self._presenter.hint,
            message=said[0] if said and now <= said[1] else source_message(self._source),
            prompt=self._dialog.prompt() if self._dialog else None,
            help_lines=HELP if self._help else (),
            paused=self._paused,
            done=self._done,
        )

    def _mode(self) -> Mode:
        if isinstance(self._dialog, TextDialog):
            return Mode.TYPING
        return Mode.CONFIRMING if self._dialog else Mode.LIVE

    def _activity(self) -> Activity:
        if self._recorder.class_name:
            return Activity(f"recording {self._recorder.class_name}", recording=True)
        if self._job:
            return Activity(self._job.text, self._job.progress)
        return learning_activity(self._learner, self.dataset)
