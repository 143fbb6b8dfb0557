"""Folders that this program writes: whole, or not at all; one of ours that is there is replaced."""

from __future__ import annotations

import json
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

    An older one of that kind that is there is replaced.

    Raises:
        ExportError: if something else is there, or it cannot be written; then nothing was.
    """
    target = Path(target)
    folder = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    at_work = FileLock(folder / _AT_WORK)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_up_after_kills(target, kind)
        _check_target(target, kind)
        folder.mkdir()
        at_work.acquire()
        yield folder
        if sys.platform == "win32":  # which renames no folder in which a file is open
            at_work.release()
        _take_place(folder, target, kind)
        at_work.release()
        (target / _AT_WORK).unlink()
    except EdgeClassifierError:
        raise
    except OSError as error:
        raise ExportError(f"{target} cannot be written: {describe(error)}.") from error
    finally:
        at_work.release()
        shutil.rmtree(folder, ignore_errors=True)


def _check_target(target: Path, kind: FolderKind) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ExportError(f"{target} is a file; name a folder with -o.")
    if any(target.iterdir()):
        try:
            known = json.loads(read_regular(target / kind.mark, _MAX_MARK_BYTES))["format"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            known = None
        if known != kind.format:
            raise ExportError(
                f"{target} holds something else than {kind.what}; name another folder with -o."
            )


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
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.rename(target)


def _is_at_work(folder: Path) -> bool:
    if not (folder / _AT_WORK).exists():
        return False
    lock = FileLock(folder / _AT_WORK)
    free = lock.acquire()
    lock.release()
    return not free


def _take_place(folder: Path, target: Path, kind: FolderKind) -> None:
    """Let the new folder take the name; the old one goes only when that has worked."""
    if not target.exists():
        folder.rename(target)
        return
    old = target.with_name(f"{folder.name}{_OLD}")
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise
    _keep_what_is_not_ours(old, target, kind)
    shutil.rmtree(old, ignore_errors=True)


def _keep_what_is_not_ours(old: Path, target: Path, kind: FolderKind) -> None:
    """Move what somebody put into the old folder, such as a virtual environment, to the new one."""
    for entry in old.iterdir():
        ours = any(entry.match(pattern) for pattern in (_AT_WORK, *kind.owns))
        ours = ours or is_temporary(entry.name)
        if not ours and not (target / entry.name).exists():
            entry.rename(target / entry.name)
