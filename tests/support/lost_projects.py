"""Projects that are deleted, moved or taken over while they are open."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import ProjectError
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore
from support.picture_files import pillow_picture

LOST = "can no longer be changed"


def two_classes(path: Path) -> Path:
    """Make a project with one sample in each of two classes."""
    with ProjectStore.create(path, ["mug", "phone"]) as store:
        capture(store, "mug", 1)
        capture(store, "phone", 2)
    return path


def numbered_picture(number: int) -> Image:
    """Make a picture that differs from that of any other number."""
    return np.asarray(pillow_picture(number), np.uint8)


def capture(store: ProjectStore, class_name: str, *numbers: int) -> None:
    """Record a burst."""
    burst_id = store.next_burst_id()
    for number in numbers:
        store.add_sample(encode_image(numbered_picture(number)), class_name, burst_id)


def hash_of(number: int) -> str:
    """Tell a picture by what is in its file."""
    return encode_image(numbered_picture(number)).sha256


def pictures(*folders: Path) -> set[str]:
    """Tell what pictures lie in folders."""
    found = (path for folder in folders for path in folder.rglob("*.jpg"))
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def contents(folder: Path) -> dict[Path, int]:
    """Tell what lies in a folder, and when it was written."""
    return {path: path.lstat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def use_in_every_way(store: ProjectStore) -> None:
    """Try all that changes something in a project that was lost."""
    for change in (
        lambda: store.add_class("x"),
        lambda: store.rename_class("mug", "x"),
        lambda: store.remove_class("mug"),
        lambda: store.remove_burst(store.samples()[0].burst_id),
        lambda: store.update_settings(a=1),
        lambda: store.save_as(store.path.with_name("saved")),
        store.check_writable,
    ):
        with pytest.raises(ProjectError, match=LOST):
            change()
    assert not store.path.with_name("saved").exists()
    store.sync()
    store.close()
