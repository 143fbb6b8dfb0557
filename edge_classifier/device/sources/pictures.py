"""Pictures from files and folders."""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..console import say
from ..errors import CameraNotFoundError, InvalidImageError
from ..files import read_regular, start_of
from ..frame import Frame
from ..media import (
    PICTURES_IN_WORDS,
    Medium,
    is_junk,
    kind_in_folder,
    kind_named,
    left_out,
    not_read,
)
from ..picture_decoder import MAX_FILE_BYTES, DecodedPicture, decode_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..media import Kind

_SORTED_ENTRIES: Final = 4096
"""Folders of more entries are walked as the system lists them, to keep memory small."""


class PictureFiles:
    """A picture, or the pictures in a folder and below it, in the order of their names.

    Raises:
        CameraNotFoundError: if there is no picture in the folder.
    """

    live: Final = False

    def __init__(self, path: Path) -> None:
        self.name = self.description = str(path)
        self.refused = 0
        """How many files could not be read."""
        paths = [path] if path.is_file() else self._pictures_in(path)
        if not paths:
            raise CameraNotFoundError(f"{path} has no pictures ({PICTURES_IN_WORDS}) in it.")
        self._paths = iter(paths)
        self._index = 0

    def __iter__(self) -> Iterator[Frame]:
        """Give the pictures; files that are none are named on standard error."""
        while (path := next(self._paths, None)) is not None:
            started_s = time.perf_counter()
            try:
                picture = read_picture(path)
            except InvalidImageError as error:
                self.refused += 1
                say(f"left out: {error}")
                continue
            if picture.note:
                say(f"{path}: {picture.note}.")
            capture_ms = (time.perf_counter() - started_s) * 1000
            self._index += 1
            yield Frame(picture.image, self._index - 1, time.monotonic(), capture_ms, str(path))

    def close(self) -> None:
        """Give no more of them; may be called twice, from any thread."""
        self._paths = iter(())

    def _pictures_in(self, folder: Path) -> list[Path]:
        others: Counter[str] = Counter()
        paths = sorted(pictures_below(folder, self._refuse, others))
        if others:
            say(left_out(others))
        return paths

    def _refuse(self, path: Path, error: OSError) -> None:
        self.refused += 1
        say(f"left out: Cannot read {path}: {error.strerror or error}.")


def pictures_below(
    folder: Path, refused: Callable[[Path, OSError], None], others: Counter[str]
) -> Iterator[Path]:
    """Find the pictures in a folder and below it, one after the other.

    What is hidden or other programs' is left out, and so are links to folders, which may go round.
    `refused` is told of each folder that cannot be read, of each video, and of each picture of a
    kind that is not read; other files are counted in `others`, by how they are called.
    """
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
        except (FileNotFoundError, ProcessLookupError) as error:
            if here == folder:  # any other was there a moment ago: it has nothing to be refused
                refused(here, error)
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
        visible = (entry for entry in listing if not is_junk(entry.name))
        first = list(islice(visible, _SORTED_ENTRIES))
        if len(first) < _SORTED_ENTRIES:
            first.sort(key=lambda entry: entry.name)
        yield from first
        yield from visible


def read_picture(path: Path) -> DecodedPicture:
    """Read a picture file; unlike OpenCV's own reader this takes any file name everywhere.

    Raises:
        InvalidImageError: if it cannot be read, is no picture, damaged or too large.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise InvalidImageError(
            f"Cannot read the picture {path}: {error.strerror or error}."
        ) from error
    return decode_picture(data, str(path))
