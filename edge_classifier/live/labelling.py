"""Pictures without labels: what they show is asked, a group of like ones at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.device.verdict import UNKNOWN
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.languages.text import Text, joined, plural, text_of
from edge_classifier.learning.alike import groups_of_like
from edge_classifier.live.answers import Answer, AnsweredPictures
from edge_classifier.live.dialogs import Dialog, OverGallery, TextDialog
from edge_classifier.live.gallery import GalleryDialog
from edge_classifier.live.jobs import Stage
from edge_classifier.live.picture_grid import PictureGroup
from edge_classifier.live.view import Button, Gallery, Level, Mode
from edge_classifier.values import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.frame import Clock
    from edge_classifier.learning.alike import Unlabelled
    from edge_classifier.learning.model import Model
    from edge_classifier.live.display import Press
    from edge_classifier.live.picture_grid import Row
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress
    from edge_classifier.values import EncodedImage

_ASKED_OF_A_GROUP: Final = 16
"""Pictures of a group that the model is asked about."""

_TO_BE_SEEN_S: Final = 0.6
"""So long a guess has been shown before Enter takes it: nobody presses for what they have not
seen."""


class UnlabelledSource(Protocol):
    """Where pictures without labels come from."""

    def find(self, backbone: Backbone, progress: Progress, cancelled: Cancelled) -> Unlabelled:
        """Look at all of them; on the worker."""

    def read(self, path: Path) -> EncodedImage:
        """Read one as it will be stored; in a thread beside the loop.

        Raises:
            EdgeClassifierError: if it cannot be.
        """


class _Guess(NamedTuple):
    name: str  # empty where the pictures are unknown
    since_s: float  # when it was shown first, or in place of another one


class _Found(NamedTuple):
    pictures: Unlabelled
    groups: list[list[int]]


@dataclass(slots=True, kw_only=True, eq=False)
class LabellingDialog(GalleryDialog):
    """Asks what groups of like pictures show, and stores what was answered.

    What is pressed is done at once, as far as it is to be seen; files are read beside the loop, and
    stored by it, a few at each step. What is not answered is asked again the next time.

    Attributes:
        ended: Is called once it is closed and all that was answered is stored.
    """

    mode = Mode.LOOKING

    source: UnlabelledSource
    executor: Executor
    reader: Executor
    clock: Clock
    ended: Callable[[], None]
    _stage: Stage[_Found] | None = None
    _trouble: str = ""
    _pictures: Unlabelled | None = None
    _shown: list[Sample] = field(default_factory=list)
    _groups: list[list[int]] = field(default_factory=list)
    _answers: list[Answer] = field(default_factory=list)
    _storing: AnsweredPictures | None = None
    _guesses: dict[tuple[int, ...], _Guess] = field(default_factory=dict)
    _guessed_before: dict[tuple[int, ...], _Guess] = field(default_factory=dict)
    _guessed_by: Model | None = None
    _closing: bool = False

    def poll(self) -> LabellingDialog | None:
        """Take over what was found, and store what was answered.

        Raises:
            EdgeClassifierError: if it cannot be stored; then it is asked again.
        """
        if self._storing is None:
            self._look()
        else:
            self.want_thumbnails()
            self._storing.poll()
        if self._closing and not (self._storing and self._storing.busy):
            self.close()
            self.ended()
            return None
        return self

    def finish(self) -> None:
        """Look for no more, and store all that was answered, waiting for it."""
        if self._stage:
            self._stage.cancel()
        if self._storing:
            self._storing.finish()

    def _look(self) -> None:
        backbone = self.learner.backbone
        if self._stage is None and backbone is not None:
            self._stage = Stage(self.executor)
            self._stage.begin(
                Text("looking for pictures that are alike"),
                lambda p, c: _found(self.source.find(backbone, p, c)),
            )
        try:
            found = self._stage.poll() if self._stage else None
        except EdgeClassifierError as error:
            self._trouble = text_of(error)
            return
        if found is None:
            return
        self._pictures, self._groups = found.pictures, found.groups
        self._storing = AnsweredPictures(
            pictures=found.pictures,
            store=self.store,
            editor=self.editor,
            learner=self.learner,
            say=self.say,
            reader=self.reader,
            read=self.source.read,
            given_up=self._ask_again,
        )
        self._shown = [
            Sample("", str(n), path, sha)
            for n, (path, sha) in enumerate(
                zip(found.pictures.paths, found.pictures.hashes, strict=True)
            )
        ]
        self._show(0)

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        key = press.name
        if key == "escape":
            self._closing = True
            if self._stage:
                self._stage.cancel()
        elif press.repeated or key not in ("enter", "n", "+", " ", "tab"):
            return GalleryDialog.handle(self, press)
        elif key == " ":
            self.grid.toggle_whole()
        elif key == "tab":
            self._show((self._group + 1) % max(1, len(self._groups)))
        elif rows := self._chosen:
            guess = self._guess(rows)
            if key != "enter" or not guess.name:
                return name_question(self)
            if self.clock() - guess.since_s < _TO_BE_SEEN_S:
                another = Text("it looks like {name} now; Enter again takes that", name=guess.name)
                self.say(another, Level.WARNING)
            else:
                self.move(guess.name)
        return self

    @property
    def _chosen(self) -> list[int]:
        return [int(sample.burst_id) for sample in self.grid.chosen]

    @property
    def _group(self) -> int:
        """Which group what is chosen is of."""
        chosen = self._chosen
        return next((n for n, g in enumerate(self._groups) if chosen and chosen[0] in g), 0)

    def move(self, class_name: str) -> None:
        """Answer for what is chosen: it shows a class, which is made if it is new.

        Raises:
            EdgeClassifierError: if there can be no such class.
        """
        if (rows := self._chosen) and self._storing:
            class_name = self.editor.with_class(class_name)
            self._storing.add(self._answered(rows, class_name))
            said = plural(
                "{count} picture shows {name}; U takes it back",
                "{count} pictures show {name}; U takes it back",
                len(rows), name=class_name,
            )  # fmt: skip
            self.say(said)

    def remove(self) -> None:
        """Want nothing of what is chosen, for good; its files stay."""
        if (rows := self._chosen) and self._storing:
            self._storing.note(rows, None)
            self._answered(rows, None)
            said = plural(
                "{count} picture is left out; U takes it back",
                "{count} pictures are left out; U takes it back",
                len(rows),
            )
            self.say(said)

    def _answered(self, rows: list[int], class_name: str | None) -> Answer:
        answer = Answer(rows, class_name, [list(group) for group in self._groups])
        self._answers.append(answer)
        place = self._group
        answered = set(rows)
        left = [row for row in self._groups[place] if row not in answered]
        self._groups[place : place + 1] = [left] if left else []
        self._show(place)
        return answer

    def take_back(self, key: str) -> None:  # noqa: ARG002 - both keys take back the last answer
        """Ask again what was answered last.

        Raises:
            EdgeClassifierError: if its samples cannot be removed.
        """
        if not self._answers or not self._storing:
            nothing = Text("nothing was changed here; Esc closes the pictures")
            self.say(nothing, Level.WARNING)
            return
        answer = self._answers[-1]
        self._storing.take_back(answer)
        self._changed = True
        self._answers.pop()
        self._ask_again(answer)

    def _ask_again(self, answer: Answer) -> None:
        """Show what is not answered any more in the group that it was in."""
        gone = {row for other in self._answers for row in other.rows}
        groups = [[row for row in group if row not in gone] for group in answer.before]
        there = gone.union(*groups)
        lost = [row for group in self._groups for row in group if row not in there]
        self._groups = [group for group in (*groups, lost) if group]
        wanted = set(answer.rows)
        self._show(next((n for n, g in enumerate(self._groups) if wanted & set(g)), 0))

    def _guess(self, rows: Sequence[int]) -> _Guess:
        """Say what the model takes most of some pictures for.

        One of a single class has nothing to compare with yet, and says it of nearly all.
        """
        model = self.learner.model
        if model is not self._guessed_by:
            self._guessed_by, self._guessed_before, self._guesses = model, self._guesses, {}
        key = tuple(rows)
        if key not in self._guesses:
            label = UNKNOWN
            if model is not None and len(model.class_names) > 1 and self._pictures is not None:
                some = pick_evenly(np.zeros(len(rows), np.int64), np.array([_ASKED_OF_A_GROUP]))
                said = model.predict(self._pictures.features[np.array(rows)[some]])
                label = Counter(one.label for one in said).most_common(1)[0][0]
            name = "" if label == UNKNOWN else label
            before = self._guessed_before.get(key)
            since_s = before.since_s if before and before.name == name else self.clock()
            self._guesses[key] = _Guess(name, since_s)
        return self._guesses[key]

    def brought_back(self, before: set[str]) -> None:
        """Do nothing: what is asked again is shown."""

    def taken_out(self) -> None:
        """Do nothing likewise."""

    def _show(self, group: int) -> None:
        """Show the groups that are left, and choose one of them."""
        shown = self._shown
        self.grid.show(
            [
                PictureGroup([shown[row] for row in rows], n)
                for n, rows in enumerate(self._groups, start=1)
            ]
        )
        self.grid.choose_place(sum(map(len, self._groups[:group])))
        self.grid.toggle_whole()

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the pictures and the cards."""
        back = (Button(Text("Take back"), "u"), Button(Text("Close"), "escape"))
        if not self.grid.pictures:
            return back
        return (
            Button(Text("Take it"), "enter"), Button(Text("Name"), "n"),
            Button(Text("Leave out"), "x"), Button(Text("Next group"), "tab"), *back,
        )  # fmt: skip

    def gallery(self) -> Gallery:
        """Return what to show."""
        if self._pictures is None:
            job = (self._stage and self._stage.job) or self.learner.job
            return Gallery(
                title=self._trouble or (job.text if job else Text("loading the network")),
                detail="",
                note=Text("Esc stops it"),
                progress=None if self._trouble else (job.progress if job else None) or 0,
            )
        left = len(self.grid.pictures)
        title = plural("{count} picture to name", "{count} pictures to name", left)
        return Gallery(
            title=title if left else Text("nothing is left to name"),
            detail=joined(" · ", self._known(self._chosen), self.detail(), self._refused()),
            note=Text(
                "Enter takes the group as named · 1 … 9 or N name it · X leaves out · U takes back"
            ),
            rows=self.rows(),
            first=self.grid.first,
            row_count=len(self.grid.rows),
            chosen=self._chosen_picture(),
        )

    def _chosen_picture(self) -> npt.NDArray[np.uint8] | None:
        chosen = self.grid.chosen
        known = self.thumbnails.of(chosen[0].path) if chosen else None
        return known.image if known else None

    def _refused(self) -> str:
        refused = len(self._pictures.refused) if self._pictures else 0
        text = plural("{count} cannot be read", "{count} cannot be read", refused)
        return text if refused else ""

    def detail(self) -> str:
        """Say which picture is chosen, where it is one."""
        return "" if self.grid.whole else GalleryDialog.detail(self)

    def heading(self, row: Row) -> str:
        """Say what the model takes a group for, and how many they are."""
        rows = self._groups[row.group]
        pictures = plural("{count} picture", "{count} pictures", len(rows))
        return joined(" · ", self._known(rows), pictures)

    def _known(self, rows: Sequence[int]) -> str:
        """Say what Enter would call some pictures, once it can tell classes apart."""
        guess, model = self._guess(rows) if rows else None, self._guessed_by
        if guess is None or model is None or len(model.class_names) == 1:
            return ""
        return Text("looks like {name}", name=guess.name) if guess.name else Text("unknown")


def _found(pictures: Unlabelled) -> _Found:
    asked = np.flatnonzero(pictures.asked)
    groups = groups_of_like(pictures.features[asked])
    return _Found(pictures, [asked[group].tolist() for group in groups])


@dataclass(slots=True, kw_only=True)
class NameQuestion(OverGallery, TextDialog):
    """Asks how what is chosen in a gallery is called."""

    dialog: LabellingDialog

    def handle(self, press: Press) -> Dialog | None:  # type: ignore[override]  # it goes on with the gallery
        """Take what was pressed and return the dialog that is open afterwards."""
        return self if TextDialog.handle(self, press) else self.dialog


def name_question(dialog: LabellingDialog) -> NameQuestion:
    """Ask for the class of what is chosen."""
    return NameQuestion(
        title=Text("What is this?"),
        note=Text("Enter names it · Esc cancels"),
        accept=dialog.move,
        dialog=dialog,
    )
