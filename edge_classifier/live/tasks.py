"""What a user starts and the worker does: saving a copy, exporting. One at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from edge_classifier.errors import CancelledError
from edge_classifier.learning.training import MIN_CLASSES
from edge_classifier.live.dialogs import TextDialog
from edge_classifier.live.jobs import Job
from edge_classifier.live.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.export.exporter import Export
    from edge_classifier.live.learner import Learner
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import (
        Cancelled,
        Executor,
        Progress,
    )
    from edge_classifier.values import Sample


Deepen: TypeAlias = "Callable[[tuple[Sample, ...], Progress, Cancelled], str]"
"""Fine-tunes the project's backbone on these samples, and returns what to say of it."""


class Tasks:
    """Runs what the user has asked for, and tells how it ended.

    Args:
        store: The project on disk.
        learner: Gives what is exported.
        executor: The worker.
        say: Shows a line in the picture.
        export: Runs on the worker thread; `None` where exporting is not possible.
        deepen: Runs on the worker thread; `None` where fine-tuning is not possible.
    """

    def __init__(
        self,
        store: ProjectStore,
        learner: Learner,
        executor: Executor,
        say: Callable[[str, Level], None],
        export: Export | None,
        deepen: Deepen | None = None,
    ) -> None:
        self._store = store
        self._name = store.name
        self._learner = learner
        self._executor = executor
        self._say = say
        self._export = export
        self._deepen = deepen
        self._after: Callable[[], None] | None = None
        self._job: Job[str] | None = None
        self._export_waits = False

    @property
    def job(self) -> Job[str] | None:
        """What is under way, or `None`."""
        return self._job

    @property
    def unfinished(self) -> str:
        """What had been started and the worker had not finished, or empty."""
        return self._job.text if self._job and not self._job.done else ""

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits."""
        return self._job is not None or self._export_waits

    def poll(self) -> None:
        """Tell what has ended.

        Raises:
            EdgeClassifierError: as what has ended did.
        """
        if self._job and self._job.done:
            job, self._job = self._job, None
            after, self._after = self._after, None
            try:
                self._say(job.result(), Level.INFO)
                if after:
                    after()
            except CancelledError as error:
                self._say(str(error), Level.WARNING)

    def begin_what_waits(self) -> None:
        """Begin what has waited for the learning to end, after what was begun meanwhile."""
        if self._export_waits and not self._job:
            self._export_waits = False
            self.export(learning=False)

    def cancel(self) -> None:
        """Take back what waits, or else stop what is under way."""
        if self._export_waits:
            self._export_waits = False
        elif self._job:
            self._job.cancel()

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        if self._job:
            self._job.cancel()

    def export(self, *, learning: bool) -> None:
        """Export, once there is nothing more to learn."""
        export, model, backbone = self._export, self._learner.model, self._learner.backbone
        if export is None:
            self._say("exporting is not possible here", Level.WARNING)
        elif model is None or backbone is None or len(model.class_names) < MIN_CLASSES:
            self._say("export needs a trained model: capture two classes first", Level.WARNING)
        elif learning:  # else what was just captured would be missing in it
            self._export_waits = True
            self._say(
                "the export begins when the training has ended; Esc takes it back", Level.INFO
            )
        else:
            samples = self._store.samples()  # now: the loop goes on changing them
            self._start(
                "exporting", lambda p, c: f"exported to {export(model, backbone, samples, p, c)}"
            )

    def deepen(self) -> None:
        """Fine-tune the backbone to the classes; what was learned is then learned anew."""
        deepen, samples = self._deepen, self._store.samples()
        if deepen is None or self._learner.backbone is None:
            self._say("fine-tuning is not possible here", Level.WARNING)
        elif self._start("fine-tuning", lambda p, c: deepen(samples, p, c)):
            self._after = self._learner.reload

    def save_dialog(self) -> TextDialog:
        """Ask where to save a copy of the project."""

        def accept(text: str) -> None:
            def work(progress: Progress, cancelled: Cancelled) -> str:
                self._store.save_as(Path(text).expanduser(), progress, cancelled)
                return f"saved a copy in {text}"

            self._start(f"saving to {text}", work)

        return TextDialog(
            "Save a copy as (folder)",
            "Enter saves · Esc cancels; the project itself is always saved",
            accept,
            text=f"{self._name}-copy",
        )

    def _start(self, text: str, work: Callable[[Progress, Cancelled], str]) -> bool:
        if self._job:
            self._say(f"not yet: {self._job.text} is under way; Esc stops it", Level.WARNING)
            return False
        self._job = Job(text, work, self._executor)
        return True
