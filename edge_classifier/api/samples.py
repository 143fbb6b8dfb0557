"""The labelled samples of an `ImageClassifier`: what was passed in, or a project's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.api.hyperparameters import hyperparameters_of
from edge_classifier.errors import BackboneMismatchError, InvalidValueError
from edge_classifier.features.tuned import tuned_weights
from edge_classifier.features.variants import MOST_VARIED
from edge_classifier.learning import workbench
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.learning.training import head_settings
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features

PLAIN_LABELS: Final = "iuUb"
"""NumPy's kinds of what can be a label: integers, text, booleans."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadProject:
    """A project as a classifier.

    Attributes:
        params: Hyperparameters of the classifier.
        labels: `(N,)` the class of each sample.
        classes: `(C,)` the classes in the order of the scores.
        feature_set: The samples' features.
        model: The model that was trained last.
        weights: Where its backbone's weights are, if they have to be given: the file that was
            passed in, or that of a backbone of the project's own.
    """

    params: dict[str, Any]
    labels: npt.NDArray[np.str_]
    classes: npt.NDArray[np.str_]
    feature_set: FeatureSet
    model: Model
    weights: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class SeenSamples:
    """Labelled pictures that were looked at.

    Attributes:
        features: `(N, D)` float32.
        labels: `(N,)` what they show.
        variants: Features of their variants, or `None` where none was varied.
    """

    features: Features
    labels: npt.NDArray[Any]
    variants: Variants | None = None


def read_project(path: Path, weights: Path | None) -> ReadProject:
    """Read a project that was trained.

    Args:
        path: Its folder.
        weights: A file with its backbone's weights, or `None` to find them.

    Raises:
        NotTrainedError: if it has no model yet.
        ProjectError: if it cannot be read.
        BackboneError: if its backbone cannot be had.
    """
    with workbench.open_for_reading(path) as store:
        settings = head_settings(store, {})
        choice = BackboneChoice(weights=weights)
        with workbench.loaded_for(store, choice, _ignore, may_change=False) as loaded:
            model, _fresh = workbench.trained_model(store, loaded)
            gathered = workbench.gather(store, loaded, _ignore)
    info = loaded.backbone.info
    params = {
        "backbone": info.name,
        "features": info.feature_kind,
        **hyperparameters_of(settings),
    }
    return ReadProject(
        params,
        np.array([sample.class_name for sample in gathered.samples], np.str_),
        np.array(model.class_names, np.str_),
        gathered.feature_set,
        model,
        tuned_weights(path, info) or weights,
    )


def _ignore(_done: float, _what: str | None = None, /) -> None:
    """Show no progress."""


def checked_labels(labels: npt.ArrayLike, count: int | None) -> npt.NDArray[Any]:
    """Refuse labels that are not one a picture, or of no type that can be kept."""
    try:
        array = np.asarray(labels)
        if array.dtype.kind == "O":
            array = np.array(array.tolist())
    except ValueError as error:  # lists of different lengths
        raise InvalidValueError(f"Expected one label a picture: {error}.") from error
    whole = array.dtype.kind == "f" and bool((array == np.round(array)).all())
    if array.ndim != 1 or (array.size and not whole and array.dtype.kind not in PLAIN_LABELS):
        raise InvalidValueError(
            "Unknown label type: expected text, integers or booleans of shape (N,), "
            f"received shape {array.shape} and dtype {array.dtype}."
        )
    if count is not None and len(array) != count:
        raise InvalidValueError(
            f"Expected one label a picture, received {count} pictures and {len(array)} labels."
        )
    return array


def bursts_of(groups: npt.ArrayLike | None, count: int, known: int) -> npt.NDArray[np.str_]:
    """Name the bursts: those of the caller, or one a picture."""
    if groups is None:
        return np.array([f"#{known + n}" for n in range(count)], np.str_)
    array = np.asarray(groups)
    if array.shape != (count,):
        raise InvalidValueError(
            f"Expected groups of shape ({count},), one a picture, received {array.shape}."
        )
    return np.array([f"group {group}" for group in array.tolist()], np.str_)


def classes_of(labels: npt.NDArray[Any], class_names: tuple[str, ...]) -> npt.NDArray[Any]:
    """Give the labels that a model's class names stand for, in the order of its scores.

    Args:
        labels: `(N,)` of all samples.
        class_names: Of the model: text is kept as it is, other labels as their text.
    """
    if labels.dtype.kind == "U":  # a class whose samples have all gone is still one of the model's
        return np.array(class_names, np.str_)
    by_name = {str(label): label for label in np.unique(labels).tolist()}
    return np.array([by_name[name] for name in class_names], labels.dtype)


def joined(
    known: FeatureSet,
    known_labels: npt.NDArray[Any],
    added: SeenSamples,
    groups: npt.ArrayLike | None,
) -> tuple[FeatureSet, npt.NDArray[Any]]:
    """Put samples behind those that are known.

    Args:
        known: The samples before.
        known_labels: `(N,)` their labels.
        added: What comes behind them.
        groups: Which of the added are of one burst; the same group before is the same burst.

    Returns:
        All samples, and their labels.

    Raises:
        BackboneMismatchError: if the features are of another backbone.
        InvalidValueError: if the labels are of another type, or the groups not one a picture.
    """
    if known.features.shape[1] != added.features.shape[1]:
        raise BackboneMismatchError(
            f"Expected features of the same backbone as before ({known.features.shape[1]} per "
            f"picture), received {added.features.shape[1]}; `fit` starts anew."
        )
    if (added.labels.dtype.kind == "U") != (known_labels.dtype.kind == "U"):
        raise InvalidValueError(
            f"Expected labels of the same type as before, {known_labels.dtype}, "
            f"received {added.labels.dtype}."
        )
    bursts = np.concatenate([known.burst_ids, bursts_of(groups, len(added.labels), len(known))])
    labels = np.concatenate([known_labels, added.labels])
    features = np.concatenate([known.features, added.features])
    variants = _joined_variants(known, added.variants, len(labels))
    return labelled(features, labels, bursts, variants), labels


def _joined_variants(known: FeatureSet, added: Variants | None, count: int) -> Variants | None:
    """Put the variants of added samples behind those that are known.

    Args:
        known: The samples before.
        added: Variants of those that come behind them.
        count: How many samples there are now; of many, none is varied.
    """
    if count > MOST_VARIED:
        return None
    moved = added and Variants(added.features, added.rows + len(known))
    parts = [part for part in (known.variants, moved) if part is not None]
    if not parts:
        return None
    return Variants(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.rows for part in parts]),
    )


def labelled(
    features: Features,
    labels: npt.NDArray[Any],
    bursts: npt.NDArray[np.str_],
    variants: Variants | None = None,
) -> FeatureSet:
    """Join features with labels; classes are sorted, as scikit-learn has them."""
    classes, ids = np.unique(labels, return_inverse=True)
    names = tuple(str(label) for label in classes.tolist())
    return FeatureSet(features, ids.astype(np.int64), bursts, names, variants)
