"""Disks that are small and folders that may not be written, as the system makes them (Linux)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class CannotMountError(Exception):
    """Nothing may be mounted here; the message says why."""


def _mount(*words: str) -> None:
    _run("mount", *words)


def _run(program: str, *words: str) -> None:
    if sys.platform != "linux" or shutil.which(program) is None:
        raise CannotMountError(f"{program} is not there, or only known of Linux here")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)  # noqa: S603 - the system's own
    if done.returncode:
        raise CannotMountError(f"nothing may be mounted here: {done.stderr.strip()}")


def _unmount(path: Path) -> None:
    subprocess.run(["umount", "--lazy", str(path)], check=True)  # noqa: S603, S607 - the system's own


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of so many kilobytes on a new folder.

    Raises:
        CannotMountError: if that is not possible here.
    """
    folder.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def block_disk(
    folder: Path, image: Path, kilobytes: int = 16_384, kind: str = "ext4"
) -> Iterator[Path]:
    """Mount a disk that is a file on a new folder; a new file, unless there is one.

    A copy of the file, made meanwhile, is what a power cut would leave.

    Raises:
        CannotMountError: if that is not possible here.
    """
    folder.mkdir(parents=True)
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(kilobytes * 1024)
        _run(f"mkfs.{kind}", "-q", *(["-F"] if kind.startswith("ext") else []), str(image))
    elif kind.startswith("ext"):  # whoever starts a system after a failure looks through it
        subprocess.run(["e2fsck", "-y", str(image)], capture_output=True, check=False)  # noqa: S603, S607 - the system's own
    _mount("-t", kind, "-o", "loop", str(image), str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def fuse_fat(folder: Path, image: Path) -> Iterator[Path]:
    """Mount a disk of FAT that is a file on a new folder; a new file, unless there is one.

    Raises:
        CannotMountError: if that is not possible here.
    """
    folder.mkdir(parents=True)
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(128 << 20)
        # Of the largest clusters: fusefat writes over a file where a folder outgrows its first one.
        _run("mkfs.vfat", "-F", "16", "-s", "32", str(image))
    _run("fusefat", "-o", "rw+", str(image), str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - the system's own


def break_disk(disk: Path) -> None:
    """Let a disk of ext4 meet an error, as a dying card does: it is read-only from then on.

    Raises:
        CannotMountError: if that is not possible here.
    """
    if sys.platform != "linux":
        raise CannotMountError("only Linux breaks a disk on demand")
    _mount("-o", "remount,errors=remount-ro", str(disk))
    device = os.stat(disk).st_dev  # noqa: PTH116 - the path is no link
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    switch = Path(f"/sys/fs/ext4/{name}/trigger_fs_error")
    if not switch.exists():
        raise CannotMountError("this system lets no disk be broken")
    switch.write_text("1", encoding="ascii")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written in a folder, not even by root; what is open stays open.

    Raises:
        CannotMountError: if that is not possible here.
    """
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        _unmount(folder)


def fill(disk: Path, spare_bytes: int = 0) -> Path:
    """Use up a disk but for some bytes; removing the file that is returned frees it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    with filler.open("r+b") as file:
        file.truncate(max(0, filler.stat().st_size - spare_bytes))
    return filler
