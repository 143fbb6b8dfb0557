"""Disks that are full and folders that may not be written, as the system makes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def _mount(*words: str) -> None:
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("mounting is only known of Linux here")
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - the system's own
    if done.returncode:
        pytest.skip(f"nothing may be mounted here: {done.stderr.strip()}")


def _unmount(path: Path) -> None:
    subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S603, S607 - the system's own


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of so many kilobytes on a new folder."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written in a folder, not even by root; what is open stays open."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        _unmount(folder)


def fill(disk: Path) -> Path:
    """Use up what is left of a disk; removing the file that is returned frees it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler
