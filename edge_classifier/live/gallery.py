"""Looking at stored pictures and cleaning them up: chosen, removed, moved, and all that back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError, TrashEmptiedError
from edge_classifier.languages.text import Text, as_text, joined, plural, text_of
from edge_classifier.live.class_question import ClassQuestion, class_of_key, is_class_key, keys_note
from edge_classifier.live.dialogs import Dialog, OverGallery
from edge_classifier.live.display import CHOOSE, CHOOSE_ROUND, LOOK, target_of
from edge_classifier.live.picture_grid import PictureGrid, PictureGroup, picture_id
from edge_classifier.live.view import (
    UNKNOWN_COLOUR,
    Button,
    Gallery,
    GalleryPicture,
    GalleryRow,
    Level,
    Mode,
    Prompt,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.features.dataset import Dataset
    from edge_classifier.live.display import Press, Room
    from edge_classifier.live.editor import Change, Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.picture_grid import Row
    from edge_classifier.live.thumbnails import Thumbnails
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.project.trash import Removed
    from edge_classifier.values import Sample


@dataclass(slots=True, kw_only=True, eq=False)
class GalleryDialog(Dialog):
    """Shows pictures, which are the heirs', acts on what is chosen, and trains at its end."""

    mode = Mode.LOOKING

    store: ProjectStore
    editor: Editor
    learner: Learner
    thumbnails: Thumbnails
    say: Say
    grid: PictureGrid
    _done: list[Removed | Change] = field(default_factory=list)
    _changed: bool = False

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        key = press.name
        if self.grid.step(key) or press.repeated or self._chooses(key):
            return self
        if key == "escape":
            self.close()
            return None
        if key in ("u", "z"):
            self.take_back(key)
        elif key in ("x", "delete"):
            self.remove()
        elif key == "m" and self.grid.chosen:
            return MoveQuestion(editor=self.editor, dialog=self, say=self.say)
        elif is_class_key(key) and not target_of(key, LOOK):
            self._move_to_key(key)
        elif key:
            closes = Text("Esc closes the pictures; that key is for the live picture")
            self.say(closes, Level.WARNING)
        return self

    def _chooses(self, key: str) -> bool:
        if wanted := target_of(key, CHOOSE):
            self.grid.choose(wanted)
        elif wanted := target_of(key, CHOOSE_ROUND):
            if self.grid.choose(wanted):
                self.grid.toggle_whole()
        else:
            return False
        return True

    def close(self) -> None:
        """Train on what was changed."""
        self.thumbnails.want(())
        if self._changed:
            self.learner.request_training()

    def take_back(self, key: str) -> None:
        """Take back what was done here last; Z also what was removed before."""
        if self._done:
            before = set(map(picture_id, self.grid.pictures))
            try:
                self.editor.take_back(self._done[-1])
            except TrashEmptiedError:
                self._done.pop()  # it would be in the way of what can be taken back
                raise
            self._done.pop()
            self.brought_back(before)
        elif key == "z":
            self.editor.put_back()
        else:
            nothing = Text("nothing was changed here; Esc closes the pictures")
            self.say(nothing, Level.WARNING)
            return
        self._changed = True

    def brought_back(self, before: set[str]) -> None:
        """Choose a picture that is back: none of those there were before."""
        raise NotImplementedError

    def taken_out(self) -> None:
        """Take note that what is chosen has gone elsewhere."""
        raise NotImplementedError

    def done(self, what: Removed | Change) -> None:
        """Take note of something that can be taken back."""
        self._done.append(what)
        self._changed = True
        self.taken_out()

    def remove(self) -> None:
        """Remove what is chosen."""
        if not (samples := self.grid.chosen):
            return
        removed = self.editor.remove_samples(samples)
        self.done(removed)
        said = plural(
            "removed {count} picture of {name}; U takes it back",
            "removed {count} pictures of {name}; U takes it back",
            len(samples), name=removed.class_name,
        )  # fmt: skip
        self.say(said)

    def _move_to_key(self, key: str) -> None:
        class_name = class_of_key(key, self.editor)
        if class_name is None:
            no_class = Text("no class has key {key} yet: press another one", key=key)
            self.say(no_class, Level.WARNING)
        else:
            self.move(class_name)

    def move(self, class_name: str) -> None:
        """Move what is chosen to a class, which is made if it is new.

        Raises:
            EdgeClassifierError: if that cannot be.
        """
        if not (samples := self.grid.chosen):
            return
        before = samples[0].class_name
        if class_name == before:
            there = Text("that is in {name} already; another class's key moves it", name=before)
            self.say(there, Level.WARNING)
            return
        selected = self.editor.selected
        class_name = self.editor.with_class(class_name)
        self.editor.selected = selected
        self.done(self.editor.move_samples(samples, class_name))
        said = plural(
            "moved {count} picture from {old} to {new}; U takes it back",
            "moved {count} pictures from {old} to {new}; U takes it back",
            len(samples), old=before, new=class_name,
        )  # fmt: skip
        self.say(said)

    def fit(self, room: Room) -> None:
        """Take note of how many pictures there is room for."""
        self.grid.fit(room)

    def want_thumbnails(self) -> None:
        """Let what is in sight be read, and a little more in either direction."""
        rows, first, page = self.grid.rows, self.grid.first, self.grid.room.rows
        near = [*rows[first : first + 3 * page], *rows[max(0, first - page) : first]]
        pictures = self.grid.pictures
        self.thumbnails.want(
            tuple(sample.path for row in near for sample in pictures[row.start : row.stop])
        )

    def rows(self, caption: Callable[[Sample], str] = lambda _: "") -> tuple[GalleryRow, ...]:
        """Return the rows in sight, and as many below them."""
        grid = self.grid
        chosen = set(map(picture_id, grid.chosen))
        colours = self.store.colours()
        found = []
        for number, row in enumerate(grid.rows[grid.first : grid.first + 2 * grid.room.rows]):
            samples = grid.pictures[row.start : row.stop]
            pictures = []
            for sample in samples:
                known, picture = self.thumbnails.of(sample.path), picture_id(sample)
                pictures.append(
                    GalleryPicture(
                        id=picture,
                        thumbnail=known.image if known else None,
                        problem=known.problem if known else "",
                        class_name=sample.class_name,
                        colour=colours.get(sample.class_name, UNKNOWN_COLOUR),
                        text=caption(sample),
                        chosen=picture in chosen,
                    )
                )
            first = row.start == 0 or grid.rows[grid.first + number - 1].group != row.group
            heading = self.heading(row) if first or number == 0 else ""
            is_round = bool(heading) and grid.groups[row.group].number > 0
            round_of = picture_id(samples[0]) if is_round else ""
            found.append(GalleryRow(heading, round_of, tuple(pictures)))
        return tuple(found)

    def heading(self, row: Row) -> str:
        """Say what the group of a row is, where there is something to say."""
        group = self.grid.groups[row.group]
        pictures = plural("{count} picture", "{count} pictures", len(group.samples))
        known = self.thumbnails.of(self.grid.pictures[row.start].path)
        if not group.number:
            return Text("one by one: {pictures}", pictures=pictures)
        written = known.written if known else ""
        return joined(" · ", Text("round {number}", number=group.number), written, pictures)

    def detail(self) -> str:
        """Say what is chosen."""
        chosen = self.grid.chosen
        if not chosen:
            return ""
        if self.grid.whole:
            return plural(
                "the whole round: {count} picture", "the whole round: {count} pictures", len(chosen)
            )
        place, every = self.grid.place + 1, len(self.grid.pictures)
        return self.problem() or Text("{place} of {every}", place=place, every=every)

    def problem(self) -> str:
        """Say why the chosen picture cannot be shown, if that is so."""
        chosen = self.grid.chosen
        known = self.thumbnails.of(chosen[0].path) if chosen else None
        return as_text(known.problem) if known else ""


@dataclass(slots=True, kw_only=True, eq=False)
class ClassGallery(GalleryDialog):
    """Shows the pictures of one class, the newest round first."""

    class_name: str
    _dataset: Dataset | None = None

    def __post_init__(self) -> None:
        self.show(self.class_name)

    def show(self, class_name: str) -> None:
        """Show the pictures of another class."""
        self.class_name = self.editor.selected = class_name
        self.grid.first = 0
        self._refresh()
        self.grid.choose_place(0)

    def poll(self) -> ClassGallery | None:
        """Take over what has changed meanwhile, and let thumbnails be read."""
        if self._dataset is not self.editor.dataset:
            names = self.editor.dataset.class_names
            if self.class_name not in names:
                self.close()
                return None
            self._refresh()
        self.want_thumbnails()
        return self

    def handle(self, press: Press) -> Dialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        names = self.editor.dataset.class_names
        if press.name == "tab":
            self.show(names[(names.index(self.class_name) + 1) % len(names)])
        elif class_name := target_of(press.name, LOOK):
            if class_name in names:
                self.show(class_name)
        elif press.name == "g":
            if not press.repeated:
                self.close()
                return None
        elif press.name == " ":
            self.grid.toggle_whole()
        else:
            return GalleryDialog.handle(self, press)
        return self

    def brought_back(self, before: set[str]) -> None:
        """Choose a picture that is back."""
        self._refresh()
        back = (s for s in self.grid.pictures if picture_id(s) not in before)
        if first := next(back, None):
            self.grid.choose(picture_id(first))

    def taken_out(self) -> None:
        """Show what is left."""
        self._refresh()

    def _refresh(self) -> None:
        self._dataset = self.editor.dataset
        self.grid.show(groups_of(self._dataset.of_class(self.class_name)))

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the pictures and the cards."""
        return (
            Button(Text("Whole round"), " "), Button(Text("Remove"), "x"),
            Button(Text("Move"), "m"), Button(Text("Take back"), "u"),
            Button(Text("Next class"), "tab"), Button(Text("Close"), "escape"),
        )  # fmt: skip

    def gallery(self) -> Gallery:
        """Return what to show."""
        title = Text("{name} has no pictures yet", name=self.class_name)
        if self.grid.pictures:
            title = plural(
                "{name}: {count} picture", "{name}: {count} pictures",
                len(self.grid.pictures), name=self.class_name,
            )  # fmt: skip
        return Gallery(
            title=title,
            detail=self.detail(),
            note=Text(
                "arrows choose · space the round · X removes · 1 … 9 or M moves · U takes back"
            ),
            rows=self.rows(),
            first=self.grid.first,
            row_count=len(self.grid.rows),
        )


def groups_of(samples: Sequence[Sample]) -> list[PictureGroup]:
    """Group the pictures of a class by round, the newest first.

    Pictures that are alone in their burst, as taps and most of what was added are, make one group
    where they come one after the other.
    """
    bursts = [tuple(burst) for _, burst in groupby(samples, key=lambda sample: sample.burst_id)]
    groups: list[PictureGroup] = []
    rounds = 0
    for alone, some in groupby(bursts, key=lambda burst: len(burst) == 1):
        if alone:
            groups.append(PictureGroup(tuple(sample for burst in some for sample in burst)))
            continue
        for burst in some:
            rounds += 1
            groups.append(PictureGroup(burst, rounds))
    return groups[::-1]


@dataclass(slots=True, kw_only=True)
class MoveQuestion(OverGallery, ClassQuestion):
    """Asks where to what is chosen in a gallery belongs."""

    mode = Mode.LOOKING

    dialog: GalleryDialog
    say: Say

    def take(self, class_name: str) -> Dialog:
        """Move it there, and go on with the gallery, unless that cannot be."""
        try:
            self.dialog.move(class_name)
        except EdgeClassifierError as error:
            self.error = text_of(error)
            return self
        return self.leave()

    def leave(self) -> GalleryDialog:
        """Go on with the gallery."""
        if isinstance(self.dialog, ClassGallery):
            self.editor.selected = self.dialog.class_name
        return self.dialog

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile, beside the cards."""
        return Button(Text("Background"), "b"), Button(Text("Leave it"), "escape")

    def prompt(self) -> Prompt:
        """Return what to show."""
        chosen = self.dialog.grid.chosen
        title = plural(
            "To which class belongs {count} picture of {name}?",
            "To which class belong {count} pictures of {name}?",
            len(chosen), name=chosen[0].class_name if chosen else "",
        )  # fmt: skip
        return Prompt(title, None, keys_note(self.editor.selected), self.error)
