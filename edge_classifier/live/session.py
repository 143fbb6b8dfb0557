"""What a person can do in the window, as a pure state machine: frames and events in, views out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_classifier.device.verdict import SMOOTHING_S
from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.languages.text import Text, text_of
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.adapting import Adapting
from edge_classifier.live.controls import HELP, Controls
from edge_classifier.live.editor import Editor
from edge_classifier.live.framing import LiveFraming
from edge_classifier.live.heat import HeatMap
from edge_classifier.live.learner import Learner
from edge_classifier.live.prediction import LivePrediction
from edge_classifier.live.presenter import Messages, Presenter, source_message
from edge_classifier.live.rates import RateMeter
from edge_classifier.live.recording import BurstRecorder, Recording
from edge_classifier.live.sounds import Cues
from edge_classifier.live.tasks import Tasks
from edge_classifier.live.thumbnails import THUMBNAIL_SIDE, Thumbnails
from edge_classifier.live.view import Activity, Level, Message, Mode, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.export.exporter import Export
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.learning.fine_tuning import FineTune
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.live.dialogs import Dialog
    from edge_classifier.live.display import Event
    from edge_classifier.live.jobs import Work
    from edge_classifier.live.labelling import UnlabelledSource
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


_LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How the live picture behaves.

    Attributes:
        mirrored: Draw the picture mirrored, as people expect of themselves.
        smoothing_s: Time constant of the steady label in seconds; 0 switches it off.
        samples_per_second: Recorded at most, while a key is held.
        sounds: Whether there are sounds from the start.
    """

    mirrored: bool = False
    smoothing_s: float = SMOOTHING_S
    samples_per_second: float = 15.0
    head: HeadSettings = field(default_factory=HeadSettings)
    sounds: bool = False


class Session:
    """The live classifier without its window.

    `load`, `export` and `fine_tune` (`None` where that is not possible) run on the `executor`, the
    worker thread; the gallery's pictures are read on `thumbnailer`, which nothing keeps busy, or
    else there too. `clock` gives monotonic seconds, of the frames' time stamps and the events;
    `timer`, for durations, differs from it where time is scripted.

    Attributes:
        messages: What is said in the picture for some seconds.
        mirrored: Whether the picture is drawn mirrored; any thread may change it.
        problem: The last error that was shown, or empty.
        is_demo: Whether the camera is no real one, which is to be seen; any thread may change it.
    """

    def __init__(  # noqa: PLR0913 - a keyword-only constructor that takes its collaborators
        self,
        store: ProjectStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        *,
        executor: Executor,
        thumbnailer: Executor | None = None,
        clock: Clock,
        timer: Clock = time.perf_counter,
        settings: SessionSettings | None = None,
        export: Export | None = None,
        fine_tune: FineTune | None = None,
    ) -> None:
        settings = settings or SessionSettings()
        self._store = store
        self._clock = clock
        self._next_look_s = 0.0
        self._timer = timer
        self._executors = executor, thumbnailer or executor
        self._labelling: Dialog | None = None
        self.mirrored = settings.mirrored
        self.problem = ""
        self.is_demo = False
        self.rates = RateMeter()
        self.messages = Messages(clock)
        say = self.messages.say
        self.learner = Learner(store, load, executor, settings.head)
        self._presenter = Presenter(store, self.learner)
        self._editor = Editor(store, self.learner, self._presenter, say)
        self._framing = LiveFraming(store, self._editor, clock, say, lambda: self.mirrored)
        self._live = LivePrediction(self.learner, settings.smoothing_s)
        self._burst = BurstRecorder(store, samples_per_second=settings.samples_per_second)
        self._cues = Cues(on=settings.sounds)
        self._recording = Recording(
            store, self._editor, self.learner, self._burst, clock, say, self._cues
        )
        self._heat = HeatMap(self.learner, executor)
        self._tasks = Tasks(store, self.learner, executor, self.messages, export, fine_tune, clock)
        self._adapting = Adapting(
            store=store,
            learner=self.learner,
            editor=self._editor,
            live=self._live,
            executor=executor,
            clock=clock,
            say=say,
        )
        self._controls = Controls(
            store=store,
            say=say,
            learner=self.learner,
            editor=self._editor,
            live=self._live,
            recording=self._recording,
            tasks=self._tasks,
            adapting=self._adapting,
            heat=self._heat,
            framing=self._framing,
            cues=self._cues,
            thumbnails=Thumbnails(
                lambda path: store.thumbnail(path, THUMBNAIL_SIDE), thumbnailer or executor
            ),
        )

    def may_begin_again(self, begin_again: Callable[[], None]) -> None:
        """Hand over what lets a video that has ended begin again."""
        self._controls.begin_again = begin_again

    @property
    def dataset(self) -> Dataset:
        """What was captured so far."""
        return self._editor.dataset

    @property
    def prediction(self) -> Prediction | None:
        """The steady prediction of the newest frame, or `None`."""
        return self._live.prediction

    @property
    def paused(self) -> bool:
        """Whether its user wants nothing to be predicted."""
        return self._live.paused

    @property
    def done(self) -> bool:
        """Whether the user has ended it."""
        return self._controls.done

    @property
    def asking(self) -> bool:
        """Whether what is pressed answers a question, or acts on stored pictures."""
        return self._controls.dialog is not None

    @property
    def recorded_class(self) -> str | None:
        """Which class is being recorded, or `None`."""
        return self._burst.class_name

    @property
    def unfinished(self) -> str:
        """What the user has asked for and the worker has not finished, or empty."""
        return self._tasks.unfinished

    @property
    def busy(self) -> bool:
        """Whether a burst is running, or the worker still has something to do."""
        at_work = self._tasks.busy or self._adapting.busy or self._heat.job is not None
        return self._recording.learning or at_work

    def step(
        self, frame: Frame | None, event: Event | None, source: SourceState | None = None
    ) -> View:
        """Take what has happened since the last step and say what to show.

        `source` is how the camera is.
        """
        self.advance(frame, event, source)
        return self.view()

    def advance(
        self, frame: Frame | None, event: Event | None, source: SourceState | None = None
    ) -> None:
        """Do what `step` does, for a moment at which nothing will be shown."""
        if source is not None and source != self._recording.source:
            lost = self._recording.note_source(source)
            if lost:
                self.messages.clear()
        if self._recording.source.in_trouble:
            self._live.forget()
        self._guard(self._look_at_project, ends_burst=False)  # what is being recorded is kept first
        self._guard(self._poll, ends_burst=False)
        if event is not None:
            self._guard(lambda: self._controls.handle(event))
            if looked_at := self._framing.look_again():
                self._adapting.look_elsewhere()
                self._guard(lambda: self._live.look_again(looked_at))
        if frame is not None:
            self._guard(lambda: self._on_frame(frame))
        else:
            self._guard(self._live.update_where_outdated)

    def view(self) -> View:
        """Say what to show now."""
        now = self._clock()
        shown, prediction = self._framing.shown, self._live.shown(now)
        dialog, controls, presenter = self._controls.dialog, self._controls, self._presenter
        region, chosen = self._framing.region, dialog.chosen() if dialog else None
        gallery = dialog.gallery() if dialog else None
        return View(
            image=shown.image if shown else (gallery.chosen if gallery else None),
            mirrored=self.mirrored,
            mode=dialog.mode if dialog else Mode.LIVE,
            title=presenter.title(),
            cards=presenter.cards(
                prediction, selected=self._editor.selected, recording=self._burst.class_name
            ),
            banner=presenter.banner(prediction),
            activity=self._activity(),
            rates=self.rates.rates(now) if controls.details else None,
            hint=self._hint(),
            quality=presenter.quality(),
            message=self.messages.current(now) or (None if gallery else self._source_message()),
            prompt=dialog.prompt() if dialog else None,
            gallery=gallery,
            help_lines=HELP if controls.help else (),
            buttons=dialog.buttons() if dialog else controls.buttons(),
            paused=self._live.paused,
            done=controls.done,
            tag=Text("demo camera") if self.is_demo else "",
            heat=None if chosen else self._heat.heat(self._live.spatial, prediction),
            sounds=self._cues.sounds(),
            # Without a live picture there is a stored one, of which all was looked at.
            region=chosen or (None if region.is_whole or shown is None else region),
        )

    def shrink(self, image: Image) -> Image | None:
        """Do the part of the preprocessing that needs no network; for the thread that reads.

        Returns:
            What belongs into `Frame.prepared`: `None` while there is no backbone.
        """
        backbone = self.learner.backbone
        part = self._framing.region.of(image)
        return backbone.info.preprocessing.shrink(part) if backbone else None

    def add_pictures(self, name: str, work: Work[str]) -> bool:
        """Let the worker add pictures from elsewhere, which are learned once it has.

        `work` returns what became of them; what changes the project is to be done in the thread
        of whoever steps the session.

        Returns:
            Whether it was begun; else the worker has another task, which is said.
        """

        def learn() -> None:
            self._editor.reload()
            self.learner.request_training()

        about = Text("adds these pictures to the project"), Text("takes seconds")
        return self._tasks.begin_for(Text("adding {name}", name=name), about, work, learn)

    def label(self, pictures: UnlabelledSource) -> None:
        """Ask what pictures without labels show; it is over once they are answered for."""
        from edge_classifier.live.labelling import LabellingDialog  # noqa: PLC0415 - keeps the first frame early

        executor, reader = self._executors
        self._controls.show_pictures(
            partial(
                LabellingDialog,
                source=pictures,
                executor=executor,
                reader=reader,
                clock=self._clock,
                ended=self._controls.end,
            )
        )
        self._labelling = self._controls.dialog

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._burst.stop()
        if self._labelling is not None:
            self._guard(self._labelling.finish)
        self._tasks.cancel()
        self._adapting.close()
        self._heat.close()
        self._controls.thumbnails.want(())
        self.learner.close()

    def _guard(self, work: Callable[[], None], *, ends_burst: bool = True) -> None:
        """Show an error of ours in the picture; the session goes on."""
        try:
            work()
        except CancelledError as error:
            self.messages.say(text_of(error), Level.WARNING)
        except EdgeClassifierError as error:
            if ends_burst:
                self._recording.stop()
            self.problem = text_of(error)
            self.messages.say(self.problem, Level.ERROR)

    def _look_at_project(self) -> None:
        """Find out in time, not at the next change only, that the project's folder is gone."""
        now = self._clock()
        if now >= self._next_look_s:
            self._next_look_s = now + _LOOK_EVERY_S
            self._store.look()

    def _poll(self) -> None:
        if self._tasks.job:
            self._tasks.tell_ended()
        if line := self.learner.poll():
            if not self._recording.source.in_trouble:  # which is to be seen
                self.messages.say_by_the_way(line)
            self._live.reset()
        self._adapting.poll()
        if self._tasks.export_waits and not (self._recording.learning or self._adapting.busy):
            self._tasks.begin_what_waits()
        if self._controls.dialog:
            self._controls.dialog = self._controls.dialog.poll()
        if not self._burst.class_name:
            self._heat.poll(self.dataset)

    def _on_frame(self, frame: Frame) -> None:
        started = self._timer()
        frame = self._framing.look(frame)
        self._live.frame, self._live.spatial = frame, None
        if self._burst.class_name and self._burst.wants(frame):
            features = self._recording.take(frame)
        elif self._recording.source.in_trouble:
            features = None  # it was the last one, and is not live any more
        else:
            features = self._live.features_of(frame, spatial=self._heat.ready)
        self._live.update(features)
        if not self._burst.class_name:
            self._adapting.look(features)
            self._cues.look(self._live.prediction)
        self.rates.add_frame(
            self._clock(),
            capture_ms=frame.capture_ms + frame.prepare_ms,
            inference_ms=(self._timer() - started) * 1000,
        )

    def _source_message(self) -> Message | None:
        """Say what is wrong with the camera, for as long as that is so.

        It would be in the way of a gallery's pictures and buttons, and is not about them.
        """
        can_begin_again = self._controls.begin_again is not None
        return source_message(self._recording.source, can_begin_again=can_begin_again)

    def _hint(self) -> str:
        dialog = self._controls.dialog
        if dialog and (hint := dialog.hint()):
            return hint
        if self._labelling is not None:  # there is no camera to show anything to
            return ""
        return self._adapting.hint() or self._tasks.hint() or self._presenter.hint()

    def _activity(self) -> Activity:
        if self._burst.class_name:
            recording = Text("recording {name}", name=self._burst.class_name)
            return Activity(recording, recording=True)
        if adapting := self._adapting.activity():
            return adapting
        if job := self._tasks.job or self._heat.job:
            return Activity(job.text, job.progress)
        return self._presenter.activity()
