"""Pictures from files and folders."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from ..console import say
from ..errors import CameraNotFoundError
from ..files import read_regular
from ..frame import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..preprocessing import Image

PICTURE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_MAX_PICTURE_BYTES: Final = 256 * 1024 * 1024


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
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        paths = [p for p in files if p == path or _is_picture(p)]
        if not paths:
            raise CameraNotFoundError(
                f"{path} has no pictures ({', '.join(PICTURE_SUFFIXES)}) in it."
            )
        self._paths = iter(paths)
        self._index = 0

    def __iter__(self) -> Iterator[Frame]:
        """Give the pictures; files that are none are named on standard error."""
        while (path := next(self._paths, None)) is not None:
            started_s = time.perf_counter()
            image = read_picture(path)
            if image is None:
                self.refused += 1
                say(f"{path} is not a picture that can be read; it was left out.")
                continue
            capture_ms = (time.perf_counter() - started_s) * 1000
            self._index += 1
            yield Frame(image, self._index - 1, time.monotonic(), capture_ms, str(path))

    def close(self) -> None:
        """Give no more of them; may be called twice, from any thread."""
        self._paths = iter(())


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def read_picture(path: Path) -> Image | None:
    """Read a picture file as `(H, W, 3)` uint8 BGR, upright; `None` if it is none."""
    try:
        # unlike imread this takes any file name everywhere
        data = np.frombuffer(read_regular(path, _MAX_PICTURE_BYTES), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (OSError, cv2.error, MemoryError):
        return None
    return None if image is None else np.asarray(image, np.uint8)
