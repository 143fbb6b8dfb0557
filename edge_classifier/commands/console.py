"""What commands say: notes and progress on standard error, answers on standard output.

And how they are stopped.
"""

from __future__ import annotations

import errno
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import check_replaceable
from edge_classifier.errors import NotAProjectError, ProjectError
from edge_classifier.progress import ProgressMeter
from edge_classifier.project import store as project_store
from edge_classifier.project.files import reported
from edge_classifier.project.folder import is_project
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

_OPENING: Final = "opening the project"

BUNDLE_WRITTEN: Final = "The bundle is in {folder}; copy it to the device and read its README.md."
"""What is said of a bundle, once it is whole."""


def as_word(path: Path) -> str:
    """Spell a path so that a shell takes it for one word, as part of a command to copy."""
    return subprocess.list2cmdline([path]) if sys.platform == "win32" else shlex.quote(str(path))


@contextmanager
def _opening(path: Path) -> Iterator[ProgressMeter]:
    """Show that a project is being opened; a model of another program is told for what it is."""
    try:
        with ProgressMeter(_OPENING) as progress:
            yield progress
    except ProjectError as error:
        from edge_classifier.project.importers.other_models import recognise  # noqa: PLC0415 - the importers take 15 ms

        if not is_project(path) and (model := recognise(path)):
            raise NotAProjectError(model.line) from error
        raise


def open_for_writing(path: Path) -> ProjectStore:
    """Open a project that is there, as `ProjectStore.open` does."""
    with _opening(path) as progress:
        return ProjectStore.open(path, progress=progress)


def open_for_reading(path: Path) -> ProjectStore:
    """Open a project, also one that is open elsewhere or may not be written."""
    with _opening(path) as progress:
        return project_store.open_for_reading(path, progress)


def open_or_create(
    path: Path, class_names: Iterable[str] = (), *, as_possible: bool = False
) -> ProjectStore:
    """Open a project, or make it, as `ProjectStore.open_or_create` does."""
    with _opening(path) as progress:
        return ProjectStore.open_or_create(
            path, class_names, as_possible=as_possible, progress=progress
        )


def check_report(path: Path | None) -> None:
    """See that a report, if one is asked for, can be written, before what takes long is begun.

    Raises:
        ProjectError: if it cannot be.
    """
    if path is not None:
        with reported("write", path):
            check_replaceable(path)
            if not path.parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


@contextmanager
def stopped_by_ctrl_c(*, or_sigterm: bool = False) -> Iterator[Event]:
    """Let the first Ctrl-C end the work after the picture in hand, and a second one at once."""
    stop = Event()
    numbers = (signal.SIGINT, signal.SIGTERM) if or_sigterm else (signal.SIGINT,)
    # One that is ignored stays so: Ctrl-C is not meant for a shell's background job.
    before = {n: handler for n in numbers if callable(handler := signal.getsignal(n))}

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            before[signal.Signals(number)](number, frame)
        stop.set()

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_NO_LIMIT: Final = 10_000
"""Columns of a table in a file."""


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = (0,)
) -> str:
    """Lay out a table: some columns to the left, the others to the right.

    Cells of a table that is wider than the terminal are broken; no line is broken in a file.

    Returns:
        Its lines, each ended.
    """
    from rich.console import Console  # noqa: PLC0415 - 50 ms that only answers in tables pay
    from rich.table import Table  # noqa: PLC0415 - as above

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _NO_LIMIT
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="", show_edge=False)
    for number, title in enumerate(header):
        grid.add_column(title, justify="left" if number in left else "right", overflow="fold")
    for cells in rows:
        grid.add_row(*cells)
    text = io.StringIO()
    Console(file=text, width=width, markup=False, highlight=False, emoji=False).print(grid)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def percent(part: float | None) -> str:
    """Write a part of all, 0.0 to 1.0, as a cell of a table; empty where it is not known."""
    return "" if part is None else f"{part:.1%}"
