"""V, the review: pictures that look wrong, to be removed and put back, or called right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError, ProjectError
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.display import CHOOSE, target_of
from edge_classifier.live.view import STRIP_LENGTH, Button, Mode, PictureStrip, StripPicture

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.evaluation.suspects import Suspect
    from edge_classifier.live.display import Press
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.project.trash import Removed

_STEPS: Final = {"left": -1, "up": -1, "right": 1, "down": 1, "tab": 1}


@dataclass(slots=True)
class ReviewDialog(Dialog):
    """Shows the suspects as soon as they are found; what was changed is trained on at its end."""

    mode = Mode.REVIEWING

    store: ProjectStore
    editor: Editor
    learner: Learner
    say: Say
    _suspects: list[Suspect] | None = None
    _chosen: int = 0
    _first: int = 0
    _gone: list[tuple[Removed | None, int, Suspect]] = field(default_factory=list)
    _changed: bool = False
    _thumbnails: dict[Path, Image | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.learner.evaluator.suspects is None:
            if self.learner.stale:
                self.learner.request_training()
            self.learner.evaluator.request_suspects()

    def poll(self) -> ReviewDialog | None:
        """Take over the suspects once they are found, and read one more thumbnail."""
        if self._suspects is None:
            if self.learner.evaluator.suspects is None:
                return self
            self._suspects = list(self.learner.evaluator.suspects)
            if not self._suspects:
                self.say("nothing looks wrong")
                return None
        for suspect in self._in_sight():
            if suspect.sample.path not in self._thumbnails:
                self._thumbnails[suspect.sample.path] = self._thumbnail(suspect)
                break  # one a step: reading a large picture takes as long as a frame
        return self

    def handle(self, press: Press) -> ReviewDialog | None:
        """Take what was pressed and return the strip, or `None` once it is closed."""
        key = press.name
        if self._suspects and key in _STEPS:
            self._chosen = (self._chosen + _STEPS[key]) % len(self._suspects)
        elif press.repeated:
            return self
        elif key in ("escape", "v"):
            self._close()
            return None
        elif key == "z":
            self._put_back()
        elif self._suspects and (place := target_of(key, CHOOSE)):
            self._chosen = min(self._first + int(place), len(self._suspects) - 1)
        elif self._suspects and key in ("x", "delete"):
            suspect = self._suspects[self._chosen]
            self._take_out(self._suspects, self.editor.remove_sample(suspect.sample))
        elif self._suspects and key == "k":
            self.editor.call_right(self._suspects[self._chosen].sample, right=True)
            self._take_out(self._suspects, None)
        return self

    def _close(self) -> None:
        if self._suspects is None:
            self.learner.evaluator.cancel_suspects()
        if self._changed:
            self.learner.request_training()

    def _take_out(self, suspects: list[Suspect], removed: Removed | None) -> None:
        """Take the chosen one out of the list, whether it was removed or called right."""
        self._gone.append((removed, self._chosen, suspects.pop(self._chosen)))
        self._chosen = min(self._chosen, max(0, len(suspects) - 1))
        self._changed = True

    def _put_back(self) -> None:
        if self._gone and self._gone[-1][0] is None and self._suspects is not None:
            _, place, suspect = self._gone[-1]
            self.editor.call_right(suspect.sample, right=False)
            self._gone.pop()
            self._suspects.insert(place, suspect)
            self._chosen = place
            return
        removed = self.editor.put_back()
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
            return self.store.thumbnail(suspect.sample.path)
        except (ProjectError, InvalidImageError):
            return None  # the strip shows its place empty; the learner reports it

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the pictures."""
        if not self._suspects:
            return (Button("Take back", "z"), Button("Close", "v"))
        return (
            Button("◀", "left"), Button("▶", "right"), Button("Remove", "x"), Button("Keep", "k"),
            Button("Take back", "z"), Button("Close", "v"),
        )  # fmt: skip

    def strip(self) -> PictureStrip:
        """Return what to show."""
        if self._suspects is None:
            first = self.learner.job
            job = first or self.learner.evaluator.job
            title = job.text if job else "looking for suspect pictures"
            return PictureStrip(
                f"first: {title}" if first else title,
                "Esc stops it",
                progress=(job.progress if job else None) or 0,
            )
        return PictureStrip(
            title=self._title(len(self._suspects)),
            note="← → choose · X removes · K keeps · Z takes back · V closes",
            pictures=tuple(
                StripPicture(
                    self._thumbnails.get(suspect.sample.path),
                    suspect.sample.class_name,
                    self.store.colour(suspect.sample.class_name),
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
