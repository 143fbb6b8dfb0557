"""Which projects there are to go on with: those of the default folder, and those opened lately."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from edge_classifier.device.files import read_regular, write_atomic
from edge_classifier.errors import ProjectError
from edge_classifier.project.folder import SAMPLES, checked_project, projects_folder
from edge_classifier.project.project_file import FILE_NAME, read_project_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_log = logging.getLogger(__name__)

_MOST: Final = 5
_MOST_KEPT: Final = 20
_MOST_LOOKED_AT: Final = 200
_PATIENCE_S: Final = 2.0
_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownProject:
    """A project that can be gone on with.

    Attributes:
        path: As it was given; absolute.
        classes: How many it has.
        changed_s: When pictures or classes were last added or removed, in seconds since 1970.
    """

    path: Path
    classes: int
    changed_s: float

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.path.name


def opened_list() -> Path:
    """Return the file that lists what was opened lately, in this user's data."""
    return Path(platformdirs.user_data_dir("edge-classifier")) / "opened.json"


def remember_opened(path: Path, file: Path | None = None) -> None:
    """Note that a project was opened; where that cannot be kept, it is not."""
    file = file or opened_list()
    path = path.absolute()
    paths = [path, *(other for other in _opened(file) if other != path)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, json.dumps([str(p) for p in paths[:_MOST_KEPT]]).encode())
    except OSError as error:
        _log.info("%s was not written: %s.", file, error)


def known_projects(folder: Path | None = None, file: Path | None = None) -> list[KnownProject]:
    """Find the projects that were changed last, at most five, the newest first.

    They are those where new ones are made by default in a `folder` (the current one), and those of
    `file`, the list of what was opened. What cannot be read, and what is empty, is left out.
    """
    there = {path.resolve(): path for path in _paths(folder, file or opened_list())}
    dated = sorted(((_changed_s(path), path) for path in there.values()), reverse=True)
    known: list[KnownProject] = []
    for changed_s, path in dated[:_MOST_LOOKED_AT]:
        with suppress(ProjectError):
            classes = len(read_project_file(checked_project(path) / FILE_NAME).classes)
            if classes:
                known.append(KnownProject(path, classes, changed_s))
        if len(known) == _MOST:
            break
    return known


def _paths(folder: Path | None, file: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (path for path in projects_folder(folder).iterdir() if _is_there(path))
    yield from those_there(_opened(file))


def _is_there(path: Path) -> bool:
    with suppress(OSError, ValueError):  # what nobody may look into, what can be no path
        return (path / FILE_NAME).is_file()
    return False


def those_there(
    paths: Sequence[Path],
    is_there: Callable[[Path], bool] = _is_there,
    *,
    patience_s: float = _PATIENCE_S,
) -> list[Path]:
    """Return those where a project is, as far as their disks answer within some seconds.

    A server that is off lets a question wait for minutes; nothing can break that off.
    """
    found: dict[Path, bool] = {}

    def look(path: Path) -> None:
        found[path] = is_there(path)

    threads = [threading.Thread(target=look, args=(path,), daemon=True) for path in paths]
    deadline_s = time.monotonic() + patience_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    answers = dict(found)
    silent = [str(path) for path in paths if path not in answers]
    if silent:
        _log.warning("Not offered, as its disk does not answer: %s.", ", ".join(silent))
    return [path for path in paths if answers.get(path)]


def _opened(file: Path) -> list[Path]:
    try:
        paths = json.loads(read_regular(file, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):  # none yet, or damaged: it is only a help
        return []
    return (
        [Path(path) for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
    )


def _changed_s(path: Path) -> float:
    """Return when a project file, or a folder of samples, has last changed."""
    times = [0.0]
    with suppress(OSError):
        times.append((path / FILE_NAME).stat().st_mtime)
        times += [
            entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(path / SAMPLES)
        ]
    return max(times)
