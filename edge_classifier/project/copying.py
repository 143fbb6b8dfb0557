"""A whole project copied to another folder."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import CancelledError, ProjectError
from edge_classifier.project.files import is_temporary, reported
from edge_classifier.project.folder import TRASH
from edge_classifier.project.lock import LOCK
from edge_classifier.project.project_file import FILE_NAME, write_project_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_classifier.project.project_file import ProjectFile
    from edge_classifier.protocols import Cancelled, Progress


def copy_project(
    path: Path,
    target: Path,
    file: ProjectFile,
    *,
    more: Mapping[Path, bytes],
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    """Copy a project, as `ProjectStore.save_as` says; `file` is the project file of the copy."""
    target = target.absolute()
    if target.resolve().is_relative_to(path.resolve()):
        raise ProjectError(f"{target} is inside the project itself; name another folder.")
    with reported("read", target):
        if os.path.lexists(target) and not (target.is_dir() and not os.listdir(target)):  # noqa: PTH208 - names only
            raise ProjectError(f"{target} exists and is not an empty folder; name a new one.")
    made = [folder for folder in target.parents if not folder.exists()]
    unfinished = target.with_name(f".saving-{secrets.token_hex(8)}")
    left_out = {path / name for name in (LOCK, TRASH, FILE_NAME)}

    def before_file(done: float) -> None:
        if cancelled():
            raise CancelledError(f"Stopped: no copy was saved in {target}.")
        progress(done)

    try:
        with reported("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_tree(path, unfinished, left_out.__contains__, before_file)
            for name, content in more.items():
                (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
                (unfinished / name).write_bytes(content)
            # comes last, so that what is not whole is no project
            write_project_file(unfinished / FILE_NAME, file)
            if target.exists():
                target.rmdir()
            unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def copy_tree(
    source: Path,
    target: Path,
    skip: Callable[[Path], bool],
    before_file: Callable[[float], None] = lambda _done: None,
) -> None:
    """Copy a folder's files and folders, with their times, but no links and no devices.

    Files may vanish from `source` meanwhile. `skip` says which paths under it to leave out;
    `before_file` is told the part done before each file, and what it raises ends the copying.
    """
    folders, files = [source], list[Path]()
    for folder in folders:  # which grows meanwhile
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_temporary(entry.name) or skip(Path(entry.path)):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    files.append(Path(entry.path))
    for folder in folders:
        (target / folder.relative_to(source)).mkdir()
    for number, file in enumerate(files):
        before_file(number / len(files))
        try:
            shutil.copy2(file, target / file.relative_to(source))
        except FileNotFoundError:
            if file.exists():
                raise
