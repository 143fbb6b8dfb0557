"""Pictures from files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ..bundle import read_file
from ..console import say
from ..errors import ClassifyError
from .base import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..preprocessing import Image


_IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_MAX_PICTURE_BYTES: Final = 256 * 1024 * 1024


class PictureFiles(Source):
    """A picture, or the pictures in a folder and below it, in the order of their names.

    Args:
        path: A file or a folder.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.refused = 0
        """How many files could not be read."""
        self._path = path
        self._paths: Iterator[Path] = iter(())

    def open(self) -> None:
        """Find the files."""
        if self._path.is_file():
            paths = [self._path]
        else:
            paths = sorted(
                p
                for p in self._path.rglob("*")
                if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file()
            )
        if not paths:
            raise ClassifyError(
                f"{self._path} has no pictures ({', '.join(_IMAGE_SUFFIXES)}) in it."
            )
        self._paths = iter(paths)

    def read(self) -> tuple[str, Image] | None:
        """Read the next file that is a picture; others are named on standard error."""
        for path in self._paths:
            image = read_picture(path)
            if image is not None:
                return str(path), image
            self.refused += 1
            say(f"{path} is not a picture that can be read; it was left out.")
        return None


def read_picture(path: Path) -> Image | None:
    """Read a picture file as `(H, W, 3)` uint8 BGR, upright; `None` if it is none."""
    import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

    try:
        # unlike imread this takes any file name everywhere
        data = np.frombuffer(read_file(path, _MAX_PICTURE_BYTES), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (OSError, cv2.error, MemoryError):
        return None
    return None if image is None else np.asarray(image, np.uint8)
