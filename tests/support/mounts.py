"""What not every system has, or a reason why not here: full and read-only disks, pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from endurance import disks
from endurance.disks import fill

__all__ = ["block_disk", "fill", "named_pipe", "read_only", "small_disk"]


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of so many kilobytes on a new folder."""
    try:
        with disks.small_disk(folder, kilobytes):
            yield folder
    except disks.CannotMountError as error:
        pytest.skip(str(error))


@contextmanager
def block_disk(folder: Path, image: Path) -> Iterator[Path]:
    """Mount a disk that is a file, a copy of which is what a power cut would leave."""
    try:
        with disks.block_disk(folder, image):
            yield folder
    except disks.CannotMountError as error:
        pytest.skip(str(error))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written in a folder, not even by root; what is open stays open."""
    try:
        with disks.read_only(folder):
            yield
    except disks.CannotMountError as error:
        pytest.skip(str(error))


def named_pipe(path: Path) -> None:
    """Make a pipe that nobody writes to, which opening waits for."""
    if sys.platform == "win32":
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)
