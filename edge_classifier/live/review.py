"""V, the review: pictures that look wrong, to be removed, moved, or called right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_classifier.languages.text import Text, plural
from edge_classifier.live.editor import Change
from edge_classifier.live.gallery import GalleryDialog
from edge_classifier.live.picture_grid import PictureGroup, picture_id
from edge_classifier.live.view import Button, Gallery, Mode

if TYPE_CHECKING:
    from edge_classifier.evaluation.suspects import Suspect
    from edge_classifier.live.dialogs import Dialog
    from edge_classifier.live.display import Press
    from edge_classifier.live.picture_grid import Row


@dataclass(slots=True, kw_only=True, eq=False)
class ReviewDialog(GalleryDialog):
    """Shows the suspects as soon as they are found."""

    mode = Mode.REVIEWING

    _suspects: list[Suspect] | None = None
    _gone: list[tuple[int, Suspect]] = field(default_factory=list)
    """What was taken out and from where, one for each of what was done here."""

    def __post_init__(self) -> None:
        if self.learner.evaluator.suspects is None:
            if self.learner.stale:
                self.learner.request_training()
            self.learner.evaluator.request_suspects()

    def poll(self) -> ReviewDialog | None:
        """Take over the suspects once they are found, and let thumbnails be read."""
        if self._suspects is None:
            if self.learner.evaluator.suspects is None:
                return self
            self._suspects = list(self.learner.evaluator.suspects)
            if not self._suspects:
                self.say(Text("nothing looks wrong"))
                return None
            self._show(0)
        self.want_thumbnails()
        return self

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        if press.name == "tab":
            self.grid.step("right")
        elif press.name == "v" and not press.repeated:
            self.close()
            return None
        elif press.name == "k" and not press.repeated and self.grid.chosen:
            self._keep()
        else:
            return GalleryDialog.handle(self, press)
        return self

    def close(self) -> None:
        """Stop looking for suspects, and train on what was changed."""
        if self._suspects is None:
            self.learner.evaluator.cancel_suspects()
        GalleryDialog.close(self)

    def _keep(self) -> None:
        """Call the chosen picture right."""
        (sample,) = self.grid.chosen
        editor = self.editor
        editor.call_right(sample, right=True)
        self.done(
            Change(
                lambda _: editor.call_right(sample, right=False),
                lambda _: editor.call_right(sample, right=True),
            )
        )

    def taken_out(self) -> None:
        """Take the chosen one out, whether it was removed, moved or called right."""
        if self._suspects is not None:
            place = self.grid.place
            del self._gone[len(self._done) - 1 :]
            self._gone.append((place, self._suspects.pop(place)))
            self._show(place)

    def brought_back(self, before: set[str]) -> None:  # noqa: ARG002 - it knows which one it is
        """Show once more what was taken out last."""
        if self._suspects is not None:
            place, suspect = self._gone[len(self._done)]
            self._suspects.insert(place, suspect)
            self._show(place)

    def _show(self, place: int) -> None:
        suspects = self._suspects or []
        self.grid.show([PictureGroup([s.sample for s in suspects])] if suspects else [])
        self.grid.choose_place(place)

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the pictures and the cards."""
        back = (Button(Text("Take back"), "z"), Button(Text("Close"), "v"))
        if not self.grid.pictures:
            return back
        remove, keep = Button(Text("Remove"), "x"), Button(Text("Keep"), "k")
        return (remove, keep, Button(Text("Move"), "m"), *back)

    def gallery(self) -> Gallery:
        """Return what to show."""
        if self._suspects is None:
            first = self.learner.job
            job = first or self.learner.evaluator.job
            title = job.text if job else Text("looking for pictures that look wrong")
            return Gallery(
                title=Text("first: {work}", work=title) if first else title,
                detail="",
                note=Text("Esc stops it"),
                progress=(job.progress if job else None) or 0,
            )
        reasons = {picture_id(suspect.sample): suspect.text for suspect in self._suspects}
        return Gallery(
            title=self._title(len(self._suspects)),
            detail=self.problem(),
            note=Text(
                "arrows choose · X removes · K keeps · 1 … 9 or M moves · Z takes back · V closes"
            ),
            rows=self.rows(lambda sample: reasons[picture_id(sample)]),
            first=self.grid.first,
            row_count=len(self.grid.rows),
            captioned=True,
        )

    def heading(self, row: Row) -> str:  # noqa: ARG002 - there is one group
        """Say nothing: the title says it."""
        return ""

    def _title(self, count: int) -> str:
        if not count:
            return Text("nothing is left that looks wrong")
        return plural(
            "{place} of {count} picture that looks wrong",
            "{place} of {count} pictures that look wrong",
            count,
            place=self.grid.place + 1,
        )
