"""What grows in a process that leaks, and how much of that is too much."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

MOST_GROWTH: Final = 0.02
"""Of resident memory, from the warm-up to the end."""

WARM_UP: Final = 1 / 6
"""The part of the run that is not compared: caches fill, arenas find their size."""


def resident_mb(process: str = "self") -> float:
    """Return a process's resident memory in MB."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no /proc.")
    pages = Path(f"/proc/{process}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def thread_count(process: str = "self") -> int:
    """Count a process's threads."""
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def file_count(process: str = "self") -> int:
    """Count a process's open files."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))
