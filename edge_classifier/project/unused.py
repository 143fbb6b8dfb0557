"""A project that was made and in which nothing was done leaves no folder behind."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import ProjectError
from edge_classifier.project.lock import LOCK, ProjectLock
from edge_classifier.project.project_file import FILE_NAME, ProjectFile, read_project_file

if TYPE_CHECKING:
    from collections.abc import Sequence


def missing_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders that making a project will make: its own and, after it, those around."""
    return tuple(folder for folder in (path, *path.parents) if not os.path.lexists(folder))


def remove_unused(path: Path, made: Sequence[Path]) -> bool:
    """Remove a closed project with the folders that were `made` for it, if it is still empty.

    It is while it has no class, no setting and no file but its own two: whatever else lies in it
    is somebody's, and so is one that another program has open. Nothing is removed that is not among
    `made`, see `missing_folders`.

    Returns:
        Whether it is gone.
    """
    if path not in made or not _folders_if_empty(path):
        return False
    with suppress(OSError, ProjectError):
        lock = ProjectLock(path)
        try:
            folders = _folders_if_empty(path)  # once more, now that nobody else can change it
            if not folders:
                return False
            for folder in folders[:-1]:  # first: one that cannot be removed is not empty
                folder.rmdir()
            (path / FILE_NAME).unlink()
        finally:
            lock.release()
        (path / LOCK).unlink(missing_ok=True)
        path.rmdir()
    gone = not os.path.lexists(path)
    if gone:
        with suppress(OSError):  # another project is in it by now
            for folder in made[1:]:
                folder.rmdir()
    return gone


def _folders_if_empty(path: Path) -> list[Path]:
    """Return the project's folders, the innermost first; none where something is in it."""
    try:
        file = read_project_file(path / FILE_NAME)
    except ProjectError:
        return []
    if replace(file, backbone=None) != ProjectFile():
        return []
    folders: list[Path] = []
    for folder, within, files in os.walk(path, topdown=False):
        own = {FILE_NAME, LOCK} if Path(folder) == path else set()
        if not own.issuperset(files) or any(Path(folder, name).is_symlink() for name in within):
            return []
        folders.append(Path(folder))
    return folders
