"""Pictures that were written, and may not have reached the disk itself yet."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Final

from edge_classifier.adapters.files import flush_file, flush_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# From here on one flush of the whole disk is quicker than one of each file.
_MANY_FILES: Final = 200


class Unsynced:
    """Remembers what was written, by one thread, until another one has flushed it."""

    def __init__(self) -> None:
        self._paths: deque[Path] = deque()

    def add(self, path: Path) -> None:
        """Take note of a file that was just written."""
        self._paths.append(path)

    def flush(self, folders: Iterable[Path]) -> None:
        """Wait until all that was noted is on the disk, with its folders and these.

        Raises:
            OSError: if the disk fails.
        """
        pending = set(folders)
        if len(self._paths) > _MANY_FILES and hasattr(os, "sync"):
            self._paths.clear()
            os.sync()
        while self._paths:
            path = self._paths.popleft()
            flush_file(path)
            pending.add(path.parent)
        for folder in pending:
            flush_folder(folder)
