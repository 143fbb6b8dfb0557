"""Folders that this program writes: whole, or not at all; one of ours that is there is replaced."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import is_temporary, read_regular
from edge_classifier.errors import EdgeClassifierError, ExportError
from edge_classifier.project.files import FileLock, describe

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_MARK_BYTES: Final = 16 * 1024 * 1024

_OLD: Final = "-old"
_AT_WORK: Final = ".lock"
"""Held while a folder is being written, so that nobody takes it for one that was cut short."""


@dataclass(frozen=True, slots=True)
class FolderKind:
    """What tells a kind of folder from others.

    Attributes:
        what: What it is, with its article: "a bundle".
        mark: The JSON file in it that says what it is by its entry `format`.
        format: That entry.
        owns: Patterns of the names of what it consists of; anything else in such a folder is
            somebody's own.
    """

    what: str
    mark: str
    format: str
    owns: tuple[str, ...]


@contextmanager
def new_folder(target: Path, kind: FolderKind) -> Iterator[Path]:
    """Give a temporary folder that takes the name of `target` at the end of the block.

    An older one of that kind that is there is replaced; of a link, the folder that it leads to.

    Raises:
        ExportError: if something else is there, or it cannot be written, and then nothing was; or
            if what somebody put into the older one could not be moved to the new one.
    """
    place = check_target(target, kind)
    folder = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    at_work = FileLock(folder / _AT_WORK)
    try:
        with _told_of(target):
            place.parent.mkdir(parents=True, exist_ok=True)
            _clear_up_after_kills(place, kind)
            check_target(target, kind)  # an older one may be back
            folder.mkdir()
            at_work.acquire()
            yield folder
            if sys.platform == "win32":  # which renames no folder in which a file is open
                at_work.release()
            old = _take_place(folder, place)
        stuck = _keep_what_is_not_ours(old, place, kind) if old else None
        at_work.release()
        with suppress(OSError):
            (place / _AT_WORK).unlink()
        if stuck:
            raise ExportError(f"{target} was written, but {stuck}.")
    finally:
        at_work.release()
        shutil.rmtree(folder, ignore_errors=True)


def check_target(target: Path, kind: FolderKind) -> Path:
    """See that a folder may be written, or replaced, before any work for it is done.

    Returns:
        Where it will be: what a link leads to.

    Raises:
        ExportError: if something else is there, or what cannot be replaced.
    """
    with _told_of(target):
        place, here = Path(os.path.realpath(target)), Path.cwd().resolve()
        if target.is_symlink() and not target.exists():
            raise ExportError(
                f"{target} is a link to nothing; remove it, or name another folder with -o."
            )
        if place in (here, *here.parents):
            raise ExportError(
                f"{target} cannot be replaced while you are in it; name a folder inside it with -o."
            )
        if os.path.ismount(place):
            raise ExportError(f"{target} is a mount point; name a folder inside it with -o.")
        if not place.exists():
            return place
        if not place.is_dir():
            raise ExportError(f"{target} is a file; name a folder with -o.")
        if any(place.iterdir()):
            try:
                known = json.loads(read_regular(place / kind.mark, _MAX_MARK_BYTES))["format"]
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                known = None
            if known != kind.format:
                raise ExportError(
                    f"{target} holds something else than {kind.what}; name another folder with -o."
                )
    return place


@contextmanager
def _told_of(target: Path) -> Iterator[None]:
    """Tell of what the system refuses as an error of ours."""
    try:
        yield
    except EdgeClassifierError:
        raise
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {describe(error)}.") from error


def _clear_up_after_kills(target: Path, kind: FolderKind) -> None:
    """Take away folders that were never finished, and end a replacement that was cut short."""
    unfinished = re.compile(rf"\.{re.escape(target.name)}-[0-9a-f]{{8}}")
    for folder in [path for path in target.parent.iterdir() if path.is_dir()]:
        new_name = folder.name.removesuffix(_OLD)
        if not unfinished.fullmatch(new_name):
            continue
        if any(_is_at_work(place) for place in (folder.with_name(new_name), target)):
            continue
        if folder.name == new_name:
            shutil.rmtree(folder, ignore_errors=True)
        elif target.exists():
            _keep_what_is_not_ours(folder, target, kind)
        else:
            folder.rename(target)


def _is_at_work(folder: Path) -> bool:
    if not (folder / _AT_WORK).exists():
        return False
    lock = FileLock(folder / _AT_WORK)
    free = lock.acquire()
    lock.release()
    return not free


def _take_place(folder: Path, target: Path) -> Path | None:
    """Let the new folder take the name, and return where the old one is now, if there was one."""
    if not target.exists():
        folder.rename(target)
        return None
    old = target.with_name(f"{folder.name}{_OLD}")
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise
    return old


def _keep_what_is_not_ours(old: Path, target: Path, kind: FolderKind) -> str | None:
    """Move what somebody put into the old folder, such as a virtual environment, to the new one.

    Returns:
        What could not be moved, and why; else the old folder is gone.
    """
    stuck = None
    try:
        entries = list(old.iterdir())
    except OSError as error:
        return f"{old} could not be moved to it: {describe(error)}"
    for entry in entries:
        ours = any(entry.match(pattern) for pattern in (_AT_WORK, *kind.owns))
        ours = ours or is_temporary(entry.name)
        try:
            if not ours and not (target / entry.name).exists():
                entry.rename(target / entry.name)
        except OSError as error:  # all others are moved: one of them may be what runs it
            stuck = f"{error.filename or entry} could not be moved to it: {describe(error)}"
    if stuck is None:
        shutil.rmtree(old, ignore_errors=True)
    return stuck
