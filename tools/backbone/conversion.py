"""From trained weights to the files that are shipped.

Needs TensorFlow, LiteRT and this package, whose own code builds the network from the files.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from backbone.extraction import Extractor
from backbone.folding import fold
from edge_classifier.graphs import tflite
from edge_classifier.graphs.backbones import build_backbone
from edge_classifier.graphs.built_in_network import build_network, weight_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "built-in"
TOLERANCE = 1e-4  # between the files, relative to the largest feature
ROOT_OFFSET = 0.03  # see `BackboneInfo.root_offset`; 0.01 and 0.1 do as well
ROUNDING_TOLERANCE = 1e-2  # between them and the student, whose weights are float32


def build_teacher(weights: Path, alpha: float, size: int, *, maps: bool) -> bytes:
    """Compile a MobileNet v2 teacher.

    Args:
        weights: Keras weights without top.
        alpha: Width of the network.
        size: Input side in pixels.
        maps: Also give the two bottleneck maps.

    Returns:
        A TFLite model: RGB in [-1, 1] to pooled features, and to the maps if asked for.
    """
    model = keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=alpha, include_top=False, weights=None
    )
    model.load_weights(weights)
    outputs = [keras.layers.GlobalAveragePooling2D()(model.output)]
    if maps:
        outputs += [
            model.get_layer(name).output for name in ("block_16_project_BN", "block_12_add")
        ]
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(model.input, outputs))
    return bytes(converter.convert())


def convert(student: Path, output: Path, size: int) -> None:
    """Write ``built-in.weights.npz``, ``built-in.tflite`` and ``built-in.json``, checked.

    The batch norms are folded before the rounding to float16, so that it happens once and every
    file made of these weights, in float16 or float32, holds the same numbers.

    Args:
        student: ``student.npz`` of ``train``, with ``student.json`` and ``check.npz`` beside it.
        output: Folder for the three files.
        size: Input side in pixels.

    Raises:
        ValueError: if the weights are not the network's, or the files do not agree; files that
            were there before are left as they were.
    """
    record = json.loads(student.with_suffix(".json").read_text())
    alpha = float(record["settings"]["alpha"])
    with np.load(student) as stored:
        arrays = {key: stored[key] for key in stored.files}
    folded = fold(arrays)
    shapes = weight_shapes(alpha)
    found = {f"{i:03d}:{path}": array.shape for i, (path, array) in enumerate(folded.items())}
    if found != shapes:
        raise ValueError(f"Expected other weights: {sorted(set(found) ^ set(shapes))[:4]}")
    halves = (array.astype(np.float16) for array in folded.values())
    rounded: dict[str, Any] = dict(zip(shapes, halves, strict=True))
    if not all(np.isfinite(value).all() for value in rounded.values()):
        raise ValueError("Expected weights within the range of float16, found larger ones")
    model = build_network(keras, size, alpha)
    model.set_weights([array.astype(np.float32) for array in rounded.values()])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    compiled = bytes(converter.convert())

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **rounded)
    trained = {key: value for key, value in record.items() if not key.startswith("acc_")}
    description = {
        "name": NAME,
        "architecture": "mobilenet_v1",
        "alpha": alpha,
        "input_size": size,
        "feature_shape": list(model.output_shape[1:]),
        "weights_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "extractor_sha256": hashlib.sha256(compiled).hexdigest(),
        "scale": [-1, 1],
        "root_offset": ROOT_OFFSET,
        "trained": trained,
    }
    files = {
        f"{NAME}.weights.npz": buffer.getvalue(),
        f"{NAME}.tflite": compiled,
        f"{NAME}.json": (json.dumps(description, indent=1) + "\n").encode(),
    }
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output) as folder:
        made = Path(folder)
        for name, content in files.items():
            (made / name).write_bytes(content)
        with np.load(student.with_name("check.npz")) as sample:
            between, rounding = check(made, sample["images"], sample["features"])
        for name in files:
            (made / name).replace(output / name)
    total = sum(len(content) for content in files.values())
    print(
        f"{total / 1e6:.2f} MB; largest relative difference between the files {between:.1e}, "
        f"from the student {rounding:.1e}",
        flush=True,
    )


def check(
    models: Path, images: NDArray[np.uint8], student: NDArray[np.float32]
) -> tuple[float, float]:
    """Compare Keras, TFLite in float16 and in float32, and what the student gave in PyTorch.

    Args:
        models: Folder that `convert` wrote.
        images: ``(N, s, s, 3)`` RGB pictures.
        student: ``(N, D)``, the student's pooled features of them.

    Returns:
        The largest differences, relative to the largest feature: between the files, and of a
        file from the student.

    Raises:
        ValueError: if they differ by more than the tolerances.
    """
    model = build_backbone(NAME, models / f"{NAME}.weights.npz")
    original = np.asarray(model(images.astype(np.float32) / 127.5 - 1)).mean((1, 2))
    compiled = Extractor(models / f"{NAME}.tflite")(images)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "float32.tflite"
        exported.write_bytes(tflite.convert(tflite.freeze(model)))
        single = Extractor(exported)(images)
    largest = float(np.abs(student).max())
    between = max(float(np.abs(other - original).max()) for other in (compiled, single)) / largest
    rounding = max(float(np.abs(other - student).max()) for other in (original, compiled)) / largest
    if between > TOLERANCE or rounding > ROUNDING_TOLERANCE:
        raise ValueError(
            f"Expected equal features within {TOLERANCE} between the files and "
            f"{ROUNDING_TOLERANCE} from the student, found {between:.1e} and {rounding:.1e}"
        )
    return between, rounding
