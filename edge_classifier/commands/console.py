"""What commands say: notes and progress on standard error, answers on standard output."""

from __future__ import annotations

import sys
import time
import unicodedata
from typing import TYPE_CHECKING, Final, TextIO

from edge_classifier.learning import workbench
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from edge_classifier.device.frame import Clock

_OPENING: Final = "opening the project"


def open_for_writing(path: Path) -> ProjectStore:
    """Open a project that is there.

    Raises:
        ProjectError: as `ProjectStore.open` does.
    """
    with ProgressLine(_OPENING) as progress:
        return ProjectStore.open(path, progress=progress)


def open_for_reading(path: Path) -> ProjectStore:
    """Open a project, also one that is open elsewhere or may not be written.

    Raises:
        ProjectError: if it cannot be opened.
    """
    with ProgressLine(_OPENING) as progress:
        return workbench.open_for_reading(path, progress)


def open_or_create(
    path: Path, class_names: Iterable[str] = (), *, as_possible: bool = False
) -> ProjectStore:
    """Open a project, or make it; see `ProjectStore.open_or_create`.

    Raises:
        EdgeClassifierError: as that does.
    """
    with ProgressLine(_OPENING) as progress:
        return ProjectStore.open_or_create(
            path, class_names, as_possible=as_possible, progress=progress
        )


_BAR_CELLS: Final = 24
_REFRESH_S: Final = 0.1
_WIDE: Final = "FW"
_STEERING: Final = frozenset({"Cc", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Change the direction of what follows: `gpj.exe` can be made to look like `exe.jpg`."""


def say(text: str) -> None:
    """Tell the user something that is not the answer."""
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()


def one_line(text: str) -> str:
    """Escape what a file's name could steer a terminal with, or break the line."""
    return "".join(
        ascii(c)[1:-1] if unicodedata.category(c) in _STEERING or c in _TURNING else c for c in text
    )


class ProgressLine:
    """One line that shows how far a work is; a `protocols.Progress`.

    Drawn only on a terminal, so that a log gets no thousand lines.

    Args:
        what: What is being done.
        stream: Where to; standard error if not given.
        clock: Monotonic seconds.
    """

    def __init__(
        self, what: str, stream: TextIO | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._clock = clock
        self._next_s = 0.0
        self._width = 0
        self._drawn = self._stream.isatty()

    def __enter__(self) -> Self:
        """Return itself; the line is wiped at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe the line."""
        self.close()

    def __call__(self, done: float, what: str | None = None, /) -> None:
        """Show the part done, 0.0 to 1.0, and what is being done where that has changed."""
        if what is not None:
            self._what = what
        now = self._clock()
        if not self._drawn or now < self._next_s:
            return
        self._next_s = now + _REFRESH_S
        filled = round(max(0.0, min(1.0, done)) * _BAR_CELLS)
        bar = "█" * filled + "░" * (_BAR_CELLS - filled)
        self._draw(f"{bar} {done:4.0%}  {self._what}")

    def close(self) -> None:
        """Wipe the line; may be called twice."""
        if self._width:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        width = display_width(text)
        before, self._width = self._width, max(self._width, width)  # Ctrl-C may end this here
        self._stream.write("\r" + text + " " * max(0, before - width))
        self._stream.flush()
        self._width = width


def display_width(text: str) -> int:
    """Count the cells that a text takes on a terminal; East Asian characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1
        for c in text
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table: the first column to the left, the others to the right.

    Args:
        header: Titles of the columns.
        rows: As many cells each.

    Returns:
        Its lines, each ended.
    """
    lines = [header, *rows]
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    return "".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - display_width(cell))
        padded.append(space + cell if n else cell + space)
    return "  ".join(padded).rstrip() + "\n"


def percent(part: float | None) -> str:
    """Write a part of all, 0.0 to 1.0, as a cell of a table; empty where it is not known."""
    return "" if part is None else f"{part:.1%}"
