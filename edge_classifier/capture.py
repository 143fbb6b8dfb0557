"""From record keys and frames to samples in the project, while there is a live picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.recorder import Candidate, Recorded, Recorder
from edge_classifier.source_state import SourceState, SourceStatus
from edge_classifier.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.editor import Editor
    from edge_classifier.frame import Features, Frame
    from edge_classifier.keys import HoldTiming
    from edge_classifier.learner import Learner
    from edge_classifier.protocols import Backbone, Clock, SampleStore


class Capture:
    """Records the class whose key is held; training follows by itself.

    Args:
        store: The project on disk.
        editor: Is told of every sample.
        learner: Computes features, and trains after a burst.
        clock: Monotonic seconds.
        say: Shows a line in the picture.
        timing: When a silent key counts as released.
        samples_per_second: Recorded at most, while a key is held.
    """

    def __init__(
        self,
        store: SampleStore,
        editor: Editor,
        learner: Learner,
        *,
        clock: Clock,
        say: Callable[[str, Level], None],
        timing: HoldTiming,
        samples_per_second: float,
    ) -> None:
        self._store = store
        self._editor = editor
        self._learner = learner
        self._clock = clock
        self._say = say
        self._recorder = Recorder(store, timing=timing, samples_per_second=samples_per_second)
        self._seen_by: Backbone | None = None
        self.source = SourceState(SourceStatus.OPENING, "")

    @property
    def class_name(self) -> str | None:
        """The class that is being recorded, or `None`."""
        return self._recorder.class_name

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
        if not self.possible():
            return
        class_name = self._editor.class_of_digit(digit)
        if class_name is None:
            self._say(f"no class has key {digit} yet; N names a new one", Level.WARNING)
        else:
            self.record(class_name)

    def record_selected(self) -> None:
        """Take a press or a repeat of the key that records the selected class."""
        if self._editor.selected is None:
            self._say("select a class with the arrow keys first", Level.WARNING)
        else:
            self.record(self._editor.selected)

    def record(self, class_name: str) -> None:
        """Take a press or a repeat of a class's key; a class that is new is made.

        Raises:
            ProjectError: if a sample cannot be written.
        """
        if not self.possible():
            return
        class_name = self._editor.with_class(class_name)
        if self._recorder.class_name not in (None, class_name):
            self._learner.request_training()
        self._write(lambda: self._recorder.event(class_name, self._clock()))

    def add(self, frame: Frame, class_name: str) -> str:
        """Store one frame as a burst of its own, and learn it; a class that is new is made.

        Returns:
            The class's name as stored.

        Raises:
            EdgeClassifierError: if it cannot be stored; then nothing was.
        """
        self.stop()
        class_name = self._editor.with_class(class_name)
        encoded = self._store.encode(frame.image)
        features = self._learner.extract(encoded.image)
        sample = self._store.add_sample(encoded, class_name, self._store.next_burst_id())
        self._editor.remember([Recorded(sample, features)])
        self._learner.request_training()
        return class_name

    def possible(self) -> bool:
        """Say whether there is something to record, and tell the user if not."""
        if self.source.status is SourceStatus.RUNNING:
            return True
        if not self.source.text:  # which says why
            self._say("nothing is recorded: there is no live picture", Level.WARNING)
        return False

    def wants(self, frame: Frame) -> bool:
        """Say whether this frame may become a sample."""
        return self._recorder.wants(frame)

    def take(self, frame: Frame) -> Features | None:
        """Take a frame that is wanted, and return the features `(D,)` of what would be stored.

        Raises:
            ProjectError: if a sample cannot be written.
        """
        encoded = self._store.encode(frame.image)
        features = self._learner.extract(encoded.image)
        self._write(lambda: self._recorder.offer(frame, Candidate(encoded, features)))
        return features

    def end_if_released(self) -> None:
        """End the burst if its key is up."""
        if self._recorder.released(self._clock()):
            self._learner.request_training()

    def stop(self) -> None:
        """End the burst, if one is running, as the release of its key does."""
        if self._recorder.class_name is not None:
            self._recorder.stop()
            self._learner.request_training()

    def close(self) -> None:
        """Drop what no key event has confirmed."""
        self._recorder.stop()

    def _write(self, record: Callable[[], list[Recorded]]) -> None:
        if self._seen_by is not self._learner.backbone:
            self._seen_by = self._learner.backbone
            self._recorder.forget_features()
        try:
            recorded = record()
        except EdgeClassifierError:
            self._editor.reload()  # some samples may have been written before it failed
            raise
        self._editor.remember(recorded)
