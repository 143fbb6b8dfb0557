"""Backbones as Keras models, built of their weights files. Imports TensorFlow when called."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.catalogue import BUILT_IN, official
from edge_classifier.features.child_process import require_tensorflow
from edge_classifier.features.tuned import TUNED_WEIGHTS
from edge_classifier.graphs.built_in_network import build_network, read_weights
from edge_classifier.graphs.hdf5_check import first_line, is_legacy, mismatch
from edge_classifier.graphs.tuned_network import build_tuned, built_in_size

if TYPE_CHECKING:
    from edge_classifier.values import FeatureKind

_ENVIRONMENT: Final = {
    "CUDA_VISIBLE_DEVICES": "-1",  # looking for a GPU takes longer than the work
    "KERAS_BACKEND": "tensorflow",  # whatever the user's keras.json says
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def import_keras() -> Any:  # noqa: ANN401 - Keras publishes no types
    """Import Keras, and with it TensorFlow: takes seconds, for child processes only.

    Raises:
        BackboneError: if TensorFlow is not installed.
    """
    require_tensorflow("This")
    os.environ.update(_ENVIRONMENT)
    try:
        import keras  # noqa: PLC0415 - see above
    except ImportError as error:
        raise BackboneError(
            f"TensorFlow cannot be imported: {first_line(error)}. Install it again: "
            "pip install --force-reinstall 'edge-classifier[tensorflow]'"
        ) from error
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    return keras


def build_backbone(name: str, weights: Path) -> Any:  # noqa: ANN401 - Keras publishes no types
    """Build a backbone as a Keras model.

    Args:
        name: As in the catalogue.
        weights: For an official backbone the official `.h5`, or a `.weights.h5` that Keras 3
            saved. For the built-in one its `.npz`, beside which its `.json` lies. Of one that
            was fine-tuned, its file in the project.

    Returns:
        A `keras.Model` from `(N, S, S, 3)` float32 (RGB, scaled as the backbone's preprocessing
        says) to the spatial features `(N, h, w, c)`.

    Raises:
        WeightsMismatchError: if the file is damaged or belongs to another architecture.
        BackboneError: if TensorFlow is not installed.
    """
    keras = import_keras()
    if weights.name == TUNED_WEIGHTS:
        size = built_in_size(weights) if name == BUILT_IN else None
        untuned = build_network(keras, *size) if size else _untrained(keras, name)
        return build_tuned(keras, name, untuned, weights)
    if name == BUILT_IN:
        return _build_built_in(keras, weights)
    model = _untrained(keras, name)
    load_weights(model, weights, name)
    layer = official(name).layer
    return model if layer is None else keras.Model(model.inputs, model.get_layer(layer).output)


def with_features(
    backbone: Any,  # noqa: ANN401 - a keras.Model
    feature_kind: FeatureKind,
    root_offset: float | None,
) -> Any:  # noqa: ANN401 - same
    """Put on a backbone what makes its spatial features `(N, h, w, c)` a head's `(N, D)`.

    What that is, pooling or flattening, tells `BackboneInfo`.
    """
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only

    layers = keras.layers
    if feature_kind != "pooled":
        return keras.Model(backbone.input, layers.Flatten()(backbone.output))
    features = layers.GlobalAveragePooling2D()(backbone.output)
    if root_offset is not None:
        features = features * keras.ops.rsqrt(features + root_offset)
    return keras.Model(backbone.input, features)


def load_weights(model: Any, weights: Path, name: str) -> None:  # noqa: ANN401 - a keras.Model
    """Load an HDF5 file of any version of Keras, which a user may have given; it is checked first.

    Raises:
        WeightsMismatchError: if the file is damaged or belongs to another architecture.
    """
    suffix = ".h5" if is_legacy(weights, name) else ".weights.h5"
    try:
        with tempfile.TemporaryDirectory() as folder:  # Keras goes by the file's name
            copy = Path(folder) / f"weights{suffix}"
            shutil.copyfile(weights, copy)
            model.load_weights(copy)
    except Exception as error:
        raise mismatch(weights, name, error) from error
    if not all(np.isfinite(variable).all() for variable in model.get_weights()):
        raise WeightsMismatchError(f"{weights} is damaged: it holds values that are no numbers.")


def _untrained(keras: Any, name: str) -> Any:  # noqa: ANN401 - Keras publishes no types
    """Make an official backbone with random weights."""
    spec = official(name)
    size = spec.preprocessing.input_size
    make = getattr(keras.applications, spec.architecture)
    options = {"include_preprocessing": True} if spec.high > 1 else {}
    return make(
        input_shape=(size, size, 3), alpha=spec.alpha, include_top=False, weights=None, **options
    )


def _build_built_in(keras: Any, weights: Path) -> Any:  # noqa: ANN401 - Keras
    description = weights.with_name(f"{BUILT_IN}.json")
    try:
        content = weights.read_bytes()
        about = json.loads(description.read_text(encoding="utf-8"))
        alpha = float(about["alpha"])
        model = build_network(keras, int(about["input_size"]), alpha)
        model.set_weights(read_weights(content, alpha))
        described = hashlib.sha256(content).hexdigest() == about["weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise WeightsMismatchError(
            f"{weights} is no built-in backbone: {first_line(error)}. Install the package again."
        ) from error
    if not described:
        raise WeightsMismatchError(
            f"{weights} is damaged: its hash is not the one in {description.name}. "
            "Install the package again."
        )
    return model
