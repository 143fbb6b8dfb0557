"""Write the whole classifier as a Keras model, or what is made of one; a program of its own.

Run as `python -m edge_classifier.graphs.keras_classifier FOLDER`; what it says meanwhile is
described in `features.child_process`. The folder holds `job.json`, `head.npz` and `squares.npy`;
what comes of it are the files of the format, in the folder that the job names, and `answers.npz`:
what a reader of these files says of the squares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.unknown_detector import NEIGHBOURS
from edge_classifier.errors import BackboneError
from edge_classifier.export.elsewhere.format import FAMILIARITY, IMAGE
from edge_classifier.export.formats import FEATURES, SCORES, SIMILARITIES
from edge_classifier.features.child_process import say_step, serve
from edge_classifier.graphs.backbones import build_backbone, import_keras, with_features
from edge_classifier.graphs.elsewhere import WRITERS
from edge_classifier.project.files import describe
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_WHITE: Final = 255.0
_LEAST_SCORE: Final = 1e-12


def build_classifier(
    keras: Any,  # noqa: ANN401 - Keras publishes no types
    to_features: Any,  # noqa: ANN401 - a keras.Model
    head: Mapping[str, npt.NDArray[np.float32]],
    scale: tuple[float, float],
    hesitation_weight: float,
) -> Any:  # noqa: ANN401 - a keras.Model
    """Put preprocessing before a model that gives features, and head and "unknown" behind it.

    Of layers that Keras itself knows: `keras.models.load_model` refuses functions of ours.

    Args:
        keras: The package.
        to_features: From `(N, S, S, 3)` in the backbone's range to `(N, D)`.
        head: The arrays of a `LinearHead` or a `DenseHead`, and of an `UnknownDetector` with its
            `offsets` if unknown is to be told.
        scale: The backbone's inputs of a black and of a white pixel.
        hesitation_weight: Of the detector.

    Returns:
        A model from RGB pixels 0 to 255, `(N, S, S, 3)` float32, to a dictionary: scores `(N, C)`,
        features `(N, D)`, and if unknown is to be told, similarities `(N, M)` and familiarity
        `(N, 1)` (see `device.verdict.familiarity`).
    """
    layers, ops = keras.layers, keras.ops
    pixels = keras.Input(to_features.input_shape[1:], dtype="float32", name=IMAGE)
    low, high = scale
    scaled = layers.Rescaling((high - low) / _WHITE, low)(pixels)
    features = to_features(scaled)
    directions = layers.UnitNormalization()(features)
    if "bias" in head:
        logits = _dense(layers, directions, head["weights"], head["bias"])
    else:
        hidden = _dense(layers, features, head["hidden_weights"], head["hidden_bias"], "relu")
        logits = _dense(layers, hidden, head["weights"])
    scores = layers.Softmax(name=SCORES)(logits)
    outputs = {SCORES: scores, FEATURES: layers.Identity(name=FEATURES)(features)}
    if "references" in head:
        kernel = np.ascontiguousarray((head["references"] * head["scales"][:, None]).T)
        similarities = _dense(layers, directions, kernel, head["offsets"], "relu", SIMILARITIES)
        nearest = ops.top_k(similarities, min(NEIGHBOURS, kernel.shape[1]))[0]
        logs = ops.log(ops.maximum(scores, _LEAST_SCORE))
        entropy = -ops.sum(scores * logs, axis=-1, keepdims=True)
        familiar = ops.mean(nearest, axis=-1, keepdims=True) - hesitation_weight * entropy
        outputs[SIMILARITIES] = similarities
        outputs[FAMILIARITY] = layers.Identity(name=FAMILIARITY)(ops.clip(familiar, 0.0, 1.0))
    return keras.Model(pixels, outputs, name="classifier")


def _dense(
    layers: Any,  # noqa: ANN401 - keras.layers
    inputs: Any,  # noqa: ANN401 - a symbolic tensor
    weights: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32] | None = None,
    activation: str | None = None,
    name: str | None = None,
) -> Any:  # noqa: ANN401 - a symbolic tensor
    layer = layers.Dense(
        weights.shape[1], activation=activation, use_bias=bias is not None, name=name
    )
    outputs = layer(inputs)
    layer.set_weights([weights] if bias is None else [weights, bias])
    return outputs


def _work(arguments: Sequence[str]) -> None:
    (folder,) = map(Path, arguments)
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    info = BackboneInfo.from_json(job["backbone"])
    with np.load(folder / "head.npz", allow_pickle=False) as archive:
        head = {name: archive[name] for name in archive.files}
    squares = np.load(folder / "squares.npy", allow_pickle=False)
    say_step(0.0, "importing TensorFlow")
    keras = import_keras()
    say_step(0.3, "building the network")
    backbone = build_backbone(info.name, Path(job["weights"]))
    model = build_classifier(
        keras,
        with_features(backbone, info.feature_kind, info.root_offset),
        head,
        (info.preprocessing.low, info.preprocessing.high),
        job["hesitation_weight"],
    )
    target = Path(job["target"])
    say_step(0.4, "writing it")
    try:
        ask = WRITERS[job["format"]](model, target, job["about"])
    except OSError as error:
        raise BackboneError(
            f"The {job['format']} model cannot be written to {target.parent}: {describe(error)}."
        ) from error
    say_step(0.7, "asking what was written")
    said = ask(squares)
    np.savez(folder / "answers.npz", **said)  # type: ignore[arg-type]  # NumPy's stub mistakes the arrays for its own keyword arguments
    say_step(1.0, "written")


if __name__ == "__main__":
    sys.exit(serve(_work))
