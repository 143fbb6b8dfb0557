"""A, adapting: frames of the classes as they look now are collected, and the model adapted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from edge_classifier.device.adaptation import SHOWN
from edge_classifier.device.verdict import normalise
from edge_classifier.errors import AdaptationError, CancelledError
from edge_classifier.languages.text import Text, joined, plural, text_of
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.drift import DriftWatch
from edge_classifier.learning.familiar_frames import FamiliarFrames
from edge_classifier.live.editor import Change
from edge_classifier.live.jobs import Stage
from edge_classifier.live.view import Activity, Level
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.adaptation import Adaptation
    from edge_classifier.learning.model import Model
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.prediction import LivePrediction
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress
    from edge_classifier.values import Features

SUGGESTED_S: Final = 60.0
"""For so long adapting is suggested; who does not take it up by then does not want it."""

_PERIOD_S: Final = 0.1
"""Frames that are looked at are so far apart: those between them hardly differ."""

_STRANGE: Final = 20
"""Frames none of which was familiar, after which that is said."""

_LISTED: Final = 4
"""Classes whose counts are shown; of more, only those that lack most."""


_GONE: Final = Text("The pictures that it was adapted to went with their network; A adapts anew.")


class _Result(NamedTuple):
    backbone: Backbone | None
    taught: Model | None
    model: Model | None
    frames: Features | None
    line: Text
    then: Callable[[], None] | None  # what to call where it is taken back or put back, and not new


class _Collection:
    """The frames that are shown on purpose, attributed by the model as it was taught."""

    def __init__(self, taught: Model, backbone: Backbone | None) -> None:
        self.taught = taught
        self.backbone = backbone
        self.frames = FamiliarFrames(taught)
        self.applied_itself = False
        self.before_the_camera = ""  # the class that was recognised last

    @property
    def counts(self) -> dict[str, int]:
        """Frames of each class, as far as they are wanted."""
        return {name: min(count, self.frames.enough) for name, count in self.frames.counts.items()}

    def status(self) -> Text:
        """Say how many frames of which classes there are, and what is missing."""
        if not len(self.frames) and self.frames.looked_at >= _STRANGE:
            return Text("nothing here resembles what was taught: show the classes themselves")
        counts = self.counts
        missing = sorted(
            (n for n in counts if counts[n] < self.frames.enough), key=lambda n: counts[n]
        )
        shown = list(counts) if len(counts) <= _LISTED else missing[:_LISTED]
        listed = ", ".join(f"{name}: {counts[name]}" for name in shown)
        parts = [Text("{counts} of {enough}", counts=listed, enough=self.frames.enough)]
        if len(counts) > len(shown):
            done, every = len(counts) - len(missing), len(counts)
            parts.insert(0, Text("{done} of {every} classes are done", done=done, every=every))
        if missing:
            name = self.before_the_camera if self.before_the_camera in missing else missing[0]
            if name == BACKGROUND:
                parts.append(Text("show the empty scene"))
            elif counts[name]:
                parts.append(Text("turn {name}", name=name))
            else:
                parts.append(Text("show {name}", name=name))
        return joined(" · ", *parts)

    @property
    def done(self) -> float:
        """The part of the frames that are wanted which is there."""
        counts = self.counts.values()
        return sum(counts) / (self.frames.enough * len(counts))


class Adapting:
    """Collects frames once asked to, adapts on the worker, and suggests that at most once."""

    def __init__(
        self,
        *,
        store: ProjectStore,
        learner: Learner,
        editor: Editor,
        live: LivePrediction,
        executor: Executor,
        clock: Clock,
        say: Say,
    ) -> None:
        self._store = store
        self._learner = learner
        self._editor = editor
        self._live = live
        self._clock = clock
        self._say = say
        self._stage: Stage[_Result] = Stage(executor)
        self._collection: _Collection | None = None
        self._next_s = 0.0
        self._watch: tuple[DriftWatch, object] | None = None
        self._suggested_s: float | None = None
        self._may_suggest = True
        self._told_problem = ""

    @property
    def busy(self) -> bool:
        """Whether the worker has something to do for it."""
        return self._stage.job is not None

    def begin_or_apply(self) -> None:
        """Begin to collect; if that is under way, adapt to what there is."""
        if self._stage.job:
            self._say(Text("not yet: it is being adapted"), Level.WARNING)
        elif self._collection:
            self._apply(self._collection)
        else:
            self._begin()

    def give_up(self) -> bool:
        """Stop collecting; returns whether that was under way."""
        if self._collection is None:
            return False
        if self._stage.job:
            self._say(Text("it is being adapted; U takes it back"), Level.WARNING)
        else:
            self._collection = None
            self._say(Text("not adapted; all is as it was"))
        return True

    def look_elsewhere(self) -> None:
        """Collect anew, as frames show another part of the picture from now on."""
        self._watch = None
        if self._collection and not self._stage.job:
            self._collection = _Collection(self._collection.taught, self._collection.backbone)

    def look(self, features: Features | None) -> None:
        """Look at the newest frame, whose features are `(D,)`, as far as they are known."""
        frame, prediction = self._live.frame, self._live.raw
        if features is None or frame is None or prediction is None:
            return
        if frame.timestamp_s < self._next_s:
            return
        self._next_s = frame.timestamp_s + _PERIOD_S
        if self._collection:
            self._collect(self._collection, features, prediction)
        elif self._may_suggest:
            self._watch_drift(features, prediction)

    def poll(self) -> None:
        """Take over what the worker has adapted.

        Raises:
            EdgeClassifierError: if that failed; then nothing has changed.
        """
        self._take_over()
        collection, taught = self._collection, self._learner.current.taught
        if collection and not (
            collection.backbone is self._learner.backbone
            and taught
            and taught.class_names == collection.taught.class_names
        ):
            self._collection = None
            self._stage.cancel()
            ended = Text("adapting has ended: classes or network are others now; A begins anew")
            self._say(ended, Level.WARNING)
        if (problem := self._learner.not_adapted) != self._told_problem:
            self._told_problem = problem
            if problem:
                self._say(problem, Level.WARNING)

    def activity(self) -> Activity | None:
        """Say that frames are collected, or the worker adapts; `None` where neither is so."""
        if job := self._stage.job:
            return Activity(job.text, job.progress)
        if self._collection is None:
            return None
        if self._live.paused:
            text = Text("adapting · paused: P goes on")
        else:
            text = plural(
                "adapting · {count} picture", "adapting · {count} pictures",
                len(self._collection.frames),
            )  # fmt: skip
        return Activity(text, self._collection.done, recording=True)

    def hint(self) -> str:
        """Say what is missing, or suggest to adapt; empty where there is nothing to say."""
        if self._collection and not self._stage.job:
            return joined(" · ", self._collection.status(), Text("A applies · Esc gives up"))
        if self._suggested_s is not None and self._clock() < self._suggested_s + SUGGESTED_S:
            return Text("the light or the place has changed: A adapts to it")
        return ""

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._stage.cancel()

    def _begin(self) -> None:
        taught = self._learner.current.taught
        if taught is None or self._learner.stale:
            self._say(Text("adapting needs a trained model; T trains"), Level.WARNING)
            return
        try:
            self._collection = _Collection(taught, self._learner.backbone)
        except AdaptationError as error:
            self._say(text_of(error), Level.WARNING)
            return
        self._may_suggest, self._watch, self._suggested_s = False, None, None
        self._say(Text("show each class as it looks now"))

    def _collect(self, collection: _Collection, features: Features, prediction: Prediction) -> None:
        model = self._learner.model
        if self._stage.job or prediction.class_names != collection.taught.class_names:
            return
        if model and model.unadapted:
            prediction = collection.taught.predict(features[None])[0]
        if collection.frames.add(features, prediction):
            collection.before_the_camera = prediction.class_name
        if collection.done == 1.0 and not collection.applied_itself:
            collection.applied_itself = True
            self._apply(collection)

    def _apply(self, collection: _Collection) -> None:
        try:
            frames = collection.frames.features()
        except AdaptationError as error:
            self._say(text_of(error), Level.WARNING)
        else:
            self._start(frames)

    def _watch_drift(self, features: Features, prediction: Prediction) -> None:
        model = self._learner.model
        if model is None or model.unknown is None or self._learner.stale:
            return
        if model.unadapted:  # what is familiar was measured elsewhere
            return
        if self._watch is None or self._watch[1] is not model.head:
            self._watch = DriftWatch(model.head.feature_dim), model.head
        if self._watch[0].look(normalise(features[None])[0], prediction, model.unknown):
            self._may_suggest, self._watch = False, None
            self._suggested_s = self._clock()

    def _take_over(self) -> None:
        try:
            result = self._stage.poll()
        except AdaptationError as error:
            self._say(text_of(error), Level.WARNING)
            return
        if result is None:
            return
        self._collection = None
        if result.backbone is not self._learner.backbone:
            return
        before = self._learner.adapted_to
        self._learner.use_adapted(result.taught, result.model, result.frames)
        if result.then:
            result.then()
        else:
            self._editor.changed(self._change(before, result.frames))
        self._say(result.line)

    def _start(
        self,
        frames: Features | None,
        line: Text | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Adapt what was taught to frames, `(N, D)`, or take adaptation back, on disk first."""
        taught, kept = self._learner.current.taught, self._learner.adaptation
        backbone, read_only = self._learner.backbone, self._store.read_only
        if kept is None:
            raise AdaptationError("Adapting needs the backbone, which is not there yet.")

        def work(_progress: Progress, cancelled: Cancelled) -> _Result:
            if frames is None:
                kept.remove()
                return _Result(backbone, taught, taught, None, line or Text(""), then)
            if taught is None:  # the training that is to come adapts to them
                kept.save(frames)
                return _Result(backbone, None, None, frames, line or Text(""), then)
            found = adapt_model(taught, frames)
            if cancelled():
                raise CancelledError(Text("Stopped: adapting."))
            kept.save(frames)
            kept_or_not = Text("not kept: the project is read-only")
            ending = kept_or_not if read_only else Text("U takes it back")
            told = line or joined(" · ", _what_changed(found), ending)
            return _Result(backbone, taught, found.model, frames, told, then)

        self._stage.begin(Text("adapting"), work)

    def _change(self, before: Features | None, after: Features | None) -> Change:
        """Say how this adaptation is taken back, and put back."""
        backbone = self._learner.backbone

        def change_to(frames: Features | None, line: Text, then: Callable[[], None]) -> None:
            if self._stage.job:
                raise AdaptationError("Not yet: it is being adapted.")
            if self._learner.backbone is not backbone:
                self._say(_GONE)
                then()
                return
            self._collection = None
            self._start(frames, line, then)

        taken_back = Text("taken back: it answers as it was taught · Z adapts it again")
        if before is not None:
            taken_back = Text("taken back: it is adapted as it was before · Z adapts it again")
        return Change(
            lambda then: change_to(before, taken_back, then),
            lambda then: change_to(after, Text("adapted again · U takes it back"), then),
        )


def _what_changed(found: Adaptation) -> Text:
    """Say how much what was shown looks like what was taught, before and after."""
    before, after = (round(familiar * 100) for familiar in found.familiar)
    return plural(
        "looked {before} % like what you showed, now {after} %; {seen} of {count} class seen",
        "looked {before} % like what you showed, now {after} %; {seen} of {count} classes seen",
        len(found.seen),
        before=before,
        after=after,
        seen=int((found.seen >= SHOWN.frames).sum()),
    )
