"""What a victim's user does: keys in answer to what the picture shows, as generators.

Each step of a generator is one picture: it yields what is pressed or let go while the picture is
looked at, or `None`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.live.display import Press, Release
from endurance.disks import fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.live.display import Event
    from edge_classifier.live.view import ClassCard
    from endurance.camera import ScriptedCamera
    from endurance.watch import Watch

Keys: TypeAlias = Generator["str | Event | None", None, None]

OPERATIONS: Final = (
    "start", "capture", "undo", "restore", "rename", "remove", "train", "save", "features", "export"
)  # fmt: skip
"""What a victim in a window can be killed at; `import` is done by another command."""

_PATIENCE_S: Final = 600.0
_FEW: Final = 4
_MANY: Final = 400
_FULL: Final = "the disk is full"
_SPARE_BYTES: Final = 500_000
_NAMES: Final = ("mug", "tomato", "Straße", "växt", "手", "old phone", "x" * 60, "ärm", "Ünit")


class User:
    """Does things in the window.

    Args:
        watch: What the picture shows, and what is told of it.
        camera: Shows what is recorded.
        seed: Decides on what is done.
        copies: Where copies of the project go.
    """

    def __init__(self, watch: Watch, camera: ScriptedCamera, seed: int, copies: Path) -> None:
        self._watch = watch
        self._camera = camera
        self._chance = random.Random(seed)  # noqa: S311 - a script, no secret
        self._seed = seed
        self._copies = copies

    def do(self, operation: str) -> Keys:
        """Get ready, do an operation once or more, and go on watching until killed."""
        if operation == "features":
            yield from self._features()
        else:
            yield from self._until(lambda: self._watch.ready)
            self._watch.end("start")
            if operation != "start":
                yield from self._prepare()
                yield from self._wait(self._chance.uniform(0, 0.3))
                yield from getattr(self, f"_{operation}")()
        while True:
            yield None

    # Operations

    def _capture(self) -> Keys:
        for _ in range(3):
            self._watch.begin("capture")
            yield from self._record(self._chance.uniform(0.3, 1.2))
            self._watch.end("capture")

    def _undo(self) -> Keys:
        for _ in range(3):
            yield from self._change("undo", "u", self._watch.last_burst())

    def _restore(self) -> Keys:
        for _ in range(3):
            yield from self._change("undo", "u", self._watch.last_burst())
            yield from self._change("restore", "z")

    def _rename(self) -> Keys:
        for _ in range(3):
            card = yield from self._select()
            old = card.name
            new = old.swapcase() if self._chance.random() < 0.2 else self._new_name()  # noqa: PLR2004 - now and then
            yield "n"
            yield from self._replace_typed(new)
            self._watch.begin("rename", [old, new])
            yield "enter"
            yield from self._until(lambda new=new: new in self._watch.names)  # type: ignore[misc]  # mypy infers no default
            self._watch.end("rename")

    def _remove(self) -> Keys:
        card = yield from self._select()
        yield "x"
        yield from self._until(lambda: self._watch.view.prompt is not None)
        self._watch.begin("remove", self._watch.samples_of(card.name))
        yield "y"
        yield from self._until(lambda: card.name not in self._watch.names)
        self._watch.end("remove")

    def _train(self) -> Keys:
        for _ in range(5):
            self._watch.begin("train")
            yield "t"
            yield None
            yield from self._until(lambda: not self._watch.busy)
            self._watch.end("train")

    def _save(self) -> Keys:
        target = self._copies / f"copy-{self._seed}"
        yield "s"
        yield from self._replace_typed(str(target))
        yield from self._until(lambda: not self._watch.busy)
        self._watch.begin("save", [str(target), self._watch.total])
        yield "enter"
        yield from self._until(lambda: self._watch.said.startswith("saved"))
        self._watch.end("save")

    def _export(self) -> Keys:
        self._watch.begin("export")
        yield "e"
        yield from self._until(lambda: self._watch.said.startswith(("exported", "The", "Cannot")))
        self._watch.end("export")
        if not self._watch.said.startswith("exported"):
            self._watch.problem(f"the export failed: {self._watch.said}")

    def _features(self) -> Keys:
        yield from self._until(lambda: "looking at the pictures" in self._watch.view.activity.text)
        self._watch.end("start")
        self._watch.begin("features")
        yield from self._until(lambda: not self._watch.busy)
        self._watch.end("features")

    def _full(self) -> Keys:
        """Record until the disk is full, try everything, make room and try it again."""
        self._watch.begin("full")
        filler = fill(self._copies, _SPARE_BYTES)
        while _FULL not in self._watch.said:
            yield from self._record(0.5)
        shown = self._watch.total
        yield from self._record(0.5)
        yield from self._expect(lambda: _FULL in self._watch.said, "a line that the disk is full")
        yield from self._expect(lambda: self._watch.total == shown, "no picture more")
        for key in ("t", "e"):
            yield key
            yield from self._expect(lambda: _FULL in self._watch.said, f"the same after {key}")
            yield from self._until(lambda: not self._watch.busy and not self._watch.said)
        yield "s"
        yield from self._replace_typed(str(self._copies / f"copy-{self._seed}"))
        yield "enter"
        yield from self._expect(lambda: _FULL in self._watch.said, "the same after saving a copy")
        filler.unlink()
        yield from self._record(0.5)
        yield from self._expect(lambda: self._watch.total > shown, "more pictures again")
        yield from self._until(lambda: not self._watch.busy)
        yield from self._save()
        yield from self._export()
        self._watch.end("full")

    # What they are made of

    def _expect(self, done: Callable[[], bool], what: str) -> Keys:
        """Wait until the picture shows something, and tell where it never does."""
        yield from self._until(done)
        if not done():
            self._watch.problem(f"there should be {what}; the picture says {self._watch.said!r}")

    def _prepare(self) -> Keys:
        """See to it that there are classes with pictures, and not ever more of them."""
        while len(self._watch.names) > 2 * _FEW or self._watch.total > _MANY:
            yield from self._remove()
        while sum(card.count > 0 for card in self._watch.view.cards) < _FEW:
            yield "+"
            name = self._new_name()
            yield from name
            yield "enter"
            yield from self._until(lambda name=name: name in self._watch.names)  # type: ignore[misc]  # mypy infers no default
            yield from self._record(0.3, name)
        yield from self._record(self._chance.uniform(0.2, 0.6))

    def _change(self, operation: str, key: str, detail: object = None) -> Keys:
        shown = self._watch.total
        self._watch.begin(operation, detail)
        yield key
        yield from self._until(lambda: self._watch.total != shown)
        self._watch.end(operation)

    def _record(self, seconds: float, name: str | None = None) -> Keys:
        card = yield from self._select(name)
        # The colour stays with a class, whatever it is called: the same thing is shown again.
        self._camera.thing = hash(card.colour) % 97
        yield from self._wait(0.1)
        until = time.monotonic() + seconds
        yield Press(" ")
        while time.monotonic() < until:
            yield None
        yield Release(" ")
        yield from self._until(lambda: not self._watch.view.activity.recording)

    def _select(self, name: str | None = None) -> Generator[str | Event | None, None, ClassCard]:
        name = name or self._chance.choice(self._watch.names)
        while True:
            for card in self._watch.view.cards:
                if card.name == name and card.selected:
                    return card
            yield "down"

    def _replace_typed(self, text: str) -> Keys:
        yield from self._until(lambda: self._watch.typed is not None)
        while self._watch.typed:
            yield "backspace"
        yield from text
        yield from self._until(lambda: self._watch.typed == text)

    def _new_name(self) -> str:
        return f"{self._chance.choice(_NAMES)} {self._seed}-{self._chance.randrange(1000)}"

    def _wait(self, seconds: float) -> Keys:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yield None

    def _until(self, done: Callable[[], bool]) -> Keys:
        """Look at the picture until it shows what was expected."""
        deadline = time.monotonic() + _PATIENCE_S
        while not done():
            if time.monotonic() > deadline:
                self._watch.problem(f"waited in vain; the picture says {self._watch.said!r}")
                return
            yield None
