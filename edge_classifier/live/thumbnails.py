"""Small pictures of samples, read beside the loop; only those that are wanted are kept."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.languages.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.protocols import Executor

THUMBNAIL_SIDE: Final = 192
"""Longest side in pixels: enough for a screen of small pixels, and 80 KB in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A picture file as far as it can be shown.

    Attributes:
        image: BGR, or `None` where it cannot be read.
        problem: Why it cannot, in one line, or empty.
        written: When the file was last written, as `2026-11-24 14:02`, or empty.
    """

    image: Image | None
    problem: str = ""
    written: str = ""


class Thumbnails:
    """Reads on the `executor`, by `read`, what is wanted at present, and forgets all else."""

    def __init__(self, read: Callable[[Path], Image], executor: Executor) -> None:
        self._read = read
        self._executor = executor
        self._wanted: tuple[Path, ...] = ()
        self._known: dict[Path, Thumbnail] = {}

    def want(self, paths: tuple[Path, ...]) -> None:
        """Read these, the first ones first, as far as they are not known; keep no others."""
        if paths == self._wanted:
            return
        self._wanted = paths
        self._known = {path: self._known[path] for path in paths if path in self._known}
        if len(self._known) < len(set(paths)):
            self._executor.submit(lambda: self._read_all(paths))

    def of(self, path: Path) -> Thumbnail | None:
        """Return what is known of a picture: `None` before it was read."""
        return self._known.get(path)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)

    def _read_all(self, wanted: tuple[Path, ...]) -> None:
        for path in wanted:
            known = self._known
            if self._wanted is not wanted:
                return  # it is about others meanwhile, for which there is another job
            if path not in known:
                known[path] = self._thumbnail(path)

    def _thumbnail(self, path: Path) -> Thumbnail:
        try:
            return Thumbnail(self._read(path), written=_time_of(path))
        except EdgeClassifierError as error:
            return Thumbnail(None, str(error))
        except Exception as error:  # noqa: BLE001 - a library's surprise is one picture's problem
            return Thumbnail(
                None,
                Text(
                    "Cannot read the picture {path}: {error}.",
                    path=str(path),
                    error=type(error).__name__,
                ),
            )


def _time_of(path: Path) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
    except (OSError, OverflowError, ValueError):  # gone, or dated beyond what can be told
        return ""
