"""Projects and pictures that commands are called with."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from support.exported_project import BURSTS, CLASSES, PER_BURST, picture

from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Give a project of its own, with pictures and without a model."""
    path = tmp_path / "fresh"
    with ProjectStore.create(path, CLASSES) as store:
        for class_id, name in enumerate(CLASSES):
            for burst in range(BURSTS):
                burst_id = store.next_burst_id()
                for number in range(PER_BURST):
                    image = picture(class_id, burst * PER_BURST + number)
                    store.add_sample(encode_image(image), name, burst_id)
    return path


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """Give a folder per class of pictures that no project has."""
    for class_id, name in enumerate(CLASSES):
        folder = tmp_path / "held out" / name
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"{number}.png").write_bytes(
                cv2.imencode(".png", picture(class_id, 50 + number))[1].tobytes()
            )
    return tmp_path / "held out"
