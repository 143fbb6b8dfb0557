"""An `ImageClassifier` in one file: `.npz` without pickles, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import ProjectFormatError
from edge_classifier.learning.model_file import model_as_arrays, model_from_arrays
from edge_classifier.project.files import describe, read_regular, reported, write_atomic
from edge_classifier.project.npz import npz_bytes, read_arrays
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.learning.model import Model

_FORMAT: Final = 1
_MODEL: Final = "model_"
_PLAIN_LABELS: Final = "iuUbf"
_MAX_BYTES: Final = 1 << 33


@dataclass(frozen=True, slots=True, eq=False)
class SavedClassifier:
    """What a file holds.

    Attributes:
        params: The classifier's hyperparameters.
        backbone: Name, kind of features and SHA-256 of the weights.
        labels: `(N,)` the labels of the samples: strings, integers or booleans.
        feature_set: The samples' features.
        model: The trained model.
    """

    params: dict[str, Any]
    backbone: dict[str, str]
    labels: npt.NDArray[np.generic]
    feature_set: FeatureSet
    model: Model


def save_classifier(path: Path, saved: SavedClassifier) -> None:
    """Write a classifier.

    Raises:
        ProjectError: if it cannot be written; then the file is as it was.
        ValueError: if the labels are objects.
    """
    if saved.labels.dtype.kind not in _PLAIN_LABELS:
        raise ValueError(f"Expected labels of text or integers, received {saved.labels.dtype}.")
    meta, arrays = model_as_arrays(saved.model)
    content = {
        "format": _FORMAT,
        "params": saved.params,
        "backbone": saved.backbone,
        "class_names": saved.feature_set.class_names,
        "model": meta,
    }
    everything: dict[str, Any] = {
        "meta": np.frombuffer(json.dumps(content).encode(), np.uint8),
        "labels": saved.labels,
        "features": saved.feature_set.features,
        "class_ids": saved.feature_set.class_ids,
        "burst_ids": saved.feature_set.burst_ids,
        **{_MODEL + name: array for name, array in arrays.items()},
    }
    if variants := saved.feature_set.variants:
        everything |= {"variant_features": variants.features, "variant_rows": variants.rows}
    with reported("write", path):
        write_atomic(path, npz_bytes(everything))


def load_classifier(path: Path) -> SavedClassifier:
    """Read a classifier.

    Raises:
        ProjectFormatError: if it cannot be read, is none, or was written by a newer version.
    """
    try:
        arrays = read_arrays(read_regular(path, _MAX_BYTES))
        content = json.loads(arrays.pop("meta").tobytes())
        if content["format"] != _FORMAT:
            raise ValueError(  # noqa: TRY301 - told below like everything else
                f"format {content['format']}, this version reads {_FORMAT}"
            )
        model = model_from_arrays(
            content["model"],
            {n.removeprefix(_MODEL): a for n, a in arrays.items() if n.startswith(_MODEL)},
        )
        feature_set = FeatureSet(
            arrays["features"],
            arrays["class_ids"],
            arrays["burst_ids"],
            tuple(content["class_names"]),
            _variants_in(arrays),
        )
        saved = SavedClassifier(
            dict(content["params"]), dict(content["backbone"]), arrays["labels"], feature_set, model
        )
        _check(saved)
        return saved  # noqa: TRY300 - what goes wrong in there is told below
    except OSError as error:
        raise ProjectFormatError(f"Cannot read {path}: {describe(error)}.") from error
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ProjectFormatError(
            f"{path} is no classifier that can be read ({error}); save it again."
        ) from error


def _variants_in(arrays: dict[str, npt.NDArray[Any]]) -> Variants | None:
    """Read the variants of samples; files of earlier versions have none.

    Raises:
        ValueError: if there is something else.
        KeyError: if a part is missing.
    """
    if "variant_features" not in arrays:
        return None
    features, rows = arrays["variant_features"], arrays["variant_rows"]
    shape, count = arrays["features"].shape, len(arrays["features"])
    if features.dtype != np.float32 or features.shape[1:] != shape[1:]:
        raise ValueError("its variants have other features than its samples")
    if not np.isfinite(features).all():
        raise ValueError("its variants have features that are no numbers")
    if rows.dtype != np.int64 or (len(rows) and not 0 <= rows.min() <= rows.max() < count):
        raise ValueError("its variants are of samples that it does not have")
    return Variants(features, rows)


def _check(saved: SavedClassifier) -> None:
    """Refuse parts that do not fit together.

    Raises:
        ValueError: saying which.
    """
    rows, classes = saved.feature_set, saved.model.class_names
    if saved.labels.shape != (len(rows),) or saved.labels.dtype.kind not in _PLAIN_LABELS:
        raise ValueError(f"it has labels of shape {saved.labels.shape} for {len(rows)} samples")
    if rows.class_ids.dtype != np.int64 or rows.burst_ids.dtype.kind != "U":
        raise ValueError("its classes or bursts are of another type")
    if saved.model.head.feature_dim != rows.features.shape[1]:
        raise ValueError("its head takes other features than its samples have")
    if not np.isfinite(rows.features).all():
        raise ValueError("not all features are finite numbers")
    labels = {str(label) for label in np.unique(saved.labels).tolist()}
    if saved.labels.dtype.kind != "U" and labels != set(classes):
        raise ValueError("its labels are not those of its model")
    if not all(isinstance(name, str) for name in rows.class_names):
        raise ValueError("its class names are no texts")
    if not all(isinstance(saved.backbone.get(key), str) for key in ("name", "weights_sha256")):
        raise ValueError("it names no backbone")
