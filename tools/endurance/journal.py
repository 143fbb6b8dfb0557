"""What a victim tells before it is killed: one JSON array a line, outside the project.

::

    ["shown", [[sha256, class], …], [[sha256, class], …]]   in the picture now, no longer in it
    ["begin", operation, detail]                            about to be handed to the program
    ["key", key]                                            pressed
    ["end", operation, seconds, calls]                      the picture shows that it is done
    ["ended", status]                                       from the nursery, of the process

Each line is one unbuffered `write` to a file that is only appended to: what a dead process has
told is there to be read.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Journal:
    """The writing end.

    Args:
        path: The file; appended to.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def tell(self, *what: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Write one line."""
        os.write(self._descriptor, (json.dumps(what) + "\n").encode())


class Tail:
    """The reading end: gives the lines that have come since it was asked last.

    Args:
        path: The file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def lines(self) -> list[list[Any]]:
        """Read what is new and complete."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        complete = data[: data.rfind(b"\n") + 1]
        self._read += len(complete)
        return [json.loads(line) for line in complete.splitlines()]


@dataclass
class Acknowledged:
    """What the picture has shown, and what the user had asked for that may not be shown yet.

    Attributes:
        samples: Class by sample, as last shown.
        gone: Samples that were shown, and then shown to be gone.
        removing: Samples that the last request to remove was about.
        renaming: Old and new name of the last request to rename.
        under_way: The operation that has begun and not ended; empty between operations.
        saved: Where a copy was to be saved last, and with how many samples at least.
        last: The operation that ended last.
        seconds: How long that took.
        calls: How often it changed the file system.
        status: The exit status of the process, once it is dead.
        problems: What the victim itself found wrong.
    """

    samples: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    removing: set[str] = field(default_factory=set)
    renaming: tuple[str, str] | None = None
    under_way: str = ""
    saved: tuple[str, int] | None = None
    last: str = ""
    seconds: float = 0.0
    calls: int = 0
    status: int | None = None
    problems: list[str] = field(default_factory=list)

    def take(self, line: list[Any]) -> None:
        """Take note of one line of the journal."""
        kind, *rest = line
        if kind == "shown":
            self._take_shown(dict(rest[0]), dict(rest[1]))
        elif kind == "begin":
            self._take_beginning(*rest)
        elif kind == "end":
            self.last, self.seconds, self.calls = rest
            self.under_way = ""
        elif kind == "ended":
            self.status = rest[0]
        elif kind == "problem":
            self.problems.append(rest[0])

    def _take_shown(self, added: dict[str, str], gone: dict[str, str]) -> None:
        for sha in gone:
            self.samples.pop(sha, None)
        self.samples.update(added)
        self.gone |= gone.keys()
        self.gone -= added.keys()

    def _take_beginning(self, operation: str, detail: Any) -> None:  # noqa: ANN401 - from JSON
        self.under_way = operation
        if operation in ("undo", "remove"):
            self.removing = set(detail)
        if operation in ("undo", "restore"):  # which may put back what was removed before
            self.gone.clear()
        if operation == "rename":
            self.renaming = (detail[0], detail[1])
        if operation == "save":
            self.saved = (detail[0], detail[1])


@dataclass(frozen=True)
class Order:
    """What a victim is to do.

    Attributes:
        project: The project's folder.
        journal: Where to tell.
        operation: What it is killed at.
        seed: Decides on the rest.
        at_call: At which change of the file system it kills itself; `None` if it is killed.
        sources: What `import` adds.
    """

    project: str
    journal: str
    operation: str
    seed: int
    at_call: int | None = None
    sources: tuple[str, ...] = ()
