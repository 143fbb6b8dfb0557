"""Build the whole network as one Keras graph and convert it; a program of its own.

Run as `python -m edge_classifier.graphs.convert FOLDER`, so that TensorFlow never enters the
process that shows the picture. The folder holds `job.json`, `head.npz` and `pixels.npz`; what it
writes there is `<format>.tflite` for every format, and `keras.npz`: what the Keras graph says of
the pixels. What it says meanwhile is described in `features.child_process`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.export.formats import INT8, SCORES, SIMILARITIES
from edge_classifier.export.metadata import finish_model
from edge_classifier.features.child_process import end_with_parent
from edge_classifier.graphs.compile_extractor import Reduction, build_keras_model, freeze, reduced
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

_NICENESS: Final = 10
_TINY: Final = 1e-12
_BATCH: Final = 16
_FLOAT_TYPES: Final = {0: "float32", 1: "float16"}  # TensorType in TFLite's schema


def build_graph(
    backbone: Any,  # noqa: ANN401 - a keras.Model
    head: Mapping[str, npt.NDArray[np.float32]],
    reduction: Reduction,
    correction: npt.NDArray[np.float32] | None = None,
) -> Any:  # noqa: ANN401 - a keras.Model
    """Put the head, and what tells known from unknown, on the backbone.

    A softmax on normalised features is `softmax(f @ W / |f| + b)`: dividing after the product
    keeps the features themselves in the graph, which eight bits represent well; a thousand
    features of length 1 are all below one step of TFLite's L2 normalisation. The squared length
    is a product with ones, because that has an integer kernel where a sum has not, and readers
    other than TFLite know it.

    Args:
        backbone: From images to spatial features `(N, h, w, c)`.
        head: The arrays of a `LinearHead` or a `DenseHead`, and of an `UnknownDetector` if unknown
            is to be told.
        reduction: What becomes of the spatial features.
        correction: `(D,)` what is added to the features, see `feature_correction`.

    Returns:
        A model from images to `[scores (N, C)]` or `[scores, similarities (N, M)]`.
    """
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only

    layers = keras.layers
    features = reduced(backbone, reduction).output
    if correction is not None:
        shift = keras.ops.convert_to_tensor(correction[None])
        features = layers.Lambda(lambda tensor: tensor + shift)(features)

    def dense(
        inputs: Any,  # noqa: ANN401 - a symbolic tensor
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32] | None = None,
        activation: str | None = None,
    ) -> Any:  # noqa: ANN401 - same
        layer = layers.Dense(weights.shape[1], activation=activation, use_bias=bias is not None)
        outputs = layer(inputs)
        layer.set_weights([weights] if bias is None else [weights, bias])
        return outputs

    linear, references = "bias" in head, head.get("references")
    inverse_length = None
    if linear or references is not None:
        squares = layers.Multiply()([features, features])
        ones = np.ones((features.shape[-1], 1), np.float32)
        squared_length = dense(squares, ones, np.full(1, _TINY, np.float32))
        inverse_length = layers.Lambda(keras.ops.rsqrt)(squared_length)
    if linear:
        products = layers.Multiply()([dense(features, head["weights"]), inverse_length])
        bias = keras.ops.convert_to_tensor(head["bias"][None])
        logits = layers.Lambda(lambda tensor: tensor + bias)(products)
    else:
        hidden = dense(features, head["hidden_weights"], head["hidden_bias"], "relu")
        logits = dense(hidden, head["weights"])
    outputs = [layers.Softmax()(logits)]
    if references is not None:
        scales = head["scales"]
        scaled = dense(features, np.ascontiguousarray((references * scales[:, None]).T))
        scaled = layers.Multiply()([scaled, inverse_length])
        offset = keras.ops.convert_to_tensor((np.float32(1) - scales)[None])
        outputs.append(layers.ReLU()(layers.Lambda(lambda tensor: tensor + offset)(scaled)))
    return keras.Model(backbone.input, outputs)


def feature_correction(
    backbone: Any,  # noqa: ANN401 - a keras.Model
    reduction: Reduction,
    squares: npt.NDArray[np.uint8],
    scale: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
) -> npt.NDArray[np.float32]:
    """Measure by how much a quantised backbone's features are off on average.

    Rounding a MobileNet's weights shifts its features by a fifth of their mean, a channel always
    in the same direction. On ten hand signs it changed 19 % of the answers with v1 0.25 and 13 %
    with v2 0.35; with what is missing added it is 7 % with either (held-out samples).
    (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", ICCV
    2019, do so layer by layer.)

    Args:
        backbone: From images to spatial features.
        reduction: What becomes of these.
        squares: `(N, S, S, 3)` uint8, the representative samples.
        scale: Brings them into the backbone's range.

    Returns:
        `(D,)` what has to be added; the same for every place of spatial features.
    """
    model = reduced(backbone, reduction)
    (expected,) = _ask(model, scale, squares)
    interpreter = Interpreter(convert(freeze(model), INT8, scale(squares)))
    step, zero_point = interpreter.output_details[0]["quantization"]
    given = np.concatenate([interpreter.run(square[None])[0] for square in squares])
    missing = expected - (given.astype(np.float32) - zero_point) * np.float32(step)
    channels = int(backbone.output.shape[-1])
    of_channel = missing.reshape(-1, channels).mean(axis=0)
    return np.tile(of_channel, missing.shape[1] // channels).astype(np.float32)


def convert(
    frozen: Any,  # noqa: ANN401 - a TensorFlow function
    model_format: str,
    representative: npt.NDArray[np.float32],
) -> bytes:
    """Convert to a TFLite file.

    Args:
        frozen: From `compile_extractor.freeze`.
        model_format: One of `formats.LIMITS`.
        representative: `(N, S, S, 3)` inputs that calibrate int8.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow, and for child processes only

    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], tf.Module())
    if model_format != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if model_format == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if model_format == INT8:

        def samples() -> Iterator[list[npt.NDArray[np.float32]]]:
            for image in representative:
                yield [image[None]]

        converter.representative_dataset = samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        # MediaPipe refuses int8 tensors; a camera's pixels are uint8 anyway.
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def float_operators(content: bytes) -> list[str]:
    """Name the operators of a TFLite file that compute with floats."""
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 - slow to import

    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    found = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            tensors = [*operator.inputs, *operator.outputs]
            if any(n >= 0 and graph.tensors[n].type in _FLOAT_TYPES for n in tensors):
                found.append(names[max(code.builtinCode, code.deprecatedBuiltinCode)])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the job in a folder; see the module's docstring. Returns the exit status."""
    (folder,) = (Path(a) for a in (sys.argv[1:] if arguments is None else arguments))
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # the live picture goes on meanwhile
    try:
        _work(folder)
    except WeightsMismatchError as error:
        _say(f"mismatch {error}")
        return 1
    except (BackboneError, _NotIntegerError) as error:
        _say(f"failed {error}")
        return 1
    except OSError as error:
        _say(f"failed Temporary files in {folder} cannot be used: {describe(error)}.")
        return 1
    _say("step 1.0 converted")
    return 0


class _NotIntegerError(RuntimeError):
    """An operator of an int8 file still computes with floats."""


def _work(folder: Path) -> None:
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    with np.load(folder / "head.npz", allow_pickle=False) as archive:
        head = {name: archive[name] for name in archive.files}
    with np.load(folder / "pixels.npz", allow_pickle=False) as archive:
        pixels, representative = archive["verification"], archive["representative"]
    _say("step 0.0 importing TensorFlow")
    preprocessing = Preprocessing(**job["preprocessing"])
    scale = _scaling(preprocessing)
    backbone = build_keras_model(job["backbone"], Path(job["weights"]))
    _say("step 0.3 building the graph")
    reduction = Reduction(job["feature_kind"], job["root_offset"])
    model = build_graph(backbone, head, reduction)
    columns = _ask(model, scale, pixels)
    said = dict(zip((SCORES, SIMILARITIES), columns, strict=False))
    # NumPy's stub mistakes the arrays for its own keyword arguments.
    np.savez(folder / "keras.npz", **said)  # type: ignore[arg-type]
    frozen = freeze(model)
    for number, model_format in enumerate(job["formats"]):
        _say(f"step {0.5 + 0.5 * number / len(job['formats'])} converting to {model_format}")
        chosen = frozen
        if model_format == INT8:
            correction = feature_correction(backbone, reduction, representative, scale)
            chosen = freeze(build_graph(backbone, head, reduction, correction))
        content = convert(chosen, model_format, scale(representative))
        if model_format == INT8 and (left := float_operators(content)):
            raise _NotIntegerError(
                f"int8 is not possible for this network: {', '.join(sorted(set(left)))} would "
                "still compute with floats; choose float16."
            )
        finished = finish_model(
            content,
            job["class_names"],
            preprocessing,
            name=f"{job['name']} ({job['backbone']}, {model_format})",
        )
        (folder / f"{model_format}.tflite").write_bytes(finished)


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


def _scaling(
    preprocessing: Preprocessing,
) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
    """Scale squares as `Preprocessing.apply` does."""
    factor = np.float32((preprocessing.high - preprocessing.low) / 255.0)

    def scale(squares: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        scaled: npt.NDArray[np.float32] = np.multiply(squares, factor, dtype=np.float32)
        if preprocessing.low:
            scaled += np.float32(preprocessing.low)
        return scaled

    return scale


def _say(line: str) -> None:
    sys.stdout.write(" ".join(line.split()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
