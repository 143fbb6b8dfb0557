"""Fine-tune the last blocks of a backbone on a few samples; a program of its own.

Run as `python -m edge_classifier.graphs.fine_tune_backbone FOLDER`; what it says meanwhile is
described in `features.child_process`. The folder holds `job.json` and `views.npz`; what it writes
there is the tuned backbone: its weights, as `build_backbone` reads them, and the compiled
extractor.

A cosine head, imprinted with the class means (Qi et al., "Low-Shot Learning with Imprinted
Weights", CVPR 2018), leads the last blocks; it is thrown away, and the project's own head is
trained on the new features. What comes before those blocks is computed once. Batch norms keep
their statistics: a few dozen pictures of one scene would give wrong ones.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.child_process import say_step, serve
from edge_classifier.features.tuned import EXTRACTOR, JOB, TUNED_WEIGHTS, VIEWS
from edge_classifier.graphs.backbones import build_backbone, with_features
from edge_classifier.graphs.tflite import convert, freeze
from edge_classifier.graphs.tuned_network import as_file, with_tuned_branch
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_LEARNING_RATE: Final = 3e-4
_BATCH: Final = 48
_STEPS: Final = (120, 300)
_EPOCHS: Final = 16
_LABEL_SMOOTHING: Final = 0.1
_SCALE: Final = 16.0
"""Of the cosines: the softmax of cosines alone could never be sure."""

_STARTED: Final = 0.1
_CACHED: Final = 0.35
_TUNED: Final = 0.85
"""Parts of the whole, for the progress bar."""


def _fine_tune(arguments: Sequence[str]) -> None:
    (folder,) = map(Path, arguments)
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    info = BackboneInfo.from_json(job["backbone"])
    with np.load(folder / VIEWS, allow_pickle=False) as file:
        views, class_ids = file["views"], file["class_ids"]
    say_step(0.0, "importing TensorFlow")
    weights = Path(job["weights"])
    tuned = _tune(build_backbone(info.name, weights), info, views, class_ids, job["seed"])
    say_step(_TUNED, "writing it")
    (folder / TUNED_WEIGHTS).write_bytes(as_file(tuned.get_weights()))
    (folder / EXTRACTOR).write_bytes(convert(freeze(tuned)))
    if info.name == BUILT_IN:  # says how wide the network is
        name = f"{BUILT_IN}.json"
        shutil.copyfile(weights.with_name(name), folder / name)
    say_step(1.0, "done")


def _tune(
    model: Any,  # noqa: ANN401 - Keras publishes no types
    info: BackboneInfo,
    views: npt.NDArray[np.uint8],
    class_ids: npt.NDArray[np.int64],
    seed: int,
) -> Any:  # noqa: ANN401 - same
    """Give a backbone a branch tuned on views `(N, S, S, 3)` RGB of classes `(N,)`."""
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only

    keras.utils.set_random_seed(seed)
    trunk, branch, whole = with_tuned_branch(keras, model, info.name)
    low, high = info.preprocessing.low, info.preprocessing.high
    outputs = []
    for start in range(0, len(views), _BATCH):
        say_step(_STARTED + (_CACHED - _STARTED) * start / len(views), "looking at the samples")
        scaled = views[start : start + _BATCH].astype(np.float32) / 255.0 * (high - low) + low
        outputs.append(trunk(scaled, training=False).numpy())
    to_features = with_features(branch, "pooled", info.root_offset)
    _train(to_features, np.concatenate(outputs), class_ids, np.random.default_rng(seed))
    return whole


def _train(
    to_features: Any,  # noqa: ANN401 - a keras.Model
    inputs: npt.NDArray[np.float32],
    class_ids: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> None:
    """Train a model to features on inputs `(N, h, w, c)` of classes `(N,)`."""
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only
    import tensorflow as tf  # noqa: PLC0415 - same

    def unit_features(rows: Any) -> Any:  # noqa: ANN401 - tensors
        return tf.nn.l2_normalize(to_features(rows, training=False), 1)

    count = int(class_ids.max()) + 1
    starts = range(0, len(inputs), _BATCH)
    units = np.concatenate([unit_features(inputs[n : n + _BATCH]).numpy() for n in starts])
    means = np.stack([units[class_ids == c].mean(axis=0) for c in range(count)], axis=1)
    head = tf.Variable(means.astype(np.float32))
    variables = [*to_features.trainable_variables, head]
    optimizer = keras.optimizers.Adam(_LEARNING_RATE)
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow publishes no types
    def step(rows: Any, ids: Any) -> None:  # noqa: ANN401 - tensors
        with tf.GradientTape() as tape:
            logits = _SCALE * unit_features(rows) @ tf.nn.l2_normalize(head, 0)
            wanted = tf.one_hot(ids, count) * (1 - _LABEL_SMOOTHING) + _LABEL_SMOOTHING / count
            losses = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
            loss = tf.reduce_mean(losses)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    steps = int(np.clip(_EPOCHS * len(inputs) / _BATCH, *_STEPS))
    epochs = 1 + steps * _BATCH // len(inputs)
    order = np.concatenate([generator.permutation(len(inputs)) for _ in range(epochs)])
    for done in range(steps):
        rows = order[done * _BATCH : (done + 1) * _BATCH]
        step(tf.constant(inputs[rows]), tf.constant(class_ids[rows]))
        say_step(_CACHED + (_TUNED - _CACHED) * (done + 1) / steps, "fine-tuning")


if __name__ == "__main__":
    sys.exit(serve(_fine_tune))
