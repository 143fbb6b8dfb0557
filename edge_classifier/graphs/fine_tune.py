"""Fine-tune the last blocks of a backbone on a few samples; a program of its own.

Run as `python -m edge_classifier.graphs.fine_tune FOLDER`, so that TensorFlow never enters the
process that shows the picture. The folder holds `job.json` and `views.npz`; what it writes there
is the tuned backbone: its weights, as `compile_extractor.build_keras_model` reads them, and the
compiled extractor. What it says meanwhile is described in `features.child_process`.

A cosine head, imprinted with the class means (Qi et al., "Low-Shot Learning with Imprinted
Weights", CVPR 2018), leads the last blocks; it is thrown away, and the project's own head is
trained on the new features. What comes before those blocks is computed once. Batch norms keep
their statistics: a few dozen pictures of one scene would give wrong ones.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.child_process import end_with_parent
from edge_classifier.features.tuned import EXTRACTOR, TUNED_WEIGHTS
from edge_classifier.graphs.compile_extractor import (
    Reduction,
    build_keras_model,
    convert,
    reduced,
)
from edge_classifier.graphs.two_tails import as_file, with_second_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

JOB: Final = "job.json"
VIEWS: Final = "views.npz"

_NICENESS: Final = 10
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Fine-tune one backbone; see the module's docstring. Returns the exit status."""
    (folder_name,) = arguments if arguments is not None else sys.argv[1:]
    folder = Path(folder_name)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # the live picture goes on meanwhile
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    with np.load(folder / VIEWS, allow_pickle=False) as file:
        views, class_ids = file["views"], file["class_ids"]
    try:
        _say(0.0, "importing TensorFlow")
        weights = Path(job["weights"])
        model = build_keras_model(job["backbone"], weights)
        tuned = _tune(model, views, class_ids, job)
        _say(_TUNED, "writing it")
        (folder / TUNED_WEIGHTS).write_bytes(as_file(tuned.get_weights()))
        (folder / EXTRACTOR).write_bytes(convert(tuned))
        if job["backbone"] == BUILT_IN:  # says how wide the network is
            name = f"{BUILT_IN}.json"
            shutil.copyfile(weights.with_name(name), folder / name)
    except WeightsMismatchError as error:
        sys.stdout.write(f"mismatch {error}\n")
        return 1
    except (BackboneError, OSError) as error:
        sys.stdout.write(f"failed {error}\n")
        return 1
    _say(1.0, "done")
    return 0


def _tune(
    model: Any,  # noqa: ANN401 - Keras publishes no types
    views: npt.NDArray[np.uint8],
    class_ids: npt.NDArray[np.int64],
    job: dict[str, Any],
) -> Any:  # noqa: ANN401 - same
    """Give a backbone a second tail, tuned on views `(N, S, S, 3)` RGB of classes `(N,)`."""
    import keras  # noqa: PLC0415 - imports TensorFlow: slow, for child processes only
    import tensorflow as tf  # noqa: PLC0415 - same

    keras.utils.set_random_seed(job["seed"])
    front, tail, whole = with_second_tail(keras, model, job["backbone"])
    to_features = reduced(tail, Reduction("pooled", job["root_offset"]))
    low, high = job["low"], job["high"]
    cached = []
    for start in range(0, len(views), _BATCH):
        _say(_STARTED + (_CACHED - _STARTED) * start / len(views), "looking at the samples")
        scaled = views[start : start + _BATCH].astype(np.float32) / 255.0 * (high - low) + low
        cached.append(front(scaled, training=False).numpy())
    inputs = np.concatenate(cached)
    count = int(class_ids.max()) + 1

    def unit_features(rows: Any) -> Any:  # noqa: ANN401 - tensors
        return tf.nn.l2_normalize(to_features(rows, training=False), 1)

    parts = range(0, len(inputs), _BATCH)
    units = np.concatenate([unit_features(inputs[n : n + _BATCH]).numpy() for n in parts])
    means = np.stack([units[class_ids == c].mean(axis=0) for c in range(count)], axis=1)
    head = tf.Variable(means.astype(np.float32))
    variables = [*tail.trainable_variables, head]
    optimizer = keras.optimizers.Adam(_LEARNING_RATE)
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow publishes no types
    def step(rows: Any, ids: Any) -> None:  # noqa: ANN401 - tensors
        with tf.GradientTape() as tape:
            logits = _SCALE * unit_features(rows) @ tf.nn.l2_normalize(head, 0)
            wanted = tf.one_hot(ids, count) * (1 - _LABEL_SMOOTHING) + _LABEL_SMOOTHING / count
            loss = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
            loss = tf.reduce_mean(loss)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, variables), variables, strict=True),
        )

    generator = np.random.default_rng(job["seed"])
    steps = int(np.clip(_EPOCHS * len(inputs) / _BATCH, *_STEPS))
    epochs = 1 + steps * _BATCH // len(inputs)
    order = np.concatenate([generator.permutation(len(inputs)) for _ in range(epochs)])
    for done in range(steps):
        rows = order[done * _BATCH : (done + 1) * _BATCH]
        step(tf.constant(inputs[rows]), tf.constant(class_ids[rows]))
        _say(_CACHED + (_TUNED - _CACHED) * (done + 1) / steps, "fine-tuning")
    return whole


def _say(done: float, what: str) -> None:
    sys.stdout.write(f"step {done:.3f} {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
