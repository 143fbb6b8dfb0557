"""Changing classes and samples: on disk first, then in what is learned and shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import TrashEmptiedError
from edge_classifier.features.dataset import REVIEWED_SETTING, Dataset, stored_reviewed
from edge_classifier.languages.text import Text, plural
from edge_classifier.live.dialogs import ConfirmDialog, TextDialog
from edge_classifier.live.moves import Move
from edge_classifier.live.view import Level
from edge_classifier.project.classes import key_of
from edge_classifier.project.samples import Samples
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.live.learner import Learner
    from edge_classifier.live.presenter import Presenter
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.project.trash import Removed
    from edge_classifier.values import Features, Sample

SELECT_FIRST: Final = Text("select a class with the arrow keys first")


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Something that was done and is no removal.

    What takes it back, or puts it back, raises where that cannot be, and calls what it is given
    once that is done. `rename` is told of classes that have another name.
    """

    take_back: Callable[[Callable[[], None]], None]
    put_back: Callable[[Callable[[], None]], None]
    rename: Callable[[str, str], None] = lambda _old, _new: None


class Editor:
    """Keeps the dataset, the learner and the presenter in step with the store.

    What changes the store raises an `EdgeClassifierError` where that cannot be done. `selected` is
    the class that the arrow keys have chosen, or `None`.
    """

    def __init__(
        self,
        store: ProjectStore,
        learner: Learner,
        presenter: Presenter,
        say: Say,
    ) -> None:
        self._store = store
        self._learner = learner
        self._presenter = presenter
        self._say = say
        self._removals = _Removals()
        self.selected: str | None = None
        self.dataset = Dataset((), Samples({}))
        self.reload()

    def reload(self) -> None:
        """Take over what the store has."""
        self.dataset = Dataset.of(self._store)
        self._learner.dataset_changed(self.dataset)
        if self.selected not in self.dataset.class_names:
            self.selected = None
        self._presenter.dataset_changed(self.dataset)

    def class_of_digit(self, digit: int) -> str | None:
        """Return the class of a digit key; the first free digit makes one, others have none."""
        things = [name for name in self.dataset.class_names if name != BACKGROUND]
        if digit <= len(things):
            return things[digit - 1]
        if digit > len(things) + 1:
            return None
        taken = {name.casefold() for name in self.dataset.class_names}
        number = digit
        while f"class {number}" in taken:
            number += 1
        return self.with_class(f"class {number}")

    def with_class(self, class_name: str) -> str:
        """Return the class of this name, which is added where it is missing, and select it.

        Raises:
            InvalidClassNameError: if there can be no such class.
        """
        if class_name not in self.dataset.class_names:
            class_name = self._store.add_class(class_name)
            self.reload()
        self.selected = class_name
        return class_name

    def remember(self, recorded: Sequence[tuple[Sample, Features | None]]) -> None:
        """Take note of new samples, with their features `(D,)` as far as they are known."""
        try:
            for sample, features in recorded:
                if features is not None:
                    self._learner.remember(sample, features)
        finally:  # the samples are there, even if their features could not be kept
            if recorded:
                self.reload()

    def select(self, class_name: str) -> None:
        """Select a class, if there is one of this name."""
        if class_name in self.dataset.class_names:
            self.selected = class_name

    def move_selection(self, by: int) -> None:
        """Select the next class, or the one before; after the last comes the first.

        Longer steps end at the first and the last one.
        """
        names = self.dataset.class_names
        if names and self.selected is None:
            self.selected = names[0 if by > 0 else -1]
        elif names:
            place = names.index(self.selected or "") + by
            last = len(names) - 1
            self.selected = names[place % len(names) if abs(by) == 1 else min(max(place, 0), last)]

    @property
    def _last_burst_id(self) -> str:
        newest = (self.dataset.newest(name) for name in self.dataset.captured_classes)
        return max((sample.burst_id for sample in newest if sample), default="")

    def undo(self) -> None:
        """Take back what was done last: a burst, a change, or a removal of a class or pictures."""
        last_burst = self._last_burst_id
        newest = self._removals.newer_than(last_burst)
        if newest:
            self.take_back(newest)
        elif last_burst:
            undone = self._remove(lambda: self._store.remove_burst(last_burst), by_undo=True)
            self._learner.request_training()
            said = plural(
                "undone: {count} picture of {name}; Z puts it back",
                "undone: {count} pictures of {name}; Z puts them back",
                undone.count, name=undone.class_name,
            )  # fmt: skip
            self._say(said)
        else:
            self._say(Text("nothing to undo"), Level.WARNING)

    def take_back(self, done: Removed | Change) -> None:
        """Take back something that was done, whatever came after it."""
        if isinstance(done, Change):
            last_burst = self._last_burst_id
            done.take_back(lambda: self._removals.move(done, by_undo=True, last_burst=last_burst))
        else:
            self._put_back(done)

    def changed(self, change: Change) -> None:
        """Take note of a change that `undo` is to take back."""
        self._removals.add(change, by_undo=False, last_burst=self._last_burst_id)

    def remove_samples(self, samples: Sequence[Sample]) -> Removed:
        """Move pictures of a class to the trash; training is left to the caller."""
        return self._remove(lambda: self._store.remove_samples(samples))

    def move_samples(self, samples: Sequence[Sample], class_name: str) -> Change:
        """Move pictures of a class to another one; training likewise."""
        move = Move(
            store=self._store,
            say=self._say,
            changed=self.reload,
            relearn=self._learner.request_training,
            from_class=samples[0].class_name,
            to_class=class_name,
        )
        change = Change(move.take_back, move.put_back, move.rename)
        try:
            move.begin(samples)
        finally:
            if move.begun:  # perhaps only in part
                self.changed(change)
        return change

    def call_right(self, sample: Sample, *, right: bool) -> None:
        """Keep that a person has called a picture right, or no longer does."""
        sha = sample.image_sha256
        before = stored_reviewed(self._store.settings)
        reviewed = before | {sha} if right else before - {sha}
        self._store.update_settings(**{REVIEWED_SETTING: sorted(reviewed)})
        self.reload()

    def put_back(self) -> Removed | None:
        """Put back what was removed or undone last; returns that, if it was pictures or a class."""
        removed = self._removals.newest
        if isinstance(removed, Change):
            last_burst = self._last_burst_id
            removed.put_back(
                lambda: self._removals.move(removed, by_undo=False, last_burst=last_burst)
            )
            return None
        if removed is None:
            self._say(Text("nothing was removed since the window was opened"), Level.WARNING)
        else:
            self._put_back(removed)
        return removed

    def _remove(self, work: Callable[[], Removed], *, by_undo: bool = False) -> Removed:
        last_burst = self._last_burst_id
        try:
            removed = work()
        finally:
            self.reload()  # some may be gone before it failed
        self._removals.add(removed, by_undo=by_undo, last_burst=last_burst)
        return removed

    def _put_back(self, removed: Removed) -> None:
        try:
            count = self._store.put_back(removed)
        except TrashEmptiedError:
            self._removals.forget(removed)  # it would be in the way of what can be put back
            raise
        finally:
            self.reload()
        self._removals.forget(removed)
        self._learner.request_training()
        if removed.whole_class:
            self.selected = removed.class_name
            text = Text("{name} is back", name=removed.class_name)
            if count:
                text = plural(
                    "{name} is back with its {count} picture",
                    "{name} is back with its {count} pictures",
                    count, name=removed.class_name,
                )  # fmt: skip
        else:
            text = plural(
                "put back {count} picture of {name}", "put back {count} pictures of {name}",
                count, name=removed.class_name,
            )  # fmt: skip
        self._say(text)

    def new_class_dialog(self) -> TextDialog:
        """Ask for the name of a new class."""

        def accept(text: str) -> None:
            name = self._store.add_class(text)
            self.reload()
            self.selected = name
            key = key_of(self.dataset.class_names, name)
            space = Text("{name}: hold space to record it", name=name)
            hold = Text("{name}: hold {key} to record it", name=name, key=key)
            self._say(hold if key else space)

        return TextDialog(
            Text("Name of the new class"), Text("Enter adds it · Esc cancels"), accept
        )

    def name_dialog(self) -> TextDialog:
        """Ask for another name of the selected class, or where there is none for a new class."""
        if self.selected is None:
            return self.new_class_dialog()
        old = self.selected

        def accept(text: str) -> None:
            new = self._store.rename_class(old, text)
            self._removals.rename(old, new)
            self._learner.current.rename_class(old, new)
            self.reload()
            self.selected = new
            self._learner.request_training()

        return TextDialog(
            Text("New name of {name}", name=old),
            Text("Enter renames · Esc cancels"),
            accept,
            text=old,
        )

    def remove_dialog(self) -> ConfirmDialog | None:
        """Ask whether to remove the selected class; `None` where none is selected."""
        name = self.selected
        if name is None:
            self._say(SELECT_FIRST, Level.WARNING)
            return None

        def accept() -> None:
            self._remove(lambda: self._store.remove_class(name))
            self._learner.request_training()
            removed = Text(
                "removed {name}: U puts it back; its pictures are in the project's trash folder",
                name=name,
            )
            self._say(removed)

        title = plural(
            "Remove {name} with its {count} picture?", "Remove {name} with its {count} pictures?",
            self.dataset.count(name), name=name,
        )  # fmt: skip
        return ConfirmDialog(title, accept, Text("U puts it back"))


_KEPT: Final = 500
"""What was removed before that can still be found in the project's trash. A long review of
pictures has to come back one by one."""

_KEPT_UNDONE: Final = 32
"""Likewise of what was undone: a person who records and undoes all day must not fill the memory."""


@dataclass(slots=True)
class _Removal:
    removed: Removed | Change
    by_undo: bool
    last_burst: str  # the newest one there was just before, or empty


class _Removals:
    """Remembers the newest removals, and other changes that can be taken back, the newest last."""

    def __init__(self) -> None:
        self._removals: list[_Removal] = []

    def add(self, removed: Removed | Change, *, by_undo: bool, last_burst: str) -> None:
        """Remember one; the undoing of a burst is not undone itself."""
        self._removals.append(_Removal(removed, by_undo, last_burst))
        del self._removals[:-_KEPT]
        undone = [removal for removal in self._removals if removal.by_undo]
        if len(undone) > _KEPT_UNDONE:
            self._removals.remove(undone[0])

    def move(self, change: Change, *, by_undo: bool, last_burst: str) -> None:
        """Take note that a change was taken back, or put back, just now."""
        self.forget(change)
        self.add(change, by_undo=by_undo, last_burst=last_burst)

    @property
    def newest(self) -> Removed | Change | None:
        """What was removed last, in whichever way, or what change was taken back last."""
        for removal in reversed(self._removals):
            if removal.by_undo or not isinstance(removal.removed, Change):
                return removal.removed
        return None

    def newer_than(self, last_burst: str) -> Removed | Change | None:
        """Return the last removal or change that came after the burst, but for what was undone."""
        for removal in reversed(self._removals):
            if not removal.by_undo:
                return removal.removed if removal.last_burst >= last_burst else None
        return None

    def forget(self, removed: Removed | Change) -> None:
        """Take note that something is back."""
        self._removals = [r for r in self._removals if r.removed is not removed]

    def rename(self, class_name: str, new_name: str) -> None:
        """Let what was removed of a class go back to it under its new name.

        A class that was removed as a whole keeps its name: the one that is renamed is another.
        """
        for removal in self._removals:
            gone = removal.removed
            if isinstance(gone, Change):
                gone.rename(class_name, new_name)
            elif not gone.whole_class and gone.class_name == class_name:
                removal.removed = replace(gone, class_name=new_name)
