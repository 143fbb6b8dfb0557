"""What a person can do in the window, as a pure state machine: frames and keys in, views out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_classifier.capture import Capture
from edge_classifier.correction import CorrectionDialog
from edge_classifier.editor import Editor
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.frame import BACKGROUND, Frame, Image, Prediction
from edge_classifier.keys import HoldTiming, SpentKey
from edge_classifier.learner import Learner, LoadedBackbone
from edge_classifier.live_prediction import LivePrediction
from edge_classifier.messages import Messages
from edge_classifier.presenter import (
    Presenter,
    learning_activity,
    quality_line,
    source_message,
    unknown_setting,
)
from edge_classifier.rate import RateMeter
from edge_classifier.review import ReviewStrip
from edge_classifier.shortcuts import HELP
from edge_classifier.tasks import Export, Tasks
from edge_classifier.training import MIN_CLASSES, HeadSettings
from edge_classifier.view import Activity, Level, Mode, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.dataset import Dataset
    from edge_classifier.dialogs import Dialog
    from edge_classifier.protocols import Cancelled, Clock, Executor, Progress, SampleStore
    from edge_classifier.source_state import SourceState

__all__ = ["HELP", "Export", "Session", "SessionSettings"]


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

    Attributes:
        mirrored: Whether the picture is drawn mirrored; any thread may change it.
        rates: Frames per second and milliseconds.
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
        self._settings = settings or SessionSettings()
        self.rates = RateMeter()
        self._messages = Messages(clock)
        say = self._messages.say
        self._learner = Learner(store, load, executor, self._settings.head)
        self._presenter = Presenter(store)
        self._editor = Editor(store, self._learner, self._presenter, say)
        self._live = LivePrediction(self._learner, self._settings.smoothing_s)
        self._capture = Capture(
            store,
            self._editor,
            self._learner,
            clock=clock,
            say=say,
            timing=self._settings.hold,
            samples_per_second=self._settings.samples_per_second,
        )
        self._tasks = Tasks(store, self._learner, executor, say, export)
        self._dialog: Dialog | None = None
        self._spent = SpentKey(self._settings.hold)
        self._help = False
        self.mirrored = self._settings.mirrored
        self._done = False
        self._problem = ""

    @property
    def dataset(self) -> Dataset:
        """What was captured so far."""
        return self._editor.dataset

    @property
    def prediction(self) -> Prediction | None:
        """The steady prediction of the newest frame, or `None`."""
        return self._live.prediction

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
        return self._tasks.unfinished

    @property
    def busy(self) -> bool:
        """Whether a burst is running, or the worker still has something to do."""
        return self._learning or self._tasks.busy

    @property
    def _learning(self) -> bool:
        return self._capture.class_name is not None or self._learner.busy

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
        if source is not None and self._capture.note_source(source):
            self._messages.clear()
        if self._capture.source.in_trouble:
            self._live.forget()
        self._guard(self._poll, ends_burst=False)
        if key is not None:
            self._guard(lambda: self._on_key(key))
        # Before the frame: one that takes long keeps the next repeat from being heard.
        self._capture.end_if_released()
        if frame is not None:
            self._guard(lambda: self._on_frame(frame))
        else:
            self._guard(self._live.update_where_outdated)

    def shrink(self, image: Image) -> Image | None:
        """Do the part of the preprocessing that needs no network; for the thread that reads.

        Returns:
            What belongs into `Frame.small`: `None` while there is no backbone.
        """
        backbone = self._learner.backbone
        return backbone.info.preprocessing.shrink(image) if backbone else None

    def announce(self, text: str, level: Level = Level.INFO) -> None:
        """Show a line in the picture for some seconds; may be called from another thread."""
        self._messages.say(text, level)

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._capture.close()
        self._tasks.close()
        self._learner.close()

    # What comes in

    def _guard(self, work: Callable[[], None], *, ends_burst: bool = True) -> None:
        """Show an error of ours in the picture; the session goes on."""
        try:
            work()
        except EdgeClassifierError as error:
            if ends_burst:
                self._capture.stop()
            self._problem = str(error)
            self._messages.say(self._problem, Level.ERROR)

    def _poll(self) -> None:
        self._tasks.poll()
        if line := self._learner.poll():
            self._messages.say_by_the_way(line)
            self._live.reset()
        if not self._learning:
            self._tasks.begin_what_waits()
        if self._dialog:
            self._dialog = self._dialog.poll()

    def _on_frame(self, frame: Frame) -> None:
        started = self._timer()
        self._live.show(frame)
        if self._capture.wants(frame):
            features = self._capture.take(frame)
        elif self._capture.source.in_trouble:
            features = None  # it was the last one, and is not live any more
        else:
            features = self._live.features_of(frame)
        self._live.update(features)
        self.rates.add_frame(
            self._clock(),
            capture_ms=frame.capture_ms,
            inference_ms=(self._timer() - started) * 1000,
        )

    def _on_key(self, key: str) -> None:
        if key == "close":
            self._done = True
        elif self._spent.swallows(key, self._clock()):
            pass
        elif self._dialog:
            before, self._dialog = self._dialog, self._dialog.handle(key)
            if before.mode in (Mode.CORRECTING, Mode.REVIEWING) and self._dialog is None:
                # What is still held down then must not record, nor open the strip again.
                self._spent.spend(key, self._clock())
        elif key in "123456789":
            self._capture.record_digit(int(key))
        elif action := self._actions().get(key.lower()):
            action()

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "escape": self._on_escape,
            "up": lambda: self._editor.move_selection(-1),
            "down": lambda: self._editor.move_selection(1),
            "tab": lambda: self._editor.move_selection(1),
            " ": self._capture.record_selected,
            "b": lambda: self._capture.record(BACKGROUND),
            "n": lambda: self._ask(self._editor.new_class_dialog),
            "u": self._undo,
            "z": self._put_back,
            "x": lambda: self._ask(self._editor.remove_dialog),
            "w": self._correct,
            "v": self._review,
            "[": lambda: self._adjust_unknown(-1),
            "]": lambda: self._adjust_unknown(+1),
            "t": self._train_now,
            "m": self._toggle_smoothing,
            "p": self._live.toggle_pause,
            "s": lambda: self._ask(self._tasks.save_dialog),
            "e": lambda: self._tasks.export(learning=self._learning),
            "h": self._toggle_help,
            "q": self._quit,
        }

    # What keys do

    def _on_escape(self) -> None:
        if self._help:
            self._help = False
        elif self._tasks.busy:
            self._tasks.cancel()
        elif line := self._learner.cancel():
            self._messages.say(line)

    def _quit(self) -> None:
        self._done = True

    def _toggle_help(self) -> None:
        self._help = not self._help

    def _toggle_smoothing(self) -> None:
        on = self._live.toggle_smoothing()
        self._messages.say("steady label on" if on else "steady label off")

    def _undo(self) -> None:
        self._capture.stop()
        self._editor.undo()

    def _put_back(self) -> None:
        self._capture.stop()
        self._editor.put_back()

    def _correct(self) -> None:
        frame = self._live.frame
        if frame is None:
            self._messages.say("there is no picture to correct yet", Level.WARNING)
            return
        say, prediction = self._messages.say, self._live.prediction
        self._ask(lambda: CorrectionDialog(frame, prediction, self._editor, self._capture, say))

    def _review(self) -> None:
        if self._has_two_classes("reviewing") and self._learner.model:
            say = self._messages.say
            self._ask(lambda: ReviewStrip(self._store, self._editor, self._learner, say))
            self._spent.spend("v", self._clock())

    def _adjust_unknown(self, by: int) -> None:
        before = self._learner.unknown_steps
        self._learner.adjust_unknown(before + by)
        model = self._learner.model
        threshold = model.unknown.threshold if model and model.unknown else None
        text = unknown_setting(self._learner.unknown_steps, threshold)
        self._messages.say(text if before != self._learner.unknown_steps else f"at the end: {text}")

    def _train_now(self) -> None:
        if self._has_two_classes("training"):
            self._learner.request_training()

    def _has_two_classes(self, what: str) -> bool:
        if len(self.dataset.captured_classes) >= MIN_CLASSES:
            return True
        self._messages.say(f"{what} needs pictures of at least two classes", Level.WARNING)
        return False

    def _ask(self, dialog: Callable[[], Dialog | None]) -> None:
        self._capture.stop()
        self._dialog = dialog()

    # What comes out

    def view(self) -> View:
        """Say what to show now."""
        now = self._clock()
        frame = self._live.frame
        return View(
            image=frame.image if frame else None,
            mirrored=self.mirrored,
            mode=self._dialog.mode if self._dialog else Mode.LIVE,
            title=" · ".join(part for part in (self._name, self._learner.note) if part),
            cards=self._presenter.cards(
                self.prediction,
                selected=self._editor.selected,
                recording=self._capture.class_name,
            ),
            banner=self._presenter.banner(self.prediction),
            activity=self._activity(),
            rates=self.rates.rates(now),
            hint=self._presenter.hint(self._learner.validation),
            quality=quality_line(self._learner),
            message=self._messages.current(now) or source_message(self._capture.source),
            prompt=self._dialog.prompt() if self._dialog else None,
            strip=self._dialog.strip() if self._dialog else None,
            help_lines=HELP if self._help else (),
            paused=self._live.paused,
            done=self._done,
        )

    def _activity(self) -> Activity:
        if self._capture.class_name:
            return Activity(f"recording {self._capture.class_name}", recording=True)
        if job := self._tasks.job:
            return Activity(job.text, job.progress)
        return learning_activity(self._learner, self.dataset)
