"""Models of other programs are known by their files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import classifiers
from support.other_models import LABELS, SIGNATURE, WEB_MODEL, written

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import open_importer
from edge_classifier.project.importers.other_models import recognise

HDF5 = b"\x89HDF\r\n\x1a\n"
NETWORK = classifiers.colours()
IMAGE = json.dumps({"packageName": "@teachablemachine/image", "labels": ["a", "b"]})
POSE = json.dumps({"packageName": "@teachablemachine/pose"})
SOUND = json.dumps({"modelName": "TMv2", "wordLabels": ["Background Noise", "Class 2"]})

EXPORTS: list[tuple[dict[str, bytes | str], str]] = [
    ({"keras_model.h5": HDF5, "labels.txt": LABELS}, "a Keras model of Teachable Machine"),
    ({"model.keras": b"PK"}, "a Keras model (model.keras)"),
    ({"saved_model.pb": b"\n", "fingerprint.pb": b"\n"}, "a TensorFlow model (saved_model.pb)"),
    ({"model.savedmodel/saved_model.pb": b"\n"}, "a TensorFlow model of Teachable Machine"),
    ({"model.json": WEB_MODEL}, "a TensorFlow.js model (model.json)"),
    ({"model.json": "{}", "weights.bin": b"\0" * 100}, "a TensorFlow.js model (model.json)"),
    ({"model.json": WEB_MODEL, "metadata.json": IMAGE}, "a TensorFlow.js model of Teachable Mach"),
    ({"model.json": WEB_MODEL, "metadata.json": POSE}, "a TensorFlow.js model of poses of Teach"),
    ({"model.json": WEB_MODEL, "metadata.json": SOUND}, "a TensorFlow.js model of sounds of Teach"),
    ({"signature.json": json.dumps({**SIGNATURE, "format": "tf"})}, "a model (tf) of Lobe"),
    ({"signature.json": json.dumps({**SIGNATURE, "format": "onnx"})}, "a model (onnx) of Lobe"),
    ({"model.onnx": b"\x08", "labels.txt": "cat\n"}, "an ONNX model (model.onnx)"),
    ({"yolo.pt": b"PK"}, "a PyTorch model (yolo.pt)"),
    ({"model_unquant.tflite": NETWORK}, "a TFLite model of Teachable Machine"),
    ({"converted_tflite/model.tflite": NETWORK}, "a TFLite model, not pictures"),
    (
        {"signature.json": json.dumps(SIGNATURE), "saved_model.tflite": NETWORK},
        "a TFLite model of Lobe",
    ),
]


@pytest.mark.parametrize(("files", "what"), EXPORTS)
@pytest.mark.parametrize("packed", [False, True])
def test_an_export_is_told_for_what_it_is(
    tmp_path: Path, files: dict[str, bytes | str], what: str, *, packed: bool
) -> None:
    path = written(tmp_path / "export", files)
    if packed:
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    with pytest.raises(NotImportableError) as told:
        open_importer(path)
    assert str(told.value).startswith(f"{path} is {what}")
    assert "\n" not in str(told.value)


def test_what_can_be_done_with_it_is_said(tmp_path: Path) -> None:
    keras = recognise(written(tmp_path / "a", {"keras_model.h5": HDF5}))
    runs = recognise(written(tmp_path / "b", {"model.tflite": NETWORK}))
    sounds = recognise(written(tmp_path / "c", {"model.json": WEB_MODEL, "metadata.json": SOUND}))
    assert keras
    assert runs
    assert sounds
    assert "export it as TensorFlow Lite, floating point, to run it" in keras.line
    assert f"`edge-classifier run {tmp_path / 'b'}`" in runs.line
    assert "only pictures are classified" in sounds.line
    assert (keras.runs, runs.runs, sounds.runs) == (False, True, False)


def test_of_several_files_that_of_floating_point_is_taken(tmp_path: Path) -> None:
    names = ("model.tflite", "model_edgetpu.tflite", "model_unquant.tflite")
    found = recognise(written(tmp_path, dict.fromkeys(names, NETWORK)))
    assert found
    assert found.file == "model_unquant.tflite"


def test_labels_are_those_of_the_same_folder(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "old/labels.txt": LABELS,
        "new/model.tflite": NETWORK,
        "new/labels.txt": "0 cat\n",
        "readme.txt": "hello",
        "__MACOSX/new/._model.tflite": "",
        "new/._model.tflite": "",
    }
    found = recognise(written(tmp_path, files))
    assert found
    assert found.labels == "new/labels.txt"


def test_which_of_several_models_is_meant_is_asked(tmp_path: Path) -> None:
    files = {"old/model.tflite": NETWORK, "new/model_unquant.tflite": NETWORK}
    found = recognise(written(tmp_path, dict(files)))
    assert found
    assert not found.runs
    assert "holds several models (new/model_unquant.tflite, old/model.tflite)" in found.line


def test_a_lone_file_is_known_and_a_tflite_file_has_its_labels_beside_it(tmp_path: Path) -> None:
    folder = written(tmp_path, {"weights.h5": HDF5, "model.tflite": NETWORK, "labels.txt": LABELS})
    keras, tflite = recognise(folder / "weights.h5"), recognise(folder / "model.tflite")
    assert keras
    assert tflite
    assert "a Keras model (weights.h5)" in keras.line
    assert (tflite.file, tflite.labels) == ("model.tflite", "labels.txt")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"notes.txt": "hello"},
        {"model.json": "{}"},
        {"model.json": "[" * 100_000},
        {"signature.json": '{"signed": true}'},
        {"package.json": WEB_MODEL},
    ],
)
def test_other_things_are_no_models(tmp_path: Path, files: dict[str, bytes | str]) -> None:
    assert recognise(written(tmp_path, files)) is None
    assert recognise(tmp_path / "nothing") is None


def test_pictures_beside_which_a_model_lies_are_imported(tmp_path: Path) -> None:
    picture = cv2.imencode(".png", np.full((20, 20, 3), 90, np.uint8))[1].tobytes()
    written(tmp_path, {"cat/1.png": picture, "dog/1.png": picture + b"\0", "best.pt": b"PK"})
    assert recognise(tmp_path) is None
    assert open_importer(tmp_path).count == 2
