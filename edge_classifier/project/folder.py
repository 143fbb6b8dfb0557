"""Where things lie in a project's folder, and whether a folder is one.

::

    project/
      project.json       classes, backbone, settings (see `project_file`)
      samples/<class>/   one picture file a sample: other tools read this as it is
      validation/<class>/  held out: measured on, never trained on; laid out like samples
      sources.jsonl      where imported samples came from
      trash/<n>/<class>/ what was undone or removed
      model/             heads
      backbone/<hash>/   a backbone fine-tuned on the samples (see `tuned_backbone`)
      cache/             can be deleted without loss
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import (
    CancelledError,
    NotAProjectError,
    ProjectError,
    ProjectFormatError,
    ProjectLockedError,
)
from edge_classifier.project.document import FILE_NAME, write_document
from edge_classifier.project.files import FileLock, copy_tree, count_files, reported
from edge_classifier.project.picture_file import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from edge_classifier.project.document import ProjectDocument
    from edge_classifier.protocols import Cancelled, Progress

SAMPLES: Final = "samples"
HELD_OUT: Final = "validation"
SOURCES: Final = "sources.jsonl"
TRASH: Final = "trash"
CACHE: Final = "cache"
MODEL: Final = "model"
BACKBONE: Final = "backbone"
LOCK: Final = ".lock"

_LOOK_AT: Final = 1000  # entries of a foreign folder, before giving up to say what it holds


def default_project_path(folder: Path | None = None, today: date | None = None) -> Path:
    """Name a project that does not exist yet: `projects/2026-11-30-1`.

    Args:
        folder: Where `projects` is or will be; the current folder if `None`.
        today: The date in its name; today if `None`.
    """
    day = (today or date.today()).isoformat()  # noqa: DTZ011 - the date on the user's own clock
    base = (folder or Path.cwd()) / "projects"
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
    """Refuse a project in which a file or a link stands where a folder belongs.

    A link could make us write outside the project.

    Raises:
        ProjectFormatError: naming it.
    """
    for name in (SAMPLES, HELD_OUT, TRASH, CACHE, MODEL, BACKBONE):
        check_folder(path / name)


def check_folder(folder: Path) -> None:
    """Refuse a file or a link in a folder's place; that nothing is there is fine.

    Raises:
        ProjectFormatError: naming it.
    """
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
        raise ProjectFormatError(
            f"{folder} has to be a folder of its own, not a file or a link; move it away."
        )


def lock_project(path: Path) -> FileLock:
    """Take a project for writing.

    Raises:
        ProjectLockedError: if another program has it.
        ProjectError: if the folder cannot be written.
    """
    lock = FileLock(path / LOCK)
    with reported("write in", path):
        if not lock.acquire():
            raise ProjectLockedError(
                f"{path} is open in another edge-classifier; close that one and try again."
            )
    return lock


def new_trash_folder(path: Path, class_name: str) -> Path:
    """Make a folder in the trash for what is removed of a class now.

    Raises:
        ProjectError: if it cannot be made.
    """
    trash = path / TRASH
    with reported("write in", trash):
        trash.mkdir(exist_ok=True)
        numbers = [int(name) for name in os.listdir(trash) if name.isdecimal()]  # noqa: PTH208 - names only
        folder = trash / f"{max(numbers, default=0) + 1:06d}" / class_name
        folder.mkdir(parents=True)
    return folder


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
    return any(Path(entry.name).suffix.lower() in IMAGE_SUFFIXES for entry in entries)


def copy_project(
    path: Path,
    target: Path,
    document: ProjectDocument,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    """Copy a project, but for its trash, to a new folder; whole or not at all.

    Args:
        path: The project.
        target: A folder that does not exist, or is empty, outside the project.
        document: The project file of the copy.
        progress: Told the part done.
        cancelled: Asked before each file whether to stop.

    Raises:
        ProjectError: if `target` is none of that, or cannot be written; then nothing was.
        CancelledError: if asked to stop; then nothing was written either.
    """
    target = target.absolute()
    if target.resolve().is_relative_to(path.resolve()):
        raise ProjectError(f"{target} is inside the project itself; name another folder.")
    with reported("read", target):
        if os.path.lexists(target) and not (target.is_dir() and not os.listdir(target)):  # noqa: PTH208 - names only
            raise ProjectError(f"{target} exists and is not an empty folder; name a new one.")
    made = [folder for folder in target.parents if not folder.exists()]
    unfinished = target.with_name(f".saving-{secrets.token_hex(8)}")
    left_out = {path / name for name in (LOCK, TRASH, FILE_NAME)}
    copied = 0

    def before_file() -> None:
        nonlocal copied
        if cancelled():
            raise CancelledError(f"Stopped: no copy was saved in {target}.")
        progress(min(1.0, copied / files))
        copied += 1

    try:
        with reported("write", target):
            files = max(1, count_files(path, left_out.__contains__))
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_tree(path, unfinished, left_out.__contains__, before_file)
            # comes last, so that what is not whole is no project
            write_document(unfinished / FILE_NAME, document)
            if target.exists():
                target.rmdir()
            unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
