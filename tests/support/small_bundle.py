"""Bundles in a moment: of a network that tells colours, without a project."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge_classifier.device.bundle import BUNDLE_FORMAT, BUNDLE_VERSION, Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.preprocessing import Image, Preprocessing
from edge_classifier.device.trial import remember
from support.classifiers import COLOURS, SIZE, colours

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("red", "green", "blue")


def plain(index: int, side: int = 24) -> Image:
    """Make a picture of the colour of a class."""
    image = np.zeros((side, side, 3), np.uint8)
    image[:, :, 2 - index] = 200
    return image


def write_bundle(
    folder: Path, names: tuple[str, ...] = NAMES, *, size: int = SIZE, **changes: Any
) -> Path:
    """Write a bundle of so many colours as there are names; `changes` are of its description."""
    model = colours(COLOURS[: len(names)], size)
    sha256 = hashlib.sha256(model).hexdigest()
    remember(sha256)
    (folder / "reference").mkdir(parents=True, exist_ok=True)
    (folder / "model-float32.tflite").write_bytes(model)
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    spec: dict[str, Any] = {
        "format": BUNDLE_FORMAT,
        "version": BUNDLE_VERSION,
        "class_names": list(names),
        "models": {"float32": {"file": "model-float32.tflite", "sha256": sha256}},
        "preprocessing": asdict(Preprocessing(size)),
        "unknown": None,
        "smoothing_s": 0.0,
        "references": [],
    }
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    classifier = Classifier(Bundle.open(folder))
    for index in range(len(names)):
        file = f"reference/{index}.png"
        cv2.imwrite(str(folder / file), plain(index))
        scores = classifier.predict(plain(index)).scores.tolist()
        spec["references"].append({"file": file, "scores": {"float32": scores}})
    (folder / "spec.json").write_text(json.dumps(spec | changes), encoding="utf-8")
    return folder
