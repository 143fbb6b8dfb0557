"""Which pictures are meant by paths, found one after the other."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.adapters.files import is_temporary
from edge_classifier.adapters.image_file import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SORTED_ENTRIES: Final = 4096
"""Folders of more entries are walked as the system lists them, to keep memory small."""


def picture_paths(
    paths: Iterable[Path], refused: Callable[[Path, OSError], None]
) -> Iterator[Path]:
    """Find pictures: files as they are given, folders with all that is below them.

    Hidden files and folders are left out, and so are links to folders, which may go round.

    Args:
        paths: Files and folders.
        refused: Is told of each folder that cannot be read.

    Yields:
        Paths of files; in folders only those whose name ends as a picture's does.
    """
    for path in paths:
        if path.is_dir():
            yield from _below(path, refused)
        else:
            yield path


def _below(folder: Path, refused: Callable[[Path, OSError], None]) -> Iterator[Path]:
    folders = [folder]
    while folders:
        here = folders.pop()
        inner: list[Path] = []
        try:
            for entry in _entries(here):
                if entry.is_dir(follow_symlinks=False):
                    inner.append(Path(entry.path))
                elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and not entry.is_dir():
                    yield Path(entry.path)
        except OSError as error:
            refused(here, error)
        folders += reversed(inner)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """List a folder, by name where it is small enough to be sorted."""
    with os.scandir(folder) as listing:
        visible = (e for e in listing if not e.name.startswith(".") and not is_temporary(e.name))
        first = list(islice(visible, _SORTED_ENTRIES))
        if len(first) < _SORTED_ENTRIES:
            first.sort(key=lambda e: e.name)
        yield from first
        yield from visible
