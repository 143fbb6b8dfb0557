"""What a person can do in the window, as a pure state machine: frames and keys in, views out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_classifier.device.verdict import SMOOTHING_S
from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.learning.training import HeadSettings
from edge_classifier.live.capture import Capture
from edge_classifier.live.controls import HELP, Controls, Parts
from edge_classifier.live.editor import Editor
from edge_classifier.live.keys import HoldTiming
from edge_classifier.live.learner import Learner
from edge_classifier.live.prediction import LivePrediction
from edge_classifier.live.presenter import (
    Messages,
    Presenter,
    RateMeter,
    learning_activity,
    project_title,
    quality_line,
    source_message,
)
from edge_classifier.live.tasks import Deepen, Tasks
from edge_classifier.live.view import Activity, Level, Mode, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.export.exporter import Export
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


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
    smoothing_s: float = SMOOTHING_S
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
        deepen: Likewise of fine-tuning the backbone.

    Attributes:
        mirrored: Whether the picture is drawn mirrored; any thread may change it.
        rates: Frames per second and milliseconds.
    """

    def __init__(  # noqa: PLR0913 - a keyword-only constructor that takes its collaborators
        self,
        store: ProjectStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        *,
        executor: Executor,
        clock: Clock,
        timer: Clock = time.perf_counter,
        settings: SessionSettings | None = None,
        export: Export | None = None,
        deepen: Deepen | None = None,
    ) -> None:
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
        self._tasks = Tasks(store, self._learner, executor, say, export, deepen)
        parts = Parts(
            store,
            clock,
            self._messages,
            self._learner,
            self._editor,
            self._live,
            self._capture,
            self._tasks,
        )
        self._controls = Controls(parts, self._settings.hold)
        self.mirrored = self._settings.mirrored
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
        return self._controls.done

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
        return self._controls.learning or self._tasks.busy

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
            self._guard(lambda: self._controls.handle(key))
        # Before the frame: one that takes long keeps the next repeat from being heard.
        self._capture.end_if_released()
        if frame is not None:
            self._guard(lambda: self._on_frame(frame))
        else:
            self._guard(self._live.update_where_outdated)

    def shrink(self, image: Image) -> Image | None:
        """Do the part of the preprocessing that needs no network; for the thread that reads.

        Returns:
            What belongs into `Frame.prepared`: `None` while there is no backbone.
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
        except CancelledError as error:
            self._messages.say(str(error), Level.WARNING)
        except EdgeClassifierError as error:
            if ends_burst:
                self._capture.stop()
            self._problem = str(error)
            self._messages.say(self._problem, Level.ERROR)

    def _poll(self) -> None:
        self._tasks.poll()
        if line := self._learner.poll():
            if not self._capture.source.in_trouble:  # which is to be seen
                self._messages.say_by_the_way(line)
            self._live.reset()
        if not self._controls.learning:
            self._tasks.begin_what_waits()
        self._controls.poll()

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
            capture_ms=frame.capture_ms + frame.prepare_ms,
            inference_ms=(self._timer() - started) * 1000,
        )

    # What comes out

    def view(self) -> View:
        """Say what to show now."""
        now = self._clock()
        frame, dialog = self._live.frame, self._controls.dialog
        return View(
            image=frame.image if frame else None,
            mirrored=self.mirrored,
            mode=dialog.mode if dialog else Mode.LIVE,
            title=project_title(self._name, self._learner.backbone),
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
            prompt=dialog.prompt() if dialog else None,
            strip=dialog.strip() if dialog else None,
            help_lines=HELP if self._controls.help else (),
            paused=self._live.paused,
            done=self._controls.done,
        )

    def _activity(self) -> Activity:
        if self._capture.class_name:
            return Activity(f"recording {self._capture.class_name}", recording=True)
        if job := self._tasks.job:
            return Activity(job.text, job.progress)
        return learning_activity(self._learner, self.dataset)
