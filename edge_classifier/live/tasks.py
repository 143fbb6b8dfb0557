"""What a user starts and the worker does: saving a copy, exporting, fine-tuning. One at a time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import CancelledError, ProjectError
from edge_classifier.features.carried import files_to_carry
from edge_classifier.features.weights import CacheFolders
from edge_classifier.languages.text import Text, joined, plural, text_of
from edge_classifier.live.dialogs import TextDialog
from edge_classifier.live.jobs import Stage
from edge_classifier.live.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock
    from edge_classifier.export.exporter import Export
    from edge_classifier.learning.fine_tuning import FineTune
    from edge_classifier.live.jobs import Work
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.presenter import Messages
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


_EXPORTING: Final = Text("exporting")
_TELLING: Final = 0.1
_TELLING_S: Final = 3.0
"""The part that must be done, and after so long, before it tells how long the rest takes."""


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
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(executor)
        self._store = store
        self._learner = learner
        self._say, self._messages = messages.say, messages
        self._export = export
        self._fine_tune = fine_tune
        self._clock = clock
        self._began_s = 0.0
        self._about = Text(""), Text("")
        self._after: Callable[[], None] | None = None
        self.export_waits = False

    @property
    def unfinished(self) -> str:
        """What was asked for and the worker has not finished, or empty."""
        if self.export_waits:
            return _EXPORTING
        return self.job.name if self.job and not self.job.done else ""

    @property
    def busy(self) -> bool:
        """Whether something is under way, or waits."""
        return self.job is not None or self.export_waits

    def hint(self) -> str:
        """Say what is under way is for, how long it takes and how it is stopped; or nothing."""
        if self.job is None:
            return ""
        purpose, usual = self._about
        done, elapsed_s = self.job.progress or 0.0, self._clock() - self._began_s
        left = usual
        if done >= _TELLING and elapsed_s >= _TELLING_S:
            seconds = elapsed_s * (1 - done) / done
            rounded = 5 * max(1, round(seconds / 5))
            left = plural("about {count} second left", "about {count} seconds left", rounded)
        return joined(" · ", purpose, left, Text("Esc stops it"))

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
                self._say(text_of(error), Level.WARNING)

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
            self._say(Text("exporting is not possible here"), Level.WARNING)
        elif model is None or backbone is None or not model.tells:
            needs = Text("export needs a trained model: record a class first")
            self._say(needs, Level.WARNING)
        elif learning:  # else what was just captured would be missing in it
            self.export_waits = True
            self._say(Text("the export begins when the training has ended; Esc takes it back"))
        else:
            project = self._store.snapshot()  # now: the loop goes on changing it

            def work(progress: Progress, cancelled: Cancelled) -> Text:
                bundle = export(model, backbone, project, progress, cancelled)
                return Text("exported to {path}", path=str(bundle))

            about = (
                Text("makes a folder for the Raspberry Pi, and checks it"),
                Text("takes seconds"),
            )
            self._start(_EXPORTING, about, work)

    def fine_tune(self) -> None:
        """Fine-tune the backbone to the classes; what was learned is then learned anew."""
        fine_tune, samples = self._fine_tune, self._store.samples()
        if fine_tune is None or self._learner.backbone is None:
            self._say(Text("fine-tuning is not possible here"), Level.WARNING)
            return
        about = (
            Text("the network itself learns to tell your classes apart"),
            Text("takes a minute or two"),
        )
        self.begin_for(
            Text("fine-tuning"), about, lambda p, c: fine_tune(samples, p, c), self._learner.reload
        )

    def save_dialog(self) -> TextDialog:
        """Ask where to save a copy of the project."""

        def accept(text: str) -> None:
            folder = _new_folder(text)

            def work(progress: Progress, cancelled: Cancelled) -> Text:
                store, folders = self._store, CacheFolders.of_this_user()
                more = files_to_carry(store.path, store.backbone, folders)
                store.save_as(folder, progress, cancelled, more=more)
                return Text("saved a copy in {path}", path=str(folder))

            about = Text("copies the whole project"), Text("takes seconds")
            self._start(Text("saving to {path}", path=text), about, work)

        return TextDialog(
            Text("Save a copy as (folder)"),
            Text("Enter saves · Esc cancels; the project itself is always saved"),
            accept,
            text=f"{self._store.name}-copy",
        )

    def begin_for(
        self, text: Text, about: tuple[Text, Text], work: Work[str], after: Callable[[], None]
    ) -> bool:
        """Begin a work, and call `after` once it is done; `about` is its use and how long it takes.

        Returns whether it began.
        """
        if not self._start(text, about, work):
            return False
        self._after = after
        return True

    def _start(self, text: Text, about: tuple[Text, Text], work: Work[str]) -> bool:
        if self._says_what_is_under_way():
            return False
        self._messages.clear()  # which told how the last one ended
        self._about, self._began_s = about, self._clock()
        self.begin(text, work)
        return True

    def _says_what_is_under_way(self) -> bool:
        if self.job:
            not_yet = Text("not yet: {work} is under way; Esc stops it", work=self.job.name)
            self._say(not_yet, Level.WARNING)
        return self.job is not None


def _new_folder(text: str) -> Path:
    try:
        named = Path(text.strip()).expanduser()
    except RuntimeError:  # a user whom nobody knows
        named = Path()
    if named == Path():
        raise ProjectError(Text("that is no new folder: name one for the copy"))
    return named.absolute()
