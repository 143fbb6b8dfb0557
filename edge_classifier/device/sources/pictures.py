"""Pictures from files and folders."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from ..console import say
from ..errors import CameraNotFoundError, InvalidImageError
from ..files import read_regular, start_of
from ..frame import Frame
from ..media import PICTURES_IN_WORDS, Medium, kind_in_folder, kind_named, left_out
from ..picture_decoder import MAX_FILE_BYTES, DecodedPicture, decode_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
        paths = [path] if path.is_file() else _pictures_in(path)
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


def _pictures_in(folder: Path) -> list[Path]:
    """Find the pictures in a folder and below it, and say which other files are left out."""
    pictures = []
    others: Counter[str] = Counter()
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            kind = kind_in_folder(path.name, partial(start_of, path))
        except OSError:
            kind = kind_named(path.name)
        if kind is not None and kind.medium is Medium.PICTURE:
            pictures.append(path)
        else:
            others[path.suffix.lower() or "without a suffix"] += 1
    if others:
        say(left_out(others))
    return pictures


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
