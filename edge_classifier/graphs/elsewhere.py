"""From a Keras model to files of other frameworks, and back by a reader of each.

Imports TensorFlow when called: for child processes only. Each writer returns what asks the files
that it wrote, not the model that it had.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from edge_classifier.errors import BackboneError
from edge_classifier.export.elsewhere.format import FAMILIARITY, IMAGE
from edge_classifier.export.elsewhere.keras_formats import OPSET
from edge_classifier.export.formats import SCORES
from edge_classifier.graphs.tfjs import read_graph_model, write_graph_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

_BATCH: Final = 16

Ask: TypeAlias = "Callable[[npt.NDArray[np.uint8]], dict[str, npt.NDArray[np.float32]]]"
"""Gives scores, and familiarity where that can be told, of squares `(N, S, S, 3)` uint8 RGB."""


def _asker(run: Callable[[Any], Mapping[str, Any]], batch: int = _BATCH) -> Ask:
    """Ask in batches of one size, which every reader is fastest with."""

    def ask(squares: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        parts = []
        for start in range(0, len(squares), batch):
            some = squares[start : start + batch]
            said = run(np.resize(some, (batch, *some.shape[1:])).astype(np.float32))
            parts.append({name: np.asarray(said[name])[: len(some)] for name in said})
        wanted = [name for name in (SCORES, FAMILIARITY) if name in parts[0]]
        return {name: np.concatenate([part[name] for part in parts]) for name in wanted}

    return ask


def _write_keras(model: Any, folder: Path, _about: Mapping[str, str]) -> Ask:  # noqa: ANN401 - a keras.Model
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only
    import tensorflow as tf  # noqa: PLC0415 - same

    path = folder / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path, compile=False, safe_mode=True)
    return _asker(tf.function(lambda images: loaded(images, training=False)))


def _write_saved_model(model: Any, folder: Path, _about: Mapping[str, str]) -> Ask:  # noqa: ANN401 - a keras.Model
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    path = folder / "saved_model"
    try:
        model.export(path, format="tf_saved_model", verbose=False)
    except tf.errors.ResourceExhaustedError as error:  # TensorFlow's words for a full disk
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    signature = tf.saved_model.load(path).signatures["serving_default"]
    return _asker(lambda images: signature(**{IMAGE: tf.constant(images)}))


def _write_onnx(model: Any, folder: Path, about: Mapping[str, str]) -> Ask:  # noqa: ANN401 - a keras.Model
    """Write ONNX, in which `about` goes as metadata; OpenCV asks it.

    Raises:
        BackboneError: if tf2onnx cannot be used.
    """
    import cv2  # noqa: PLC0415 - only for this format
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    try:
        import tf2onnx  # noqa: PLC0415 - an extra, and slow
    except ImportError as error:
        raise BackboneError(f"tf2onnx cannot be imported: {error}.") from error
    path = folder / "model.onnx"
    images = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name=IMAGE)
    run = tf.function(lambda image: model(image, training=False), input_signature=[images])
    converted, _ = tf2onnx.convert.from_function(run, input_signature=[images], opset=OPSET)
    for value in (*converted.graph.input, *converted.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    for key, text in about.items():
        converted.metadata_props.add(key=key, value=text)
    path.write_bytes(converted.SerializeToString())
    network = cv2.dnn.readNetFromONNX(np.fromfile(path, np.uint8))
    names = [output.name for output in converted.graph.output]

    def forward(images: npt.NDArray[np.float32]) -> dict[str, Any]:
        network.setInput(images)
        return dict(zip(names, network.forward(names), strict=True))

    return _asker(forward, batch=1)


def _write_tfjs(model: Any, folder: Path, about: Mapping[str, str]) -> Ask:  # noqa: ANN401 - a keras.Model
    write_graph_model(model, folder, about)
    return _asker(read_graph_model(folder))


WRITERS: Final[Mapping[str, Callable[[Any, Path, Mapping[str, str]], Ask]]] = {
    "keras": _write_keras,
    "saved-model": _write_saved_model,
    "onnx": _write_onnx,
    "tfjs": _write_tfjs,
}
"""By format: writes a model into a folder; what `about` tells goes in where there is a place."""
