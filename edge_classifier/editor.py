"""Changing classes and samples: on disk first, then in what is learned and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.coach import key_of
from edge_classifier.dataset import Dataset
from edge_classifier.dialogs import ConfirmDialog, TextDialog
from edge_classifier.frame import BACKGROUND
from edge_classifier.presenter import pictures
from edge_classifier.view import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.learner import Learner
    from edge_classifier.presenter import Presenter
    from edge_classifier.protocols import SampleStore
    from edge_classifier.recorder import Recorded

_SELECT_FIRST = "select a class with the arrow keys first"


class Editor:
    """Keeps the dataset, the learner and the presenter in step with the store.

    Args:
        store: The project on disk.
        learner: Is told what has changed.
        presenter: Likewise.
        say: Shows a line in the picture.
    """

    def __init__(
        self,
        store: SampleStore,
        learner: Learner,
        presenter: Presenter,
        say: Callable[[str, Level], None],
    ) -> None:
        self._store = store
        self._learner = learner
        self._presenter = presenter
        self._say = say
        self.selected: str | None = None
        self.dataset = Dataset((), ())
        self.reload()

    def reload(self) -> None:
        """Take over what the store has."""
        self.dataset = Dataset(self._store.class_names(), self._store.samples())
        self._learner.dataset_changed(self.dataset)
        if self.selected not in self.dataset.class_names:
            self.selected = None
        self._presenter.dataset_changed(self.dataset)

    def class_of_digit(self, digit: int) -> str | None:
        """Return the class of a digit key; the first free digit makes one, others have none.

        Raises:
            ProjectError: if the new class cannot be written.
        """
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
            ProjectError: if it cannot be written.
        """
        if class_name not in self.dataset.class_names:
            class_name = self._store.add_class(class_name)
            self.reload()
        self.selected = class_name
        return class_name

    def remember(self, recorded: list[Recorded]) -> None:
        """Take note of new samples and their features."""
        try:
            for one in recorded:
                if one.features is not None:
                    self._learner.remember(one.sample, one.features)
        finally:  # the samples are there, even if their features could not be kept
            if recorded:
                self.reload()

    def move_selection(self, by: int) -> None:
        """Select the next class, or the one before."""
        names = self.dataset.class_names
        if names and self.selected is None:
            self.selected = names[0 if by > 0 else -1]
        elif names:
            self.selected = names[(names.index(self.selected or "") + by) % len(names)]

    def undo(self) -> None:
        """Take back the last burst.

        Raises:
            ProjectError: if it cannot be moved to the trash.
        """
        burst = self.dataset.last_burst
        if not burst:
            self._say("nothing to undo", Level.WARNING)
            return
        self._store.remove_burst(burst[0].burst_id)
        self.reload()
        self._learner.request_training()
        if not self.dataset.count(burst[0].class_name):
            self._learner.class_removed(burst[0].class_name)
        self._say(f"undone: {pictures(len(burst))} of {burst[0].class_name}", Level.INFO)

    def new_class_dialog(self) -> TextDialog:
        """Ask for the name of a new class; Tab renames the selected one instead."""

        def accept(text: str) -> None:
            name = self._store.add_class(text)
            self.reload()
            self.selected = name
            key = key_of(self.dataset.class_names, name, BACKGROUND)
            how = f"hold {key}" if key else "hold space"
            self._say(f"{name}: {how} to record it", Level.INFO)

        return TextDialog(
            "Name of the new class",
            "Enter adds it · Esc cancels" + (" · Tab renames" if self.selected else ""),
            accept,
            alternative=self._rename_dialog if self.selected else None,
        )

    def _rename_dialog(self) -> TextDialog:
        old = self.selected or ""

        def accept(text: str) -> None:
            new = self._store.rename_class(old, text)
            self._learner.class_renamed(old, new)
            self.reload()
            self.selected = new
            self._learner.request_training()

        return TextDialog(f"New name of {old}", "Enter renames · Esc cancels", accept, text=old)

    def remove_dialog(self) -> ConfirmDialog | None:
        """Ask whether to remove the selected class; `None` where none is selected."""
        name = self.selected
        if name is None:
            self._say(_SELECT_FIRST, Level.WARNING)
            return None

        def accept() -> None:
            self._store.remove_class(name)
            self._learner.class_removed(name)
            self.reload()
            self._learner.request_training()
            text = f"removed {name}; its pictures are in the project's trash folder"
            self._say(text, Level.INFO)

        count = pictures(self.dataset.count(name))
        return ConfirmDialog(f"Remove {name} with its {count}?", accept)
