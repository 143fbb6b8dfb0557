"""Build the whole classifier as one Keras graph and convert it; a program of its own.

Run as `python -m edge_classifier.graphs.convert_classifier FOLDER`; what it says meanwhile is
described in `features.child_process`. The folder holds `job.json`, `head.npz` and `pixels.npz`;
what it writes there is `<format>.tflite` for every format, and `keras.npz`: what the Keras graph
says of the pixels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.errors import BackboneError
from edge_classifier.export.formats import FEATURES, INT8, SCORES, SIMILARITIES, SPATIAL
from edge_classifier.export.metadata import finish_model
from edge_classifier.features.child_process import say_step, serve
from edge_classifier.graphs.backbones import build_backbone, with_features
from edge_classifier.graphs.tflite import convert, float_operators, freeze
from edge_classifier.project.files import describe
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

_TINY: Final = 1e-12
_BATCH: Final = 16


def build_graph(
    to_features: Any,  # noqa: ANN401 - a keras.Model
    head: Mapping[str, npt.NDArray[np.float32]],
    correction: npt.NDArray[np.float32] | None = None,
    spatial: Any = None,  # noqa: ANN401 - a symbolic tensor
) -> Any:  # noqa: ANN401 - a keras.Model
    """Put the head, and what tells known from unknown, on a model that gives features.

    A softmax on normalised features is `softmax(f @ W / |f| + b)`: dividing after the product
    keeps the features themselves in the graph, which eight bits represent well; a thousand
    features of length 1 are all below one step of TFLite's L2 normalisation. The squared length
    is a product with ones, because that has an integer kernel where a sum has not, and readers
    other than TFLite know it.

    `head` has the arrays of a `LinearHead` or a `DenseHead`, and of an `UnknownDetector` with its
    `offsets` if unknown is to be told; `correction`, `(D,)`, is added to the features, see
    `feature_correction`; `spatial`, `(N, h, w, c)`, is the feature map, if it is to be an output.

    Returns:
        A model from images to scores `(N, C)`, similarities `(N, M)` if unknown is to be told,
        features `(N, D)`, and the flattened `spatial` if it is given.
    """
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only

    layers = keras.layers
    features = to_features.output
    if correction is not None:
        shift = keras.ops.convert_to_tensor(correction[None])
        features = layers.Lambda(lambda tensor: tensor + shift)(features)

    linear, references = "bias" in head, head.get("references")
    inverse_length = None
    if linear or references is not None:
        squares = layers.Multiply()([features, features])
        ones = np.ones((features.shape[-1], 1), np.float32)
        squared_length = _dense(squares, ones, np.full(1, _TINY, np.float32))
        inverse_length = layers.Lambda(keras.ops.rsqrt)(squared_length)
    if linear:
        products = layers.Multiply()([_dense(features, head["weights"]), inverse_length])
        bias = keras.ops.convert_to_tensor(head["bias"][None])
        logits = layers.Lambda(lambda tensor: tensor + bias)(products)
    else:
        hidden = _dense(features, head["hidden_weights"], head["hidden_bias"], "relu")
        logits = _dense(hidden, head["weights"])
    outputs = [layers.Softmax()(logits)]
    if references is not None:
        kernel = np.ascontiguousarray((references * head["scales"][:, None]).T)
        scaled = layers.Multiply()([_dense(features, kernel), inverse_length])
        offset = keras.ops.convert_to_tensor(head["offsets"][None])
        outputs.append(layers.ReLU()(layers.Lambda(lambda tensor: tensor + offset)(scaled)))
    outputs.append(features)
    if spatial is not None:
        outputs.append(layers.Flatten()(spatial))
    return keras.Model(to_features.input, outputs)


def _dense(
    inputs: Any,  # noqa: ANN401 - a symbolic tensor
    weights: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32] | None = None,
    activation: str | None = None,
) -> Any:  # noqa: ANN401 - same
    import keras  # noqa: PLC0415 - as above

    layer = keras.layers.Dense(weights.shape[1], activation=activation, use_bias=bias is not None)
    outputs = layer(inputs)
    layer.set_weights([weights] if bias is None else [weights, bias])
    return outputs


def feature_correction(
    to_features: Any,  # noqa: ANN401 - a keras.Model
    channels: int,
    squares: npt.NDArray[np.uint8],
    scale: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float32]:
    """Measure by how much a quantised backbone's features are off on average.

    Rounding a MobileNet's weights shifts its features by a fifth of their mean, a channel always
    in the same direction. On ten hand signs it changed 19 % of the answers with v1 0.25 and 13 %
    with v2 0.35; with what is missing added it is 7 % with either (held-out samples).
    (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", ICCV
    2019, do so layer by layer.)

    The squares, `(N, S, S, 3)` uint8 RGB, are the representative samples; `scale` brings them into
    the backbone's range. `channels` are those of its spatial features.

    Returns:
        `(D,)` what has to be added; the same for every place of spatial features.
    """
    (expected,) = _ask(to_features, scale, squares)
    interpreter = Interpreter(convert(freeze(to_features), INT8, scale(squares)))
    step, zero_point = interpreter.output_details[0]["quantization"]
    given = np.concatenate([interpreter.run(square[None])[0] for square in squares])
    missing = expected - (given.astype(np.float32) - zero_point) * np.float32(step)
    of_channel = missing.reshape(-1, channels).mean(axis=0)
    return np.tile(of_channel, missing.shape[1] // channels).astype(np.float32)


def _ask(
    model: Any,  # noqa: ANN401 - a keras.Model
    scale: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
    pixels: npt.NDArray[np.uint8],
) -> list[npt.NDArray[np.float32]]:
    """Run the Keras graph on squares `(N, S, S, 3)`; returns one array per output."""
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    run = tf.function(lambda images: model(images, training=False))  # five times as fast
    outputs: list[list[npt.NDArray[np.float32]]] = []
    for start in range(0, len(pixels), _BATCH):
        batch = pixels[start : start + _BATCH]
        # Batches of one size: the function would be traced again for another.
        padded = np.resize(batch, (_BATCH, *batch.shape[1:]))
        said = tf.nest.flatten(run(scale(padded)))  # a single output comes without a list
        outputs.append([np.asarray(output)[: len(batch)] for output in said])
    return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def _work(arguments: Sequence[str]) -> None:
    (folder,) = map(Path, arguments)
    try:
        _convert(folder)
    except OSError as error:
        raise BackboneError(
            f"Temporary files in {folder} cannot be used: {describe(error)}."
        ) from error
    say_step(1.0, "converted")


def _convert(folder: Path) -> None:
    """Do the job in a folder; see the module's docstring.

    Raises:
        BackboneError: if an operator of an int8 file would still compute with floats.
    """
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    info = BackboneInfo.from_json(job["backbone"])
    with np.load(folder / "head.npz", allow_pickle=False) as archive:
        head = {name: archive[name] for name in archive.files}
    with np.load(folder / "pixels.npz", allow_pickle=False) as archive:
        pixels, representative = archive["verification"], archive["representative"]
    say_step(0.0, "importing TensorFlow")

    def scale(squares: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        # Squares of the input's own size are only turned from BGR to RGB, and scaled.
        bgr = np.ascontiguousarray(squares[..., ::-1])
        return np.stack([info.preprocessing.apply(square) for square in bgr])

    backbone = build_backbone(info.name, Path(job["weights"]))
    say_step(0.3, "building the graph")
    to_features = with_features(backbone, info.feature_kind, info.root_offset)
    outputs = [SCORES, SIMILARITIES, FEATURES] if "references" in head else [SCORES, FEATURES]
    said = dict(zip(outputs, _ask(build_graph(to_features, head), scale, pixels), strict=True))
    # NumPy's stub mistakes the arrays for its own keyword arguments.
    np.savez(folder / "keras.npz", **said)  # type: ignore[arg-type]
    spatial = None
    if info.feature_kind == "pooled":
        spatial = backbone.output
        outputs.append(SPATIAL)
    frozen = freeze(build_graph(to_features, head, spatial=spatial))
    for number, model_format in enumerate(job["formats"]):
        say_step(0.5 + 0.5 * number / len(job["formats"]), f"converting to {model_format}")
        if model_format == INT8:
            channels = info.feature_shape[2]
            correction = feature_correction(to_features, channels, representative, scale)
            corrected = freeze(build_graph(to_features, head, correction, spatial))
            content = _quantised(corrected, scale(representative))
        else:
            content = convert(frozen, model_format)
        name = f"{job['name']} ({info.name}, {model_format})"
        finished = finish_model(content, job["class_names"], outputs, info.preprocessing, name)
        (folder / f"{model_format}.tflite").write_bytes(finished)


def _quantised(frozen: Any, representative: npt.NDArray[np.float32]) -> bytes:  # noqa: ANN401 - a TensorFlow function
    content = convert(frozen, INT8, representative)
    if left := float_operators(content):
        raise BackboneError(
            f"int8 is not possible for this network: {', '.join(sorted(set(left)))} would "
            "still compute with floats; choose float16."
        )
    return content


if __name__ == "__main__":
    sys.exit(serve(_work))
