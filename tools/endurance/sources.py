"""Pictures from elsewhere, to be added while the program is killed."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Final

import cv2

from endurance.camera import picture

if TYPE_CHECKING:
    from pathlib import Path

KINDS: Final = ("folder", "zip", "table")
CLASSES: Final = 2
PER_CLASS: Final = 15


def make_source(folder: Path, kind: str, seed: int) -> Path:
    """Make something that can be added.

    Args:
        folder: Holds the pictures, a folder per class, in any case.
        kind: One of `KINDS`: what is to be named to `add`.
        seed: No two seeds give the same picture.

    Returns:
        What is to be added: that folder, a zip of it, or a table of its pictures.
    """
    for thing in range(CLASSES):
        (folder / f"added {thing}").mkdir(parents=True)
        for number in range(PER_CLASS):
            image = picture(200 + thing, seed * 1000 + number)
            cv2.imwrite(str(folder / f"added {thing}" / f"{number}.png"), image)
    pictures = sorted(folder.rglob("*.png"))
    if kind == "zip":
        archive = folder.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w") as file:
            for path in pictures:
                file.write(path, path.relative_to(folder))
        return archive
    if kind == "table":
        table = folder / "labels.csv"
        rows = [f"{path.relative_to(folder)},{path.parent.name}\n" for path in pictures]
        table.write_text("file,label\n" + "".join(rows), encoding="utf-8")
        return table
    return folder


def hashes_in(folder: Path) -> set[str]:
    """Give the SHA-256 of each picture of a source."""
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.png")}
