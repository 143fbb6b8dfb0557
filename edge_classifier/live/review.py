"""V, the review strip: pictures that look wrong, to be removed and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError, InvalidImageError, ProjectError
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.view import STRIP_LENGTH, Level, Mode, Prompt, Strip, StripPicture
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.device.frame import Frame
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.evaluation.suspects import Suspect
    from edge_classifier.live.capture import Capture
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Removed

_MOVES = {"up": -1, "down": 1, "tab": 1}


class CorrectionDialog(Dialog):
    """Asks what a frame really shows, and stores it as a sample of that.

    Args:
        frame: As it was when its verdict was called wrong.
        prediction: What was said of it, or `None` where nothing was.
        editor: Knows the classes and which is selected.
        capture: Stores the sample.
        say: Shows a line in the picture.
    """

    mode = Mode.CORRECTING

    def __init__(
        self,
        frame: Frame,
        prediction: Prediction | None,
        editor: Editor,
        capture: Capture,
        say: Callable[[str, Level], None],
    ) -> None:
        self._frame = frame
        self._editor = editor
        self._capture = capture
        self._say = say
        self._said = ""
        if prediction is not None:
            self._said = "unknown" if prediction.unknown else prediction.class_name
        self._error: str | None = None

    def handle(self, key: str) -> CorrectionDialog | None:
        """Take a key and return the dialog that is open afterwards, or `None`."""
        self._error = None
        if key == "escape":
            self._say("nothing was corrected", Level.INFO)
            return None
        if key in _MOVES:
            self._editor.move_selection(_MOVES[key])
            return self
        if key in (" ", "enter"):
            return self._take(self._editor.selected, "select a class with the arrow keys first")
        if key.lower() == "b":
            return self._take(BACKGROUND)
        if key in "123456789":
            class_name = self._editor.class_of_digit(int(key))
            return self._take(class_name, f"no class has key {key} yet")
        return self

    def _take(self, class_name: str | None, problem: str = "") -> CorrectionDialog | None:
        if class_name is None:
            self._error = problem
            return self
        try:
            class_name = self._capture.add(self._frame, class_name)
        except EdgeClassifierError as error:
            self._error = str(error)
            return self
        if self._said in ("", class_name):
            done = f"added as {class_name}"
        else:
            done = f"corrected: {self._said} → {class_name}"
        self._say(f"{done}; learning it now, U takes it back", Level.INFO)
        return None

    def prompt(self) -> Prompt:
        """Return what to show."""
        title = f"{self._said} is wrong. What is it?" if self._said else "What is this?"
        selected = f" ({self._editor.selected})" if self._editor.selected else ""
        note = f"1 … 9, B, or ↑ ↓ space{selected} · Esc leaves it"
        return Prompt(title, None, note, self._error, picture=self._frame.image)


_STEPS: Final = {"left": -1, "up": -1, "right": 1, "down": 1, "tab": 1}


class ReviewStrip(Dialog):
    """Shows the suspects as soon as they are found.

    Args:
        store: Where colours and thumbnails come from.
        editor: Removes and puts back.
        learner: Finds the suspects; is told to train once the strip is closed.
        say: Shows a line in the picture.
    """

    mode = Mode.REVIEWING

    def __init__(
        self,
        store: ProjectStore,
        editor: Editor,
        learner: Learner,
        say: Callable[[str, Level], None],
    ) -> None:
        self._store = store
        self._editor = editor
        self._learner = learner
        self._say = say
        self._suspects: list[Suspect] | None = None
        self._chosen = 0
        self._first = 0
        self._gone: list[tuple[Removed, int, Suspect]] = []
        self._changed = False
        self._thumbnails: dict[Path, Image | None] = {}
        if learner.review is None:
            if learner.stale:
                learner.request_training()
            learner.request_review()

    def poll(self) -> ReviewStrip | None:
        """Take over the suspects once they are found, and read one more thumbnail."""
        if self._suspects is None:
            if self._learner.review is None:
                return self
            self._suspects = list(self._learner.review.suspects)
            if not self._suspects:
                self._say("nothing looks wrong", Level.INFO)
                return None
        for suspect in self._in_sight():
            if suspect.sample.path not in self._thumbnails:
                self._thumbnails[suspect.sample.path] = self._thumbnail(suspect)
                break  # one a step: reading a large picture takes as long as a frame
        return self

    def handle(self, key: str) -> ReviewStrip | None:
        """Take a key and return the strip, or `None` once it is closed."""
        if key == "escape" or key.lower() == "v":
            self._close()
            return None
        if not self._suspects:
            if key.lower() == "z":
                self._put_back()
        elif key in _STEPS:
            self._chosen = (self._chosen + _STEPS[key]) % len(self._suspects)
        elif key.lower() == "x" or key == "delete":
            self._remove()
        elif key.lower() == "z":
            self._put_back()
        return self

    def _close(self) -> None:
        if self._suspects is None:
            self._learner.cancel_review()
        if self._changed:
            self._learner.request_training()

    def _remove(self) -> None:
        assert self._suspects  # noqa: S101 - asked by the caller
        suspect = self._suspects[self._chosen]
        removed = self._editor.remove_sample(suspect.sample)
        del self._suspects[self._chosen]
        self._gone.append((removed, self._chosen, suspect))
        self._chosen = min(self._chosen, max(0, len(self._suspects) - 1))
        self._changed = True

    def _put_back(self) -> None:
        removed = self._editor.put_back()
        if removed is None:
            return
        self._changed = True
        if self._gone and self._gone[-1][0] is removed and self._suspects is not None:
            _, self._chosen, suspect = self._gone.pop()
            self._suspects.insert(self._chosen, suspect)

    def _in_sight(self) -> list[Suspect]:
        suspects = self._suspects or []
        last_first = max(0, len(suspects) - STRIP_LENGTH)
        self._first = min(max(self._first, self._chosen - STRIP_LENGTH + 1), self._chosen)
        self._first = min(self._first, last_first)
        return suspects[self._first : self._first + STRIP_LENGTH]

    def _thumbnail(self, suspect: Suspect) -> Image | None:
        try:
            return self._store.thumbnail(suspect.sample)
        except (ProjectError, InvalidImageError):
            return None  # the strip shows its place empty; the learner reports it

    def strip(self) -> Strip:
        """Return what to show."""
        if self._suspects is None:
            first = self._learner.job
            job = first or self._learner.assessing
            title = job.text if job else "looking for suspect pictures"
            progress = job.progress if job else None
            return Strip(
                f"first: {title}" if first else title, "Esc stops it", progress=progress or 0
            )
        return Strip(
            title=self._title(len(self._suspects)),
            note="← → choose · X removes · Z puts back · V closes",
            pictures=tuple(
                StripPicture(
                    self._thumbnails.get(suspect.sample.path),
                    suspect.sample.class_name,
                    self._store.colour(suspect.sample.class_name),
                    suspect.text,
                )
                for suspect in self._in_sight()
            ),
            chosen=self._chosen - self._first if self._suspects else None,
        )

    def _title(self, count: int) -> str:
        if not count:
            return "nothing is left that looks wrong"
        what = "picture that looks" if count == 1 else "pictures that look"
        return f"{self._chosen + 1} of {count} {what} wrong"
