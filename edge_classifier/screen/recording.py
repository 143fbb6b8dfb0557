"""Pictures written to files where there is no screen: a video, and a contact sheet."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.files import check_replaceable
from edge_classifier.device.sources.video_source import is_text
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.project.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image

_TILE_WIDTH: Final = 520
_COLUMNS: Final = 3
_GAP: Final = 8


class VideoRecorder:
    """Writes pictures of one size into an MPEG-4 file, which appears when it is complete.

    Raises:
        OSError: if something else than a file has its name.
    """

    def __init__(self, path: Path, fps: float) -> None:
        check_replaceable(path)
        self._path = path
        self._partial = path.with_name(f".partial-{path.name}")
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None

    def write(self, image: Image) -> None:
        """Add a picture, `(H, W, 3)` BGR; all must have one size.

        Raises:
            EdgeClassifierError: if the file cannot be written.
        """
        if self._writer is None:
            height, width = image.shape[:2]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            with _name_for_opencv(self._partial) as name:
                self._writer = cv2.VideoWriter(name, code, self._fps, (width, height))
            if not self._writer.isOpened():
                raise EdgeClassifierError(f"{self._path} cannot be written; is the disk full?")
        self._writer.write(image)

    def close(self) -> None:
        """Complete the file; may be called twice."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            self._partial.replace(self._path)


@contextmanager
def _name_for_opencv(path: Path) -> Iterator[str]:
    """Give a name of a file to write that OpenCV can take: it crashes on one that is no text."""
    if is_text(str(path)):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/dev/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class ContactSheet:
    """Collects pictures and writes them side by side as one JPEG."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tiles: list[Image] = []

    def add(self, image: Image) -> None:
        """Add a picture, `(H, W, 3)` BGR."""
        height, width = image.shape[:2]
        size = (_TILE_WIDTH, round(height * _TILE_WIDTH / width))
        self._tiles.append(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA)))

    def close(self) -> None:
        """Write the sheet, if there is anything on it; may be called twice."""
        if not self._tiles:
            return
        tiles, self._tiles = self._tiles, []
        height = max(tile.shape[0] for tile in tiles) + _GAP
        rows = math.ceil(len(tiles) / _COLUMNS)
        sheet = np.full(
            (rows * height + _GAP, _COLUMNS * (_TILE_WIDTH + _GAP) + _GAP, 3), 24, np.uint8
        )
        for number, tile in enumerate(tiles):
            top = _GAP + number // _COLUMNS * height
            left = _GAP + number % _COLUMNS * (_TILE_WIDTH + _GAP)
            sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        _, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 90])
        write_atomic(self._path, data.tobytes())
