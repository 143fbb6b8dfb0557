"""Where things lie in a project's folder, and whether a folder is one.

::

    project/
      project.json       classes, backbone, settings (see `project_file`)
      samples/<class>/   one picture file a sample: other tools read this as it is
      validation/<class>/  held out: measured on, never trained on; laid out like samples
      sources.jsonl      where imported samples came from
      trash/<n>/<class>/ what was undone or removed
      model/             heads
      backbone/<hash>/   a backbone fine-tuned on the samples (see `features.tuned`), or carried
                         compiled by a copy (see `features.carried`)
      cache/             can be deleted without loss
"""

from __future__ import annotations

import itertools
import os
import stat
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from edge_classifier.device.media import PICTURE_SUFFIXES
from edge_classifier.errors import NotAProjectError, ProjectError, ProjectFormatError
from edge_classifier.project.files import flush_folder, reported
from edge_classifier.project.lock import LOCK
from edge_classifier.project.project_file import FILE_NAME

SAMPLES: Final = "samples"
HELD_OUT: Final = "validation"
SOURCES: Final = "sources.jsonl"
TRASH: Final = "trash"
CACHE: Final = "cache"
MODEL: Final = "model"
BACKBONE: Final = "backbone"

_LOOK_AT: Final = 1000  # entries of a foreign folder, before giving up to say what it holds


def projects_folder(folder: Path | None = None) -> Path:
    """Return where projects without a name are made: in the current folder, or another one."""
    return (folder or Path.cwd()) / "projects"


def default_project_path(folder: Path | None = None, today: date | None = None) -> Path:
    """Name a project that does not exist yet, in the current folder: `projects/2026-11-30-1`."""
    day = (today or date.today()).isoformat()  # noqa: DTZ011 - the date on the user's own clock
    base = projects_folder(folder)
    paths = (base / f"{day}-{number}" for number in itertools.count(1))
    return next(path for path in paths if not os.path.lexists(path))


def is_project(path: Path) -> bool:
    """Say whether a folder is a project, be it one that lost its project file."""
    with reported("read", path):
        return (path / FILE_NAME).is_file() or (
            (path / LOCK).is_file() and (path / SAMPLES).is_dir()
        )


def is_blank(path: Path) -> bool:
    """Say whether there is nothing yet, or a folder that is empty but for hidden files."""
    with reported("read", path):
        if not os.path.lexists(path):
            return True
        return path.is_dir() and all(name.startswith(".") for name in os.listdir(path))  # noqa: PTH208 - names only


def checked_project(path: Path) -> Path:
    """Give the path of a project, or say why it cannot be opened.

    Raises:
        ProjectError: if it is none.
    """
    path = Path(path)
    if not is_project(path):
        raise refusal(path)
    check_layout(path)
    return path


def refusal(path: Path) -> ProjectError:
    """Make the error that says why a path cannot be opened, and what to do instead."""
    if is_blank(path):
        return NotAProjectError(
            f"There is no project at {path}; `edge-classifier live {path}` makes one."
        )
    if not path.is_dir():
        return ProjectError(f"{path} is a file; a project is a folder, so name another path.")
    if _holds_pictures(path):
        return NotAProjectError(
            f"{path} is not a project, but a folder of pictures; "
            f"`edge-classifier add NEW_PROJECT {path}` imports them."
        )
    return NotAProjectError(
        f"{path} is not a project and not empty; name a new or an empty folder."
    )


def check_layout(path: Path) -> None:
    """Refuse a project in which something else stands where a folder or a file of its own belongs.

    A link, in a project of somebody else, could make us read or write outside it; a pipe would be
    waited for. Links among samples are no samples (`sample_files`).

    Raises:
        ProjectFormatError: naming it.
        ProjectError: if a folder cannot be read.
    """
    for name in (SAMPLES, HELD_OUT, TRASH, CACHE, MODEL, BACKBONE):
        check_folder(path / name)
    for name in (FILE_NAME, LOCK, SOURCES):
        _check_file(path / name)
    folders = [path / name for name in (CACHE, MODEL, BACKBONE) if (path / name).exists()]
    for folder in folders:  # which grows meanwhile
        with reported("read", folder):
            entries = list(folder.iterdir())
        for entry in entries:
            _check_file(entry, or_folder=True)
        if folder.name == BACKBONE:
            folders += [entry for entry in entries if entry.is_dir()]


def _check_file(path: Path, *, or_folder: bool = False) -> None:
    with reported("read", path), suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or (or_folder and stat.S_ISDIR(mode))):
            raise ProjectFormatError(
                f"{path} has to be a file of the project's own, not a folder, a link, a pipe or a "
                "device; move it away."
            )


def check_folder(folder: Path) -> None:
    """Refuse a file or a link in a folder's place; that nothing is there is fine.

    Raises:
        ProjectFormatError: naming it.
    """
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
        raise ProjectFormatError(
            f"{folder} has to be a folder of its own, not a file or a link; move it away."
        )


def make_folder(path: Path) -> None:
    """Make a folder with those that it lies in, safe from a power cut; one may be there.

    Raises:
        ProjectError: if it cannot be made.
    """
    with reported("make the folder", path):
        new = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for folder in new:
            flush_folder(folder.parent)


def make_way(target: Path, folder: Path) -> None:
    """Make sure that a folder can take the name `target`.

    Raises:
        ProjectError: if another one that holds something has it.
    """
    if target.exists() and not target.samefile(folder):  # the same, if only the case changes
        with suppress(OSError):
            target.rmdir()
        if target.exists():
            raise ProjectError(f"There is a folder {target} already; move it away.")


def move_all(action: str, moves: list[tuple[Path, Path]]) -> None:
    """Rename folders, all or none.

    Raises:
        ProjectError: if one cannot be; then the others are as before.
    """
    done: list[tuple[Path, Path]] = []
    for source, target in moves:
        with reported(action, source):
            try:
                source.rename(target)
            except OSError:
                for moved, place in reversed(done):
                    with suppress(OSError):
                        place.rename(moved)
                raise
        done.append((source, target))


def _holds_pictures(path: Path) -> bool:
    with reported("read", path):
        entries = list(itertools.islice(os.scandir(path), _LOOK_AT))
        for folder in [entry for entry in entries if entry.is_dir(follow_symlinks=False)]:
            if len(entries) < _LOOK_AT and os.access(folder, os.R_OK | os.X_OK):
                entries += itertools.islice(os.scandir(folder), _LOOK_AT - len(entries))
    return any(Path(entry.name).suffix.lower() in PICTURE_SUFFIXES for entry in entries)
