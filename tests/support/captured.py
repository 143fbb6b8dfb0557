"""Pictures captured into a project, and what of it is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Sample

HEADER = "edge-classifier hashes 1\n"
INFO = BackboneInfo("v1-0.25", (7, 7, 256), "pooled", "ab" * 32, Preprocessing(224))


def picture(number: int = 0) -> Image:
    small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (80, 60)), dtype=np.uint8)


def capture(store: ProjectStore, class_name: str, *numbers: int) -> list[Sample]:
    burst_id = store.next_burst_id()
    return [store.add_sample(encode_image(picture(n)), class_name, burst_id) for n in numbers]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def reopened(store: ProjectStore) -> ProjectStore:
    store.close()
    return ProjectStore.open(store.path)
