"""Exports of Teachable Machine and Lobe, one text file of which is spoilt."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.classifier import Classifier
from edge_classifier.errors import BundleError
from edge_classifier.export.other_models import open_other_model
from edge_classifier.project.importers.other_models import recognise
from fuzzing.base import ByteTarget
from fuzzing.mutate import encode_json, mutate_bytes, mutate_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_PICTURE: Final = np.full((20, 24, 3), 90, np.uint8)
_NAMES: Final = ["mug", "leaf"]
_TEXTS: Final = {
    "labels.txt": "".join(f"{n} {name}\n" for n, name in enumerate(_NAMES)),
    "signature.json": json.dumps(
        {
            "format": "tf_lite",
            "filename": "saved_model.tflite",
            "inputs": {"Image": {"dtype": "float32", "shape": [None, 224, 224, 3]}},
            "classes": {"Label": _NAMES},
        }
    ),
    "model.json": json.dumps({"modelTopology": {}, "weightsManifest": [{"paths": []}]}),
    "metadata.json": json.dumps({"packageName": "@teachablemachine/pose", "labels": _NAMES}),
}


class OtherModelTarget(ByteTarget):
    """A folder of another program; an input is the name of a file, and what is in it."""

    name = "other-model"
    starts_programs = True  # the first time its network is tried

    def paths(self) -> Sequence[Path]:
        """The network, which stays as it is."""
        return [self.seeds / "bundle" / "model.tflite"]

    def make(self, rng: Random) -> bytes:
        """Spoil values or bytes of a text."""
        name = rng.choice(list(_TEXTS))
        data = _TEXTS[name].encode()
        if name.endswith(".json") and rng.random() < 0.7:  # noqa: PLR2004 - mostly
            data = encode_json(rng, mutate_json(rng, json.loads(data)))
        else:
            data = mutate_bytes(rng, data, [text.encode() for text in _TEXTS.values()])
        return f"{name}\n".encode() + data

    def run(self, data: bytes) -> None:
        """Say what it is, and run it where it can be."""
        name, _, content = data.partition(b"\n")
        folder = self.arena / "export"
        shutil.rmtree(folder, ignore_errors=True)
        self.write(f"export/{name.decode()}", content)
        if name in (b"labels.txt", b"signature.json"):
            self.write("export/model_unquant.tflite", self.samples[0])
        elif name == b"metadata.json":
            self.write("export/model.json", _TEXTS["model.json"].encode())
        found = recognise(folder)
        if found is None:
            raise BundleError("nothing is known of it")
        assert "\n" not in found.line  # noqa: S101 - what is looked for
        if found.runs:
            Classifier(open_other_model(found)).predict(_PICTURE)
