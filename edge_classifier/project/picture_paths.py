"""Which pictures are meant by paths, found one after the other."""

from __future__ import annotations

import errno
import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.console import say
from edge_classifier.device.files import start_of
from edge_classifier.device.media import (
    Medium,
    kind_in_folder,
    kind_named,
    kind_of,
    left_out,
    not_read,
)
from edge_classifier.errors import InvalidValueError
from edge_classifier.project.classes import fold_class_name
from edge_classifier.project.files import describe, is_temporary, reported
from edge_classifier.project.folder import SAMPLES, is_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_classifier.device.media import Kind


def labelled_pictures(
    folder: Path, class_names: Sequence[str]
) -> tuple[list[tuple[Path, int]], list[str]]:
    """Find the pictures below a folder that has one folder a class, or below a project.

    The names of the folders may differ in case from those of the classes.

    Returns:
        The pictures, each with the index of its class, and why others are refused, one line
        each.

    Raises:
        InvalidValueError: if it is no folder, or none of its folders is of a class.
        ProjectError: if it cannot be read.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"Expected a folder with one folder a class, received {folder}.")
    if is_project(folder):
        folder = folder / SAMPLES
    ids = {fold_class_name(name): n for n, name in enumerate(class_names)}
    found: list[tuple[Path, int]] = []
    refused: list[str] = []
    matched = False
    with reported("read", folder):
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for path in inner:
        class_id = ids.get(fold_class_name(path.name))
        if class_id is None:
            refused.append(f"The folder {path} is of none of the classes.")
            continue
        matched = True
        pictures = picture_paths(
            [path], lambda p, e: refused.append(f"Cannot read {p}: {describe(e)}.")
        )
        found += [(picture, class_id) for picture in pictures]
    if not matched:
        raise InvalidValueError(
            f"Expected folders called {', '.join(class_names)} in {folder}, "
            f"received {', '.join(p.name for p in inner[:9]) or 'none'}."
        )
    return found, refused


_SORTED_ENTRIES: Final = 4096
"""Folders of more entries are walked as the system lists them, to keep memory small."""


def picture_paths(
    paths: Iterable[Path], refused: Callable[[Path, OSError], None]
) -> Iterator[Path]:
    """Find pictures: files as they are given, folders with all that is below them.

    Hidden files and folders are left out, and so are links to folders, which may go round.
    `refused` is told of each folder and video, and of each picture of a kind that is not read;
    other files in folders are counted, by how they are called, and told of in one line at the end.
    """
    others: Counter[str] = Counter()
    for path in paths:
        if path.is_dir():
            yield from _below(path, refused, others)
        else:
            yield path
    if others:
        say(left_out(others))


def is_video(path: Path) -> bool:
    """Say whether a file is a video, by its content, or its name where it cannot be read."""
    try:
        kind = kind_of(start_of(path)) or kind_named(path.name)
    except OSError:
        kind = None if path.is_dir() else kind_named(path.name)
    return kind is not None and kind.medium is Medium.VIDEO


def _below(
    folder: Path, refused: Callable[[Path, OSError], None], others: Counter[str]
) -> Iterator[Path]:
    folders = [folder]
    while folders:
        here = folders.pop()
        inner: list[Path] = []
        try:
            for entry in _entries(here):
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    inner.append(path)
                elif not entry.is_dir():
                    kind = _kind(path)
                    if kind is None:
                        others[path.suffix.lower() or "without a suffix"] += 1
                    elif kind.medium is Medium.PICTURE:
                        yield path
                    else:
                        refused(path, OSError(errno.EINVAL, not_read("it", kind).rstrip(".")))
        except OSError as error:
            refused(here, error)
        folders += reversed(inner)


def _kind(path: Path) -> Kind | None:
    try:
        return kind_in_folder(path.name, lambda: start_of(path))
    except OSError:  # a pipe, or a file that may not be read: its name is all there is
        return kind_named(path.name)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """List a folder, by name where it is small enough to be sorted."""
    with os.scandir(folder) as listing:
        visible = (e for e in listing if not e.name.startswith(".") and not is_temporary(e.name))
        first = list(islice(visible, _SORTED_ENTRIES))
        if len(first) < _SORTED_ENTRIES:
            first.sort(key=lambda e: e.name)
        yield from first
        yield from visible
