"""Labels, bursts and classes of the samples that an `ImageClassifier` learned from."""

from __future__ import annotations

import logging
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import BackboneMismatchError, InvalidClassNameError, InvalidValueError
from edge_classifier.features.variants import MOST_VARIED
from edge_classifier.learning.recordings import added_pictures, with_recordings
from edge_classifier.project.classes import UNKNOWN_CLASS, is_unknown
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.values import Features

_log = logging.getLogger(__name__)

_KINDS: Final = {"U": "text", "b": "booleans", "i": "numbers", "u": "numbers", "f": "numbers"}
"""What labels can be, by NumPy's kinds."""


def checked_labels(
    labels: npt.ArrayLike, count: int | None, known: npt.NDArray[Any] | None = None
) -> npt.NDArray[Any]:
    """Refuse labels that are not one a picture, or cannot all be told from each other later.

    All are text, or all are booleans, or all are whole numbers (of whatever width, floats too):
    NumPy would silently make one of the other where they are mixed. None, NaN and bytes are no
    labels. Those that are `known`, from before, have to be of the same type.

    Raises:
        InvalidValueError: saying what was received, and where.
    """
    try:
        given = labels if isinstance(labels, np.ndarray) else np.asarray(labels, object)
        if given.dtype.kind == "O" and given.ndim == 1:
            _refuse_mixed(given.tolist())
        array = np.array(given.tolist()) if given.dtype.kind == "O" else given
    except ValueError as error:  # lists of different lengths
        raise InvalidValueError(f"Expected one label a picture: {error}.") from error
    kind = _KINDS.get(array.dtype.kind, "")
    if array.size and kind == "numbers":
        kind = kind if bool((np.isfinite(array) & (array == np.round(array))).all()) else ""
    if array.ndim != 1 or (array.size and not kind):
        raise InvalidValueError(
            "Unknown label type: expected text, booleans or whole numbers of shape (N,), "
            f"received shape {array.shape} and dtype {array.dtype}"
            f"{'' if array.ndim != 1 else _first_that_is_no_label(array)}."
        )
    if count is not None and len(array) != count:
        raise InvalidValueError(
            f"Expected one label a picture, received {count} pictures and {len(array)} labels."
        )
    before = kind if known is None else _KINDS[known.dtype.kind]
    if array.size and kind != before:
        raise InvalidValueError(f"Expected labels of the same type as before, {before}: {kind}.")
    return array


def _refuse_mixed(labels: list[object]) -> None:
    """Refuse labels of several types, before NumPy makes them one."""
    first: dict[str, int] = {}
    for row, label in enumerate(labels):
        first.setdefault(_type_of(label), row)
    if len(first) > 1:
        found = " and ".join(
            f"{kind} ({labels[row]!r:.40}, row {row})" for kind, row in first.items()
        )
        raise InvalidValueError(
            f"Expected labels of one type, received {found}; make them one, "
            "for example `[str(label) for label in labels]`."
        )
    if any(isinstance(label, str) and label.endswith("\0") for label in labels):
        raise InvalidValueError("A label ends with the character NUL, which NumPy does not keep.")


def _type_of(label: object) -> str:
    if isinstance(label, (bool, np.bool_)):
        return "booleans"
    if isinstance(label, Real):
        return "NaN" if label != label else "numbers"  # noqa: PLR0124 - as only NaN is
    return "text" if isinstance(label, str) else type(label).__name__


def _first_that_is_no_label(array: npt.NDArray[Any]) -> str:
    values = array.tolist()
    wrong = (
        row
        for row, value in enumerate(values)
        if not (
            isinstance(value, (str, Integral)) or (isinstance(value, float) and value.is_integer())
        )
    )
    row = next(wrong, None)
    return "" if row is None else f": {values[row]!r:.40} in row {row} is no label"


_ADDED: Final = "#"
"""What the names of bursts begin with that no caller has named."""


def _bursts_of(groups: npt.ArrayLike | None, count: int) -> npt.NDArray[np.str_]:
    """Name the bursts: those of the caller, or without name until recordings are found."""
    if groups is None:
        return np.full(count, _ADDED, np.str_)
    array = np.asarray(groups)
    if array.shape != (count,):
        raise InvalidValueError(
            f"Expected groups of shape ({count},), one a picture, received {array.shape}."
        )
    return np.array([f"group {group}" for group in array.tolist()], np.str_)


def in_bursts(feature_set: FeatureSet) -> FeatureSet:
    """Find recordings among all samples that came without groups, in this call or before.

    What was found is logged.
    """
    bursts = feature_set.burst_ids
    added = np.char.startswith(bursts, _ADDED)
    each = np.array([f"{_ADDED}{row}" for row in range(len(bursts))], np.str_)
    apart = np.where(added, each, bursts)
    found = with_recordings(replace(feature_set, burst_ids=apart), added)
    pictures = added_pictures(apart[added], found.burst_ids[added])
    if pictures.recordings:
        _log.info("Found among what came without groups: %s.", pictures.line)
    return found


def classes_of(labels: npt.NDArray[Any], class_names: tuple[str, ...]) -> npt.NDArray[Any]:
    """Give the labels that a model's class names stand for, in the order of its scores.

    Names of classes are labels, where the `(N,)` of all samples are text; or their text.
    """
    if labels.dtype.kind == "U":  # a class whose samples have all gone is still one of the model's
        names = np.array(class_names, np.str_)
        return names.astype(np.promote_types(names.dtype, labels.dtype))
    by_name = {str(label): label for label in np.unique(labels).tolist()}
    return np.array([by_name[name] for name in class_names], labels.dtype)


def grouped(
    features: Features,
    labels: npt.NDArray[Any],
    groups: npt.ArrayLike | None,
    variants: Variants | None,
) -> FeatureSet:
    """Join features with labels and with the groups of the caller, if there are any.

    Raises:
        InvalidClassNameError: if a label could be taken for the verdict "unknown".
    """
    for name in filter(is_unknown, map(str, np.unique(labels).tolist())):
        raise InvalidClassNameError(
            f"Expected labels of what is shown, received {name!r}, which is said of pictures that "
            f"resemble no class; take another one, such as {UNKNOWN_CLASS!r}."
        )
    return _labelled(features, labels, _bursts_of(groups, len(features)), variants)


def _labelled(
    features: Features,
    labels: npt.NDArray[Any],
    bursts: npt.NDArray[np.str_],
    variants: Variants | None,
) -> FeatureSet:
    """Join features with labels; classes are sorted, as scikit-learn has them."""
    classes, ids = np.unique(labels, return_inverse=True)
    names = tuple(str(label) for label in classes.tolist())
    return FeatureSet(features, ids.astype(np.int64), bursts, names, variants)


def joined(
    known: FeatureSet,
    known_labels: npt.NDArray[Any],
    added: FeatureSet,
    added_labels: npt.NDArray[Any],
) -> tuple[FeatureSet, npt.NDArray[Any]]:
    """Put samples behind those that are known, with their labels.

    Raises:
        BackboneMismatchError: if the features are of another backbone.
        InvalidValueError: if the labels are of another type.
    """
    if known.features.shape[1] != added.features.shape[1]:
        raise BackboneMismatchError(
            f"Expected features of the same backbone as before ({known.features.shape[1]} per "
            f"picture), received {added.features.shape[1]}; `fit` starts anew."
        )
    checked_labels(added_labels, None, known_labels)
    labels = np.concatenate([known_labels, added_labels])
    features = np.concatenate([known.features, added.features])
    bursts = np.concatenate([known.burst_ids, added.burst_ids])
    feature_set = _labelled(features, labels, bursts, _joined_variants(known, added))
    if known.reviewed is not None:
        reviewed = np.concatenate([known.reviewed, np.zeros(len(added), np.bool_)])
        feature_set = replace(feature_set, reviewed=reviewed)
    return feature_set, labels


def _joined_variants(known: FeatureSet, added: FeatureSet) -> Variants | None:
    """Put the variants of added samples behind those that are known; of many none are kept."""
    moved = added.variants and Variants(added.variants.features, added.variants.rows + len(known))
    parts = [part for part in (known.variants, moved) if part is not None]
    if not parts or len(known) + len(added) > MOST_VARIED:
        return None
    return Variants(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.rows for part in parts]),
    )
