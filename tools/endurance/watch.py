"""What a victim's picture acknowledges, told in the journal at the moment it is drawn."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from support.fakes import FakeDisplay

from edge_classifier.live.display import Press
from edge_classifier.screen.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.features.dataset import Dataset
    from edge_classifier.live.display import Event
    from edge_classifier.live.session import Session
    from edge_classifier.live.view import View
    from endurance.journal import Journal

if sys.platform == "win32":
    raise ImportError("Windows has no process groups.")

_CHANGES: Final = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"})
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Fuse:
    """Kills the whole process group at the n-th change of the file system from an armed moment on.

    A kill by the clock rarely falls between two system calls that are microseconds apart; the
    interpreter tells of each beforehand (`sys.addaudithook`).

    Args:
        at_call: Which change it is killed at, counted from 1; `None` only counts them.
    """

    def __init__(self, at_call: int | None) -> None:
        self.calls = 0
        self.armed = False
        self._at_call = at_call
        sys.addaudithook(self._on_event)

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in _CHANGES or (event == "open" and (arguments[2] or 0) & _WRITING):
            self.calls += 1
            if self.calls == self._at_call:
                os.killpg(0, signal.SIGKILL)


class Watch(FakeDisplay):
    """Draws as the window does, and tells what was drawn.

    Args:
        journal: Where it is told.
        fuse: Armed at the operation that the victim is to be killed at.
        operation: That operation.
    """

    def __init__(self, journal: Journal, fuse: Fuse, operation: str) -> None:
        super().__init__(keep=1)
        self._journal = journal
        self._fuse = fuse
        self._operation = operation
        self._overlay = Overlay()
        self._told: dict[str, str] = {}
        self._began_s = 0.0

    def look_at(self, session: Session, keys: Iterator[str | Event | None]) -> None:
        """Say what will be shown, and what is pressed while it is looked at."""
        self._session = session
        self._keys = keys
        self._dataset: Dataset | None = None
        self.view: View = session.view()

    def show(self, view: View) -> None:
        """Draw; what the picture counts from now on is acknowledged. Then the script goes on."""
        self.view = view
        if self._session.dataset is not self._dataset:
            self._tell_what_is_shown()
        self._overlay.draw(view)
        super().show(view)

    def happens(self, event: Event) -> None:
        """Tell what is pressed."""
        if isinstance(event, Press):
            self._journal.tell("key", event.name)
        super().happens(event)

    def _tell_what_is_shown(self) -> None:
        dataset = self._dataset = self._session.dataset
        counts = {card.name: card.count for card in self.view.cards}
        if counts != {name: dataset.count(name) for name in dataset.class_names}:
            self.problem(f"the picture counts {counts}")
        samples = {sample.image_sha256: sample.class_name for sample in dataset.samples}
        if len(samples) != len(dataset.samples):
            self.problem("the same picture is there twice")
        added = samples.items() - self._told.items()
        gone = self._told.items() - samples.items()
        self._journal.tell("shown", sorted(added), sorted(gone))
        self._told = samples

    # What the script asks and tells

    @property
    def names(self) -> tuple[str, ...]:
        """The classes in the picture."""
        return tuple(card.name for card in self.view.cards)

    @property
    def total(self) -> int:
        """The pictures that it counts."""
        return sum(card.count for card in self.view.cards)

    @property
    def said(self) -> str:
        """The line that it shows."""
        return self.view.message.text if self.view.message else ""

    @property
    def typed(self) -> str | None:
        """What stands in its question, if it asks for a text."""
        return self.view.prompt.text if self.view.prompt else None

    @property
    def ready(self) -> bool:
        """Whether there is a backbone."""
        return bool(self._session.learner.note)

    @property
    def busy(self) -> bool:
        """Whether the worker works."""
        return self._session.busy

    def last_burst(self) -> list[str]:
        """What an undo would take."""
        return [sample.image_sha256 for sample in self._session.dataset.last_burst]

    def samples_of(self, class_name: str) -> list[str]:
        """The samples of a class."""
        samples = self._session.dataset.samples
        return [s.image_sha256 for s in samples if s.class_name == class_name]

    def begin(self, operation: str, detail: object = None) -> None:
        """Tell that the next key, or what is going on, is an operation."""
        self._journal.tell("begin", operation, detail)
        self._began_s = time.monotonic()
        self._fuse.calls = 0
        self._fuse.armed = operation == self._operation

    def end(self, operation: str) -> None:
        """Tell that the picture shows it done."""
        seconds, calls = time.monotonic() - self._began_s, self._fuse.calls
        self._fuse.armed = False
        self._journal.tell("end", operation, seconds, calls)

    def problem(self, what: str) -> None:
        """Tell that something is wrong."""
        self._journal.tell("problem", what)
