"""The network of a fine-tuned backbone: its last blocks twice, once tuned and once as they came.

Fine-tuning the last blocks on a few samples tells the classes of these apart better, but pulls
all that is strange towards them as well: in a trial with `v2-0.35`, 29 % of unrelated pictures
were accepted instead of 9 % where 95 % of known frames are, and half of all known frames fell
below the measured threshold. With the features of both beside each other the accuracy stayed,
and most strangers stayed out (10 %).

The weights file is an `.npz` of float32 arrays, `000`, `001` and so on, in the order in which
Keras counts them: read without HDF5, which a project from elsewhere must not feed us.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.npz import npz_bytes, read_arrays
from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.tuned import FROZEN_UP_TO, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt


def with_tuned_branch(keras: Any, model: Any, name: str) -> tuple[Any, Any, Any]:  # noqa: ANN401 - Keras publishes no types
    """Give a backbone, to features `(N, h, w, c)`, its last blocks again, as a branch to tune.

    Returns:
        The trunk: what comes before the last blocks; the branch, which begins with the weights
        that these blocks have; and the whole, from images to `(N, h, w, 2 c)`: what the branch
        says, then what the blocks say as they came.
    """
    fork = model.get_layer(FROZEN_UP_TO[name]).output
    frozen = keras.Model(fork, model.outputs[0])
    copy = keras.models.clone_model(frozen)
    branch = keras.Model(copy.inputs[0], copy.outputs[0], name="tuned")
    branch.set_weights(frozen.get_weights())
    both = keras.layers.Concatenate(name="both")([branch(fork), model.outputs[0]])
    trunk = keras.Model(model.inputs[0], fork)
    return trunk, branch, keras.Model(model.inputs[0], both, name="two_branches")


def built_in_size(weights: Path) -> tuple[int, float]:
    """Read the input side and the width of the built-in backbone that was tuned.

    Raises:
        WeightsMismatchError: if that is not known.
    """
    try:
        about = json.loads(read_regular(weights.with_name(f"{BUILT_IN}.json"), MAX_BYTES))
        return int(about["input_size"]), float(about["alpha"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _mismatch(weights, BUILT_IN, error) from error


def build_tuned(keras: Any, name: str, model: Any, weights: Path) -> Any:  # noqa: ANN401 - Keras
    """Build a tuned backbone of the file with its weights, and of that backbone with any weights.

    Raises:
        WeightsMismatchError: if they are damaged or belong to another backbone.
    """
    if name not in FROZEN_UP_TO:
        raise _mismatch(weights, name, "it cannot be fine-tuned")
    whole = with_tuned_branch(keras, model, name)[2]
    shapes = [value.shape for value in whole.get_weights()]
    try:
        whole.set_weights(_read(read_regular(weights, MAX_BYTES), shapes))
    except (OSError, ValueError) as error:
        raise _mismatch(weights, name, error) from error
    return whole


def as_file(arrays: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """Make the content of a weights file; the same arrays always give the same bytes."""
    return npz_bytes({f"{n:03d}": np.asarray(a, np.float32) for n, a in enumerate(arrays)})


def _read(content: bytes, shapes: Sequence[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
    arrays = read_arrays(content)
    expected = {f"{n:03d}": shape for n, shape in enumerate(shapes)}
    if {name: array.shape for name, array in arrays.items()} != expected:
        raise ValueError(f"its {len(arrays)} arrays are not the {len(expected)} of this network")
    rows = [arrays[name] for name in expected]
    if not all(row.dtype == np.float32 and np.isfinite(row).all() for row in rows):
        raise ValueError("it holds other values than finite numbers in float32")
    return rows


def _mismatch(weights: Path, name: str, why: object) -> WeightsMismatchError:
    return WeightsMismatchError(
        f"{weights} does not hold a fine-tuned {name}: {why}. `edge-classifier train PROJECT "
        f"--fine-tune` makes it again, `--backbone {name}` goes back to the one before."
    )
