"""What is costly to make and read by many tests: made by one worker, copied by the others."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_POLL_S = 0.05
_PATIENCE_S = 500.0


def copy_of_what_is_made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Make a folder, or copy the one that another worker of the same run has made.

    Each worker has a copy of its own because a project that is open elsewhere is refused.

    Args:
        factory: Knows where this run keeps its files.
        name: Of the folder.
        make: Makes it.

    Returns:
        The copy.
    """
    own = factory.mktemp(name, numbered=True) / name
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    shared = factory.getbasetemp().parent / f"once-{name}"
    try:
        shared.mkdir()
    except FileExistsError:
        _wait_for(shared / "over")
    else:
        try:
            make(shared / name)
        finally:
            (shared / "over").touch()
    return Path(shutil.copytree(shared / name, own))


def _wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline_s:
            pytest.fail(f"another worker has not made {path.parent}")
        time.sleep(_POLL_S)
