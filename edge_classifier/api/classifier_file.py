"""An `ImageClassifier` in one file: `.npz` without pickles, written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.api.estimator import head_settings_of
from edge_classifier.device.files import read_regular
from edge_classifier.device.npz import MAX_NUMBER, npz_bytes, read_arrays
from edge_classifier.errors import BackboneMismatchError, InvalidValueError, ProjectFormatError
from edge_classifier.features.carried import hash_of_weights
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.learning.model_file import model_as_arrays, model_from_arrays
from edge_classifier.project.files import describe, reported, write_atomic
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import BackboneInfo, Features

_FORMAT: Final = 1
_MODEL: Final = "model_"
_PLAIN_LABELS: Final = "iuUbf"
_MAX_BYTES: Final = 1 << 33
_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True, eq=False)
class SavedClassifier:
    """What a file holds.

    Attributes:
        params: The classifier's hyperparameters.
        backbone: Its `name`, `feature_kind` and `weights_sha256`.
        labels: `(N,)` the labels of the samples: strings, integers or booleans.
        model: As it was taught.
        frames: `(M, D)` features of what it was shown to adapt to, or `None`.
    """

    params: dict[str, Any]
    backbone: dict[str, str]
    labels: npt.NDArray[np.generic]
    feature_set: FeatureSet
    model: Model
    frames: Features | None = None


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
    if saved.frames is not None:
        everything["frames"] = saved.frames
    if saved.feature_set.reviewed is not None:
        everything["reviewed"] = saved.feature_set.reviewed
    with reported("write", path):
        write_atomic(path, npz_bytes(everything))


def load_classifier(
    path: Path, defaults: Mapping[str, Any], weights: Path | None = None
) -> SavedClassifier:
    """Read a classifier; `defaults` are all hyperparameters, of which older files may lack some.

    Raises:
        ProjectFormatError: if it cannot be read, is none, or was written by a newer version.
        BackboneMismatchError: if `weights`, or the file that it names itself, is another one.
    """
    saved = _read(path, defaults)
    if weights is not None:
        saved.params["weights"] = weights
    if (named := saved.params.get("weights")) is not None:
        _check_weights(path, Path(named), saved)
    return saved


def _read(path: Path, defaults: Mapping[str, Any]) -> SavedClassifier:
    try:
        arrays = read_arrays(read_regular(path, _MAX_BYTES))
        content = json.loads(arrays.pop("meta").tobytes())
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}, this version reads {_FORMAT}")
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
            reviewed=arrays.get("reviewed"),
        )
        saved = SavedClassifier(
            dict(content["params"]),
            dict(content["backbone"]),
            arrays["labels"],
            feature_set,
            model,
            arrays.get("frames"),
        )
        _check_parts(saved)
        _check_hyperparameters(saved.params, defaults)
        return saved  # noqa: TRY300 - what goes wrong in there is told below
    except OSError as error:
        raise ProjectFormatError(f"Cannot read {path}: {describe(error)}.") from error
    except _UNREADABLE as error:
        raise ProjectFormatError(
            f"{path} is no classifier that can be read ({error}); save it again."
        ) from error


def _variants_in(arrays: dict[str, npt.NDArray[Any]]) -> Variants | None:
    """Read the variants of samples; files of earlier versions have none."""
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


def _check_parts(saved: SavedClassifier) -> None:
    """Refuse parts that do not fit together, with a `ValueError` that says which."""
    rows, classes = saved.feature_set, saved.model.class_names
    if saved.labels.shape != (len(rows),) or saved.labels.dtype.kind not in _PLAIN_LABELS:
        raise ValueError(f"it has labels of shape {saved.labels.shape} for {len(rows)} samples")
    if rows.class_ids.dtype != np.int64 or rows.burst_ids.dtype.kind != "U":
        raise ValueError("its classes or bursts are of another type")
    if saved.model.head.feature_dim != rows.features.shape[1]:
        raise ValueError("its head takes other features than its samples have")
    if not np.isfinite(rows.features).all():
        raise ValueError("not all features are finite numbers")
    if (frames := saved.frames) is not None and (
        frames.dtype != np.float32
        or frames.shape[1:] != rows.features.shape[1:]
        or not len(frames)
        or not (np.abs(frames) <= MAX_NUMBER).all()
    ):
        raise ValueError("what it is adapted to are no features of its backbone")
    labels = {str(label) for label in np.unique(saved.labels).tolist()}
    if saved.labels.dtype.kind != "U" and labels != set(classes):
        raise ValueError("its labels are not those of its model")
    if not all(isinstance(name, str) for name in rows.class_names):
        raise ValueError("its class names are no texts")
    if not all(isinstance(saved.backbone.get(key), str) for key in ("name", "weights_sha256")):
        raise ValueError("it names no backbone")


def _check_hyperparameters(params: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that no `save_classifier` has written, likewise or as `TypeError`."""
    for name in params:
        if name not in defaults:
            raise InvalidValueError(f"Invalid parameter {name!r}.")
    params = {**defaults, **params}
    texts = ("backbone", "features", "head", "colour_order")
    for name in (*texts, *(("weights",) if params["weights"] is not None else ())):
        if not isinstance(params[name], str):
            raise InvalidValueError(f"Expected text for {name}.")
    if params["features"] not in ("pooled", "spatial"):
        raise InvalidValueError(f"Expected features pooled or spatial, not {params['features']!r}.")
    if not isinstance(params["n_jobs"], (int, type(None))):
        raise InvalidValueError("Expected a whole number for n_jobs.")
    head_settings_of(params)


def identity_of(info: BackboneInfo) -> dict[str, str]:
    """Return what a saved classifier names its backbone by."""
    return {
        "name": info.name,
        "feature_kind": info.feature_kind,
        "weights_sha256": info.weights_sha256,
    }


def _check_weights(path: Path, weights: Path, saved: SavedClassifier) -> None:
    """Look at the weights file before anything opens it: the saved classifier names its hash.

    Raises:
        BackboneMismatchError: if it is another one.
    """
    expected, found = saved.backbone["weights_sha256"], hash_of_weights(weights)
    if found != expected:
        raise BackboneMismatchError(
            f"{path} was trained with the weights {expected[:12]}, {weights} is "
            f"{found[:12]}; pass the file of those as `weights`."
        )


def check_backbone(path: Path, info: BackboneInfo, saved: SavedClassifier) -> None:
    """Refuse a backbone whose features are not those that the classifier was trained on.

    Raises:
        BackboneMismatchError: if it has other weights.
        ProjectFormatError: if its features are of another kind.
    """
    expected = saved.backbone["weights_sha256"]
    if info.weights_sha256 != expected:
        remedy = (
            "train and save it again, or use the version that saved it"
            if info.name == BUILT_IN
            else "pass the file of those as `weights`"
        )
        raise BackboneMismatchError(
            f"{path} was trained with other weights of {info.name} "
            f"({expected[:12]}, here {info.weights_sha256[:12]}); {remedy}."
        )
    if info.feature_dim != saved.model.head.feature_dim:
        raise ProjectFormatError(
            f"{path} holds features of another kind than {info.name} gives; save it again."
        )
