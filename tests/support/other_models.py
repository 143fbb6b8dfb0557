"""Exports of other programs, as they lie on a user's disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LABELS = "0 red\n1 green\n2 blue\n"
SIGNATURE: dict[str, Any] = {
    "format": "tf_lite",
    "filename": "saved_model.tflite",
    "inputs": {"Image": {"dtype": "float32", "shape": [None, 8, 8, 3], "name": "Image:0"}},
    "outputs": {"Confidences": {"dtype": "float32", "shape": [None, 3], "name": "Softmax:0"}},
    "classes": {"Label": ["red", "green", "blue"]},
    "export_model_version": 1,
}
WEB_MODEL = json.dumps({"modelTopology": {}, "weightsManifest": []})


def written(folder: Path, files: dict[str, bytes | str]) -> Path:
    """Write files into a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def teachable_machine(folder: Path, network: bytes, labels: str = LABELS) -> Path:
    """Write what Teachable Machine packs for TensorFlow Lite."""
    return written(folder, {"model_unquant.tflite": network, "labels.txt": labels})


def lobe(folder: Path, network: bytes, **changes: object) -> Path:
    """Write what Lobe exports for TensorFlow Lite; `changes` are to its signature."""
    signature = json.dumps({**SIGNATURE, **changes})
    return written(folder, {"saved_model.tflite": network, "signature.json": signature})
