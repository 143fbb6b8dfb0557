"""From record keys and frames to samples in the project, while there is a live picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import EdgeClassifierError, ProjectError
from edge_classifier.live.keys import HoldDetector, KeyEvent
from edge_classifier.live.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.keys import HoldTiming
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import EncodedImage, Features, Sample


class PendingSample(NamedTuple):
    """A frame that becomes a sample if its key turns out to have been down.

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
    """Records bursts of samples, one at a time, while the key of `class_name` is down.

    `event` and `offer` return the samples that are on disk now, and raise `ProjectError` where
    one cannot be written.

    At most `samples_per_second` are recorded while a key is held: neighbouring frames of a camera
    are nearly the same picture, and teach little.
    """

    def __init__(
        self,
        store: ProjectStore,
        *,
        timing: HoldTiming | None = None,
        samples_per_second: float = 15.0,
    ) -> None:
        self._store = store
        self._hold = HoldDetector(timing)
        self._period_s = 1.0 / samples_per_second
        self._slack_s = self._period_s / 10
        self.class_name: str | None = None
        self._burst_id = ""
        self._press_due = False
        self._next_due_s = 0.0
        self._since_event: list[PendingSample] = []
        self._before_event: list[PendingSample] = []

    def event(self, class_name: str, now_s: float) -> list[Recorded]:
        """Take a press or a repeat of a class's key; another class begins another burst.

        Returns:
            The samples that this event confirmed.
        """
        if class_name != self.class_name:
            self.stop()
            self.class_name = class_name
            self._burst_id = self._store.next_burst_id()
        if self._hold.event(now_s) is KeyEvent.REPEATED:
            confirmed = self._before_event + self._since_event
            self._before_event, self._since_event = [], []
            return self._write_all(confirmed)
        self._before_event, self._since_event = self._since_event, []
        self._press_due = True
        return []

    def wants(self, frame: Frame) -> bool:
        """Say whether this frame should be offered."""
        if self.class_name is None:
            return False
        return self._press_due or frame.timestamp_s >= self._next_due_s - self._slack_s

    def offer(self, frame: Frame, pending: PendingSample) -> list[Recorded]:
        """Take a frame that was wanted.

        Returns:
            The frame itself where a press waits for its frame, none where it is not known yet
            whether the key is still down.
        """
        # On a grid, so that a camera whose frames come a little early is not halved.
        self._next_due_s = max(self._next_due_s + self._period_s, frame.timestamp_s)
        if self._press_due:
            self._press_due = False
            return [self._write(pending)]
        self._since_event.append(pending)
        return []

    def released(self, now_s: float) -> bool:
        """Say whether the burst has just ended because its key is up."""
        if self.class_name is None or not self._hold.released(now_s):
            return False
        self.stop()
        return True

    def stop(self) -> None:
        """End the burst; frames that no key event confirmed are dropped."""
        self.class_name = None
        self._hold = HoldDetector(self._hold.timing)
        self._press_due = False
        self._next_due_s = 0.0
        self._since_event, self._before_event = [], []

    def _write_all(self, confirmed: list[PendingSample]) -> list[Recorded]:
        """Write all samples that can be, and only then say what was wrong with others."""
        recorded: list[Recorded] = []
        problem: ProjectError | None = None
        for pending in confirmed:
            try:
                recorded.append(self._write(pending))
            except ProjectError as error:  # noqa: PERF203 - of a few
                problem = problem or error
        if problem:
            raise problem
        return recorded

    def _write(self, pending: PendingSample) -> Recorded:
        if self.class_name is None:  # pragma: no cover - only between event and stop
            raise RuntimeError("No burst is running.")
        sample = self._store.add_sample(pending.encoded, self.class_name, self._burst_id)
        return Recorded(sample, pending.features, pending.seen_by)


@dataclass(eq=False, slots=True)
class Recording:
    """What the record keys do: they record the class whose key is held; training follows.

    What writes a sample raises `ProjectError` where that cannot be done. `source` is how the
    camera is.
    """

    store: ProjectStore
    editor: Editor
    learner: Learner
    burst: BurstRecorder
    clock: Clock
    say: Say
    source: SourceState = field(default_factory=lambda: SourceState(SourceStatus.OPENING, ""))

    @property
    def learning(self) -> bool:
        """Whether a burst is running, or not all was learned yet."""
        return self.burst.class_name is not None or self.learner.busy

    def note_source(self, source: SourceState) -> bool:
        """Take note of how the camera is; returns whether it has just been lost."""
        before, self.source = self.source.status, source
        lost = before is SourceStatus.RUNNING and source.status is not SourceStatus.RUNNING
        if lost:
            # A key that is down goes on recording only when its user sees the picture again.
            self.stop()
        return lost

    def record_digit(self, digit: int) -> None:
        """Take a press or a repeat of a digit key."""
        if not self._is_live():
            return
        class_name = self.editor.class_of_digit(digit)
        if class_name is None:
            self.say(f"no class has key {digit} yet; N names a new one", Level.WARNING)
        else:
            self.record(class_name)

    def record_selected(self) -> None:
        """Take a press or a repeat of the key that records the selected class."""
        if self.editor.selected is None:
            self.say("select a class with the arrow keys first", Level.WARNING)
        else:
            self.record(self.editor.selected)

    def record(self, class_name: str) -> None:
        """Take a press or a repeat of a class's key; a class that is new is made."""
        if not self._is_live():
            return
        class_name = self.editor.with_class(class_name)
        if self.burst.class_name not in (None, class_name):
            self.learner.request_training()
        self._write(lambda: self.burst.event(class_name, self.clock()))

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
        self.editor.remember([(sample, features)])
        self.learner.request_training()
        return class_name

    def take(self, frame: Frame) -> Features | None:
        """Take a frame that is wanted, and return the features `(D,)` of what would be stored."""
        encoded = self.store.encode(frame.image)
        features = self._features_of(encoded)
        pending = PendingSample(encoded, features, self.learner.backbone)
        self._write(lambda: self.burst.offer(frame, pending))
        return features

    def _features_of(self, encoded: EncodedImage) -> Features | None:
        backbone = self.learner.backbone
        return backbone.extract([encoded.image])[0] if backbone else None

    def end_if_released(self) -> None:
        """End the burst if its key is up."""
        if self.burst.released(self.clock()):
            self.learner.request_training()

    def stop(self) -> None:
        """End the burst, if one is running, as the release of its key does."""
        if self.burst.class_name is not None:
            self.burst.stop()
            self.learner.request_training()

    def _is_live(self) -> bool:
        """Say whether there is something to record, and tell the user if not."""
        if self.source.status is SourceStatus.RUNNING:
            return True
        if not self.source.text:  # which says why
            self.say("nothing is recorded: there is no live picture", Level.WARNING)
        return False

    def _write(self, record: Callable[[], list[Recorded]]) -> None:
        try:
            recorded = record()
        except EdgeClassifierError:
            self.editor.reload()  # some samples may have been written before it failed
            raise
        # Frames may have waited for their key while the backbone became another one.
        backbone = self.learner.backbone
        self.editor.remember(
            [(r.sample, r.features if r.seen_by is backbone else None) for r in recorded]
        )
