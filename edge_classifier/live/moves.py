"""Pictures that were moved to another class, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError, TrashEmptiedError
from edge_classifier.languages.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Sample


@dataclass(slots=True, eq=False)
class Move:
    """Pictures on their way from a class to another one and back; knows them by their names there.

    `changed` is called once they have moved, and `relearn` where that was taken back or done again.
    """

    store: ProjectStore
    say: Say
    changed: Callable[[], None]
    relearn: Callable[[], None]
    from_class: str
    to_class: str
    _names: frozenset[str] = field(default=frozenset())

    def begin(self, samples: Sequence[Sample]) -> None:
        """Move them for the first time.

        Raises:
            TrashEmptiedError: if none of them is there any longer.
            ProjectError: if they cannot be moved; then it is `begun` if some were.
        """
        self._names = frozenset(sample.path.name for sample in samples)
        there = self._names_in(self.to_class)
        try:
            self._go(self.from_class, self.to_class)
        except EdgeClassifierError:
            self._names = self._names_in(self.to_class) - there
            raise

    @property
    def begun(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._names)

    def take_back(self, done: Callable[[], None]) -> None:
        """Move them back; a `Change`'s way."""
        self._go(self.to_class, self.from_class, done)

    def put_back(self, done: Callable[[], None]) -> None:
        """Move them once more; likewise."""
        self._go(self.from_class, self.to_class, done)

    def rename(self, class_name: str, new_name: str) -> None:
        """Take note that a class has another name."""
        self.from_class = new_name if self.from_class == class_name else self.from_class
        self.to_class = new_name if self.to_class == class_name else self.to_class

    def _names_in(self, class_name: str) -> frozenset[str]:
        there = self.store.now().of_class.get(class_name, ())
        return frozenset(sample.path.name for sample in there)

    def _go(self, before: str, after: str, done: Callable[[], None] | None = None) -> None:
        there = self.store.now().of_class.get(before, ())
        samples = [sample for sample in there if sample.path.name in self._names]
        try:
            moved = self.store.move_samples(samples, after) if samples else []
        finally:
            self.changed()  # some may have moved before it failed
        if done:
            done()
            self.relearn()
        if not moved:
            raise TrashEmptiedError(
                f"The pictures are no longer in {before}, so they cannot be moved to {after}."
            )
        self._names = frozenset(sample.path.name for sample in moved)
        if done:
            went = plural(
                "{count} picture of {old} went to {new}",
                "{count} pictures of {old} went to {new}",
                len(moved),
                old=before,
                new=after,
            )
            self.say(went)
