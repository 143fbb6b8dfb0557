"""Opening a project from the command line: with a line that shows how far it is.

All pictures are read where their hashes are not known yet: 20,000 take some seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier import workbench
from edge_classifier.adapters.store import ProjectStore
from edge_classifier.commands.console import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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
