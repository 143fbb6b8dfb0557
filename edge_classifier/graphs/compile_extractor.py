"""Turn a Keras backbone and its weights into a TFLite extractor; a program of its own.

Run as `python -m edge_classifier.graphs.compile_extractor NAME WEIGHTS TARGET`, so that
TensorFlow never enters the process that shows the picture. `build_keras_model` serves any other
child process that needs the network as a graph.

What it writes on standard output, a line each: `step <fraction> <what>` while it works, and
`mismatch <one line>` or `failed <one line>` before it ends with status 1.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.catalogue import BUILT_IN, official
from edge_classifier.features.child_process import end_with_parent
from edge_classifier.features.extractors import write_whole
from edge_classifier.features.tuned import TUNED_WEIGHTS
from edge_classifier.graphs.built_in_network import build_network, read_weights
from edge_classifier.graphs.two_tails import build_tuned, built_in_size
from edge_classifier.graphs.weights_check import is_legacy
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

_NICENESS: Final = 10
_ENVIRONMENT: Final = {
    "CUDA_VISIBLE_DEVICES": "-1",  # looking for a GPU takes longer than the work
    "KERAS_BACKEND": "tensorflow",  # whatever the user's keras.json says
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class Reduction(NamedTuple):
    """How spatial features become the head's; see `frame.BackboneInfo` for both."""

    feature_kind: str
    root_offset: float | None


def build_keras_model(backbone: BackboneInfo | str, weights: Path) -> Any:  # noqa: ANN401 - Keras publishes no types
    """Build a backbone as a Keras model. Imports TensorFlow: for child processes only.

    Args:
        backbone: Its name, or what describes it.
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
    keras = _import_keras()
    name = backbone.name if isinstance(backbone, BackboneInfo) else backbone
    if weights.name == TUNED_WEIGHTS:
        untuned = build_network(keras, *built_in_size(weights)) if name == BUILT_IN else None
        return build_tuned(keras, name, untuned or _untrained(keras, name), weights)
    if name == BUILT_IN:
        return _build_built_in(keras, weights)
    model = _untrained(keras, name)
    _load_weights(model, weights, name)
    layer = official(name).layer
    return model if layer is None else keras.Model(model.inputs, model.get_layer(layer).output)


def reduced(backbone: Any, reduction: Reduction) -> Any:  # noqa: ANN401 - keras.Model
    """Put pooling or flattening on a backbone: a model to features `(N, D)`.

    Args:
        backbone: A Keras model to spatial features `(N, h, w, c)`.
        reduction: What becomes of these.
    """
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only

    layers = keras.layers
    if reduction.feature_kind != "pooled":
        return keras.Model(backbone.input, layers.Flatten()(backbone.output))
    features = layers.GlobalAveragePooling2D()(backbone.output)
    if reduction.root_offset is not None:
        offset = reduction.root_offset
        inverse = layers.Lambda(lambda tensor: keras.ops.rsqrt(tensor + offset))(features)
        features = layers.Multiply()([features, inverse])
    return keras.Model(backbone.input, features)


def _untrained(keras: Any, name: str) -> Any:  # noqa: ANN401 - Keras publishes no types
    """Make an official backbone with random weights."""
    spec = official(name)
    size = spec.preprocessing.input_size
    make, options = {
        "mobilenet_v1": (keras.applications.MobileNet, {}),
        "mobilenet_v2": (keras.applications.MobileNetV2, {}),
        "mobilenet_v3_small": (keras.applications.MobileNetV3Small, {}),
        "mobilenet_v3_large": (keras.applications.MobileNetV3Large, {}),
    }[spec.architecture]
    if spec.high > 1:
        options = {"include_preprocessing": True}
    return make(
        input_shape=(size, size, 3),
        alpha=spec.alpha,
        include_top=False,
        weights=None,
        **options,
    )


def freeze(model: Any) -> Any:  # noqa: ANN401 - Keras and TensorFlow publish no types
    """Turn a Keras model into one function of one image, its variables made constants.

    `TFLiteConverter.from_keras_model` gives the same network, but takes five times as long, most
    of it in writing a SavedModel; and `from_concrete_functions` leaves variables outside the
    file unless they are constants.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only
    from tensorflow.python.framework.convert_to_constants import (  # noqa: PLC0415 - same
        convert_variables_to_constants_v2,
    )

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow publishes no types
    def run(image: Any) -> Any:  # noqa: ANN401 - a symbolic tensor
        return model(image, training=False)

    traced = run.get_concrete_function(
        tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    )
    return convert_variables_to_constants_v2(traced)


def convert(model: Any) -> bytes:  # noqa: ANN401 - Keras publishes no types
    """Convert a Keras model to float32 TFLite for one image at a time."""
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    converter = tf.lite.TFLiteConverter.from_concrete_functions([freeze(model)], tf.Module())
    return bytes(converter.convert())


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile one extractor; see the module's docstring. Returns the exit status."""
    name, weights, target = arguments if arguments is not None else sys.argv[1:]
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # the live picture goes on meanwhile
    try:
        if name != BUILT_IN:
            _is_legacy(Path(weights), name)  # what is damaged shows at once, without TensorFlow
        _say("step 0.0 importing TensorFlow")
        _import_keras()
        _say("step 0.6 building the network")
        model = build_keras_model(name, Path(weights))
        _say("step 0.75 converting it")
        write_whole(Path(target), convert(model))
    except WeightsMismatchError as error:
        _say(f"mismatch {error}")
        return 1
    except (BackboneError, OSError) as error:
        _say(f"failed {error}")
        return 1
    _say("step 1.0 done")
    return 0


def _import_keras() -> Any:  # noqa: ANN401 - Keras publishes no types
    os.environ.update(_ENVIRONMENT)
    try:
        import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only
    except ImportError as error:
        raise BackboneError(
            f"Compiling a backbone needs TensorFlow, which cannot be imported: {_line(error)}."
        ) from error
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    return keras


def _is_legacy(weights: Path, name: str) -> bool:
    """Say whether a weights file has the layout of Keras 1 and 2, as the official ones have."""
    try:
        return is_legacy(weights, _say)
    except WeightsMismatchError:
        raise
    except Exception as error:
        raise _mismatch(weights, name, error) from error


def _load_weights(model: Any, weights: Path, name: str) -> None:  # noqa: ANN401 - Keras
    """Load a weights file whatever its name is; Keras goes by the ending alone."""
    import numpy as np  # noqa: PLC0415 - comes with Keras, for child processes only

    suffix = ".h5" if _is_legacy(weights, name) else ".weights.h5"
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / f"weights{suffix}"
            shutil.copyfile(weights, copy)
            model.load_weights(copy)
    except Exception as error:
        raise _mismatch(weights, name, error) from error
    if not all(np.isfinite(variable).all() for variable in model.get_weights()):
        raise WeightsMismatchError(f"{weights} is damaged: it holds values that are no numbers.")


def _mismatch(weights: Path, name: str, error: Exception) -> WeightsMismatchError:
    return WeightsMismatchError(
        f"{weights} does not hold the weights of {name}: {_line(error)}. Pass the file that "
        f"belongs to {name}, or choose the backbone that the file belongs to."
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
            f"{weights} is no built-in backbone: {_line(error)}. Install the package again."
        ) from error
    if not described:
        raise WeightsMismatchError(
            f"{weights} is damaged: its hash is not the one in {description.name}. "
            "Install the package again."
        )
    return model


def _say(line: str) -> None:
    sys.stdout.write(" ".join(line.split()) + "\n")
    sys.stdout.flush()


def _line(error: BaseException) -> str:
    """The part of an error that fits on a line, without its full stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].partition(" Example error")[0].rstrip(".")[:300]


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
