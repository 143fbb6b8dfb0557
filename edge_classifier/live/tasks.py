"""What a user starts and the worker does: saving a copy, exporting, fine-tuning. One at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import CancelledError
from edge_classifier.features.carried import files_to_carry
from edge_classifier.features.weights import CacheFolders
from edge_classifier.live.dialogs import TextDialog
from edge_classifier.live.jobs import Stage
from edge_classifier.live.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.export.exporter import Export
    from edge_classifier.learning.fine_tuning import FineTune
    from edge_classifier.live.jobs import Work
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.presenter import Messages
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


class Tasks(Stage[str]):
    """Runs what the user has asked for, and tells how it ended.

    `export` and `fine_tune` run on the worker thread, and are `None` where that is not possible;
    `export_waits` is whether an export is to begin once all was learned.
    """

    def __init__(
        self,
        store: ProjectStore,
        learner: Learner,
        executor: Executor,
        messages: Messages,
        export: Export | None = None,
        fine_tune: FineTune | None = None,
    ) -> None:
        super().__init__(executor)
        self._store = store
        self._learner = learner
        self._say, self._messages = messages.say, messages
        self._export = export
        self._fine_tune = fine_tune
        self._after: Callable[[], None] | None = None
        self.export_waits = False

    @property
    def unfinished(self) -> str:
        """What had been started and the worker had not finished, or empty."""
        return self.job.text if self.job and not self.job.done else ""

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits."""
        return self.job is not None or self.export_waits

    def tell_ended(self) -> None:
        """Tell what has ended.

        Raises:
            EdgeClassifierError: as what has ended did.
        """
        if job := self.ended():
            after, self._after = self._after, None
            try:
                self._say(job.result())
                if after:
                    after()
            except CancelledError as error:
                self._say(str(error), Level.WARNING)

    def begin_what_waits(self) -> None:
        """Begin what has waited for the learning to end, after what was begun meanwhile."""
        if not self.job:
            self.export_waits = False
            self.export(learning=False)

    def stop(self) -> None:
        """Take back what waits, or else stop what is under way."""
        if self.export_waits:
            self.export_waits = False
        else:
            self.cancel()

    def export(self, *, learning: bool) -> None:
        """Export, once there is nothing more to learn."""
        export, model, backbone = self._export, self._learner.model, self._learner.backbone
        if self._says_what_is_under_way():
            return
        if export is None:
            self._say("exporting is not possible here", Level.WARNING)
        elif model is None or backbone is None or not model.tells:
            self._say("export needs a trained model: record a class first", Level.WARNING)
        elif learning:  # else what was just captured would be missing in it
            self.export_waits = True
            self._say("the export begins when the training has ended; Esc takes it back")
        else:
            project = self._store.snapshot()  # now: the loop goes on changing it
            self._start(
                "exporting", lambda p, c: f"exported to {export(model, backbone, project, p, c)}"
            )

    def fine_tune(self) -> None:
        """Fine-tune the backbone to the classes; what was learned is then learned anew."""
        fine_tune, samples = self._fine_tune, self._store.samples()
        if fine_tune is None or self._learner.backbone is None:
            self._say("fine-tuning is not possible here", Level.WARNING)
        else:
            self.begin_for(
                "fine-tuning", lambda p, c: fine_tune(samples, p, c), self._learner.reload
            )

    def save_dialog(self) -> TextDialog:
        """Ask where to save a copy of the project."""

        def accept(text: str) -> None:
            def work(progress: Progress, cancelled: Cancelled) -> str:
                store, folders = self._store, CacheFolders.of_this_user()
                more = files_to_carry(store.path, store.backbone, folders)
                store.save_as(Path(text).expanduser(), progress, cancelled, more=more)
                return f"saved a copy in {text}"

            self._start(f"saving to {text}", work)

        return TextDialog(
            "Save a copy as (folder)",
            "Enter saves · Esc cancels; the project itself is always saved",
            accept,
            text=f"{self._store.name}-copy",
        )

    def begin_for(self, text: str, work: Work[str], after: Callable[[], None]) -> bool:
        """Begin a work of somebody else's, and call `after` once it is done; says if it began."""
        if not self._start(text, work):
            return False
        self._after = after
        return True

    def _start(self, text: str, work: Work[str]) -> bool:
        if self._says_what_is_under_way():
            return False
        self._messages.clear()  # which told how the last one ended
        self.begin(text, work)
        return True

    def _says_what_is_under_way(self) -> bool:
        if self.job:
            self._say(f"not yet: {self.job.text} is under way; Esc stops it", Level.WARNING)
        return self.job is not None
