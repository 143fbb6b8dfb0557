"""From what is held, and frames, to samples in the project, while there is a live picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import EdgeClassifierError, ProjectError
from edge_classifier.languages.text import Text
from edge_classifier.live.editor import SELECT_FIRST
from edge_classifier.live.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.sounds import Cues
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import EncodedImage, Features, Sample


TAP_S: Final = 0.3
"""What is let go sooner is a tap, and records one picture."""

SAME_AGAIN: Final = Text(
    "the video has begun again: what you recorded of it before teaches nothing new, and makes "
    "the class look better than it is"
)
"""Said of what would seem to be another burst, and be learned and validated on as such."""


class CapturedFrame(NamedTuple):
    """A frame as it is stored if it becomes a sample.

    Its features are `(D,)` float32, or `None` before there is a backbone; `seen_by` computed them.
    """

    encoded: EncodedImage
    features: Features | None
    seen_by: Backbone | None = None


class Recorded(NamedTuple):
    """A sample that is on disk now, with its features likewise."""

    sample: Sample
    features: Features | None
    seen_by: Backbone | None = None


class BurstRecorder:
    """Records bursts of samples, one at a time: one sample for a tap, more for what is held.

    At most `samples_per_second` are recorded while something is held: neighbouring frames of a
    camera are nearly the same picture, and teach little.

    Attributes:
        class_name: What the running burst is of, or `None`.
    """

    def __init__(self, store: ProjectStore, *, samples_per_second: float = 15.0) -> None:
        self._store = store
        self._period_s = 1.0 / samples_per_second
        self._slack_s = self._period_s / 10
        self.class_name: str | None = None
        self._burst_id = ""
        self._pressed_s = 0.0
        self._first_due = False
        self._let_go = False
        self._next_due_s = 0.0
        self._waiting: list[CapturedFrame] = []

    def press(self, class_name: str, now_s: float) -> None:
        """Begin a burst; it ends the one that is running."""
        self.stop()
        self.class_name = class_name
        self._burst_id = self._store.next_burst_id()
        self._pressed_s = now_s
        self._first_due = True

    def release(self) -> None:
        """End the burst, once the frame is recorded that its press waits for."""
        self._let_go = True
        if not self._first_due:
            self.stop()

    def wants(self, frame: Frame) -> bool:
        """Say whether this frame should be offered."""
        if self.class_name is None:
            return False
        return self._first_due or frame.timestamp_s >= self._next_due_s - self._slack_s

    def offer(self, frame: Frame, captured: CapturedFrame, now_s: float) -> list[Recorded]:
        """Take a frame that was wanted.

        Returns:
            The samples that are on disk now: the first frame is written at once, those that
            follow as soon as it is certain that this is no tap.

        Raises:
            ProjectError: if one cannot be written; the others are all the same.
        """
        # On a grid, so that a camera whose frames come a little early is not halved.
        grid_s = frame.timestamp_s if self._first_due else self._next_due_s
        self._next_due_s = max(grid_s + self._period_s, frame.timestamp_s)
        if self._first_due:
            self._first_due = False
            recorded = self._write_all([captured])
            if self._let_go:
                self.stop()
            return recorded
        self._waiting.append(captured)
        if now_s - self._pressed_s < TAP_S:
            return []
        waiting, self._waiting = self._waiting, []
        return self._write_all(waiting)

    def stop(self) -> None:
        """End the burst; what may have been a tap stays one picture."""
        self.class_name = None
        self._first_due = self._let_go = False
        self._next_due_s = 0.0
        self._waiting = []

    def _write_all(self, frames: list[CapturedFrame]) -> list[Recorded]:
        """Write all samples that can be, and only then say what was wrong with others."""
        recorded: list[Recorded] = []
        problem: ProjectError | None = None
        for encoded, features, seen_by in frames:
            try:
                sample = self._store.add_sample(encoded, self.class_name or "", self._burst_id)
                recorded.append(Recorded(sample, features, seen_by))
            except ProjectError as error:  # noqa: PERF203 - of a few
                problem = problem or error
        if problem:
            raise problem
        return recorded


@dataclass(eq=False, slots=True)
class Recording:
    """What is held to record a class; training follows.

    What writes a sample raises `ProjectError` where that cannot be done. `source` is how the
    camera is.
    """

    store: ProjectStore
    editor: Editor
    learner: Learner
    burst: BurstRecorder
    clock: Clock
    say: Say
    cues: Cues
    source: SourceState = field(default_factory=lambda: SourceState(SourceStatus.OPENING, ""))
    _pressed: str = ""
    _interrupted: str | None = None

    @property
    def learning(self) -> bool:
        """Whether a burst is running, or not all was learned yet."""
        return self.burst.class_name is not None or self.learner.busy

    def note_source(self, source: SourceState) -> bool:
        """Take note of how the camera is; returns whether it has just been lost."""
        before, self.source = self.source.status, source
        lost = before is SourceStatus.RUNNING and source.status is not SourceStatus.RUNNING
        if lost:
            interrupted = self.burst.class_name
            self.stop()
            self._interrupted = interrupted
        elif source.status is SourceStatus.RUNNING and self._interrupted:
            # What is still held goes on recording only when its user sees the picture again.
            self.burst.press(self._interrupted, self.clock())
            self._interrupted = None
        return lost

    def record_digit(self, digit: int) -> None:
        """Begin to record the class of a digit key, until that is let go."""
        if not self._is_live():
            return
        class_name = self.editor.class_of_digit(digit)
        if class_name is None:
            no_class = Text("no class has key {key} yet; N names a new one", key=digit)
            self.say(no_class, Level.WARNING)
        else:
            self.record(class_name, str(digit))

    def record_selected(self, pressed: str) -> None:
        """Begin to record the selected class, until what was `pressed` is let go."""
        if self.editor.selected is None:
            self.say(SELECT_FIRST, Level.WARNING)
        else:
            self.record(self.editor.selected, pressed)

    def record(self, class_name: str, pressed: str) -> None:
        """Begin to record a class, which is made if it is new, until `pressed` is let go."""
        if not self._is_live():
            return
        self.stop()
        class_name = self.editor.with_class(class_name)
        self.burst.press(class_name, self.clock())
        self._pressed = pressed
        if self.source.passes and self.editor.dataset.count(class_name):
            self.say(SAME_AGAIN, Level.WARNING)

    def release(self, what: str) -> None:
        """Take note that something was let go; the burst that it records ends."""
        if what != self._pressed:
            return
        self._interrupted = None
        if self.burst.class_name is not None:
            self.burst.release()
            if self.burst.class_name is None:
                self.learner.request_training()

    def add(self, frame: Frame, class_name: str) -> str:
        """Store one frame as a burst of its own, and learn it; a class that is new is made.

        Returns:
            The class's name as stored.
        """
        self.stop()
        class_name = self.editor.with_class(class_name)
        encoded = self.store.encode(frame.image)
        features = self._features_of(encoded)
        sample = self.store.add_sample(encoded, class_name, self.store.next_burst_id())
        self.cues.recorded += 1
        self.editor.remember([(sample, features)])
        self.learner.request_training()
        return class_name

    def take(self, frame: Frame) -> Features | None:
        """Take a frame that is wanted, and return the features `(D,)` of what would be stored."""
        encoded = self.store.encode(frame.image)
        features = self._features_of(encoded)
        captured = CapturedFrame(encoded, features, self.learner.backbone)
        self._write(lambda: self.burst.offer(frame, captured, self.clock()))
        if self.burst.class_name is None:
            self.learner.request_training()
        return features

    def _features_of(self, encoded: EncodedImage) -> Features | None:
        backbone = self.learner.backbone
        return backbone.extract([encoded.image])[0] if backbone else None

    def stop(self) -> None:
        """End the burst, if one is running, as a release does."""
        self._interrupted = None
        if self.burst.class_name is not None:
            self.burst.stop()
            self.learner.request_training()

    def _is_live(self) -> bool:
        """Say whether there is something to record, and tell the user if not."""
        if self.source.status is SourceStatus.RUNNING:
            return True
        if not self.source.text:  # which says why
            self.say(
                Text("nothing is recorded: there is no live picture; is the camera plugged in?"),
                Level.WARNING,
            )
        return False

    def _write(self, record: Callable[[], list[Recorded]]) -> None:
        try:
            recorded = record()
        except EdgeClassifierError:
            self.editor.reload()  # some samples may have been written before it failed
            raise
        self.cues.recorded += len(recorded)
        # Frames may have waited for their key while the backbone became another one.
        backbone = self.learner.backbone
        self.editor.remember(
            [(r.sample, r.features if r.seen_by is backbone else None) for r in recorded]
        )
