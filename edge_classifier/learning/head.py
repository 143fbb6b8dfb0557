"""The trainable dense layers on the features, as plain NumPy.

`LinearHead` is a softmax on L2-normalised features. It can be *imprinted*: its weight vectors
are then the normalised class means (Qi, Brown and Lowe, "Low-Shot Learning with Imprinted
Weights", CVPR 2018), so answers come before any training. `DenseHead` is the head of the
article that this project began with: Dense 100 relu, then softmax without a bias.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from edge_classifier.device.verdict import inverse_norms, normalise, softmax
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.values import Features, FeatureSet

HeadKind: TypeAlias = Literal["linear", "dense"]

IMPRINT_SCALE: Final = 20.0
"""The softmax's inverse temperature on cosines; the paper learns it and ends at about this."""

_MARGIN: Final = 3.0
"""Between logits of a new class and the others: a score of about 95 %."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """Softmax on L2-normalised features.

    Attributes:
        class_names: The C classes, in the order of the scores.
        weights: `(D, C)` float32.
        bias: `(C,)` float32.
    """

    class_names: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_columns(self.class_names, self.weights)
        if self.bias.shape != (len(self.class_names),):
            raise InvalidValueError(f"Expected one bias a class, received {self.bias.shape}.")

    @property
    def feature_dim(self) -> int:
        """D, the number of features it takes."""
        return int(self.weights.shape[0])

    def scores(self, features: Features) -> npt.NDArray[np.float32]:
        """Compute the scores `(N, C)` of features `(N, D)`."""
        return softmax(self.logits(features))

    def logits(self, features: Features) -> npt.NDArray[np.float32]:
        """Compute what the scores are the softmax of, `(N, C)`."""
        logits: npt.NDArray[np.float32] = normalise(features) @ self.weights + self.bias
        return logits

    def extended(self, feature_set: FeatureSet) -> LinearHead:
        """Add the classes of `feature_set` that this head lacks; the others stay as they are."""
        head = self
        for name in _new_classes(self.class_names, feature_set):
            rows, logits = normalise(feature_set.features), head.logits(feature_set.features)
            column = _column_for(name, head.class_names, feature_set, rows, logits)
            head = LinearHead(
                (*head.class_names, name),
                np.concatenate([head.weights, column[:, None]], axis=1),
                np.append(head.bias, np.float32(0)),
            )
        return head

    def without(self, class_name: str) -> LinearHead | None:
        """Drop a class; `None` where no other is left."""
        names, keep = _without(self.class_names, class_name)
        return LinearHead(names, self.weights[:, keep], self.bias[keep]) if names else None

    def renamed(self, class_name: str, new_name: str) -> LinearHead:
        """Rename a class."""
        return replace(self, class_names=_renamed(self.class_names, class_name, new_name))


@dataclass(frozen=True, slots=True, eq=False)
class DenseHead:
    """Dense relu, then softmax without a bias: the article's head.

    Attributes:
        class_names: The C classes, in the order of the scores.
        hidden_weights: `(D, units)` float32.
        hidden_bias: `(units,)` float32.
        weights: `(units, C)` float32.
    """

    class_names: tuple[str, ...]
    hidden_weights: npt.NDArray[np.float32]
    hidden_bias: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_columns(self.class_names, self.weights)
        units = self.weights.shape[0]
        if self.hidden_weights.shape[1:] != (units,) or self.hidden_bias.shape != (units,):
            raise InvalidValueError(
                f"Expected hidden weights (D, {units}) and {units} biases, received shapes "
                f"{self.hidden_weights.shape} and {self.hidden_bias.shape}."
            )

    @property
    def feature_dim(self) -> int:
        """D, the number of features it takes."""
        return int(self.hidden_weights.shape[0])

    def hidden(self, features: Features) -> npt.NDArray[np.float32]:
        """Compute the activations `(N, units)` of the hidden layer."""
        activations: npt.NDArray[np.float32] = np.maximum(
            features @ self.hidden_weights + self.hidden_bias, np.float32(0)
        )
        return activations

    def scores(self, features: Features) -> npt.NDArray[np.float32]:
        """Compute the scores `(N, C)` of features `(N, D)`."""
        return softmax(self.hidden(features) @ self.weights)

    def extended(self, feature_set: FeatureSet) -> DenseHead:
        """Add the classes of `feature_set` that this head lacks; the others stay as they are."""
        head = self
        rows = self.hidden(feature_set.features)
        for name in _new_classes(self.class_names, feature_set):
            column = _column_for(name, head.class_names, feature_set, rows, rows @ head.weights)
            head = replace(
                head,
                class_names=(*head.class_names, name),
                weights=np.concatenate([head.weights, column[:, None]], axis=1),
            )
        return head

    def without(self, class_name: str) -> DenseHead | None:
        """Drop a class; `None` where no other is left."""
        names, keep = _without(self.class_names, class_name)
        return replace(self, class_names=names, weights=self.weights[:, keep]) if names else None

    def renamed(self, class_name: str, new_name: str) -> DenseHead:
        """Rename a class."""
        return replace(self, class_names=_renamed(self.class_names, class_name, new_name))


Head: TypeAlias = LinearHead | DenseHead


def imprint(feature_set: FeatureSet) -> LinearHead:
    """Make a head of the normalised class means, without training.

    Raises:
        InvalidValueError: if there is no class.
    """
    names = feature_set.class_names
    means = np.ascontiguousarray(normalise(class_sums(feature_set)).T)
    return LinearHead(names, np.float32(IMPRINT_SCALE) * means, np.zeros(len(names), np.float32))


def side_by_side(heads: Sequence[LinearHead]) -> LinearHead:
    """Make one head of several, of other classes each."""
    return LinearHead(
        tuple(name for head in heads for name in head.class_names),
        np.concatenate([head.weights for head in heads], axis=1),
        np.concatenate([head.bias for head in heads]),
    )


def class_sums(feature_set: FeatureSet) -> npt.NDArray[np.float32]:
    """Return `(C, D)`, the sums of the classes' rows once each has length 1."""
    shares = np.zeros((len(feature_set.class_names), len(feature_set)), np.float32)
    shares[feature_set.class_ids, np.arange(len(feature_set))] = inverse_norms(feature_set.features)
    sums: npt.NDArray[np.float32] = shares @ feature_set.features
    return sums


def _new_classes(class_names: tuple[str, ...], feature_set: FeatureSet) -> list[str]:
    return [name for name in feature_set.class_names if name not in class_names]


def _column_for(
    class_name: str,
    known: tuple[str, ...],
    feature_set: FeatureSet,
    rows: npt.NDArray[np.float32],
    logits: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Find a weight vector that lets a new class speak as loudly as trained ones, not louder.

    Trained weight vectors are differences between classes, an imprinted one is a mean: put
    beside them as it is, it would win everywhere. So the column is that combination of the mean
    of the new class and the mean of the known ones whose logit, on average, lies a margin above
    the known classes' on samples of the new class, and the same margin below on theirs.

    The weight vectors are applied to the rows `(N, D)`; the logits `(N, C)` are those of the C
    known classes.
    """
    own = feature_set.class_ids == feature_set.class_names.index(class_name)
    ids = [i for i, name in enumerate(feature_set.class_names) if name in known]
    others = np.isin(feature_set.class_ids, ids)
    best = logits.max(axis=1)
    mean_own = rows[own].mean(axis=0)
    if not others.any():
        level = float(best[own].mean()) + _MARGIN
        imprinted: npt.NDArray[np.float32] = mean_own * np.float32(
            level / max(float(mean_own @ mean_own), 1e-12)
        )
        return imprinted
    mean_others = rows[others].mean(axis=0)
    means = np.stack([mean_own, mean_others]).astype(np.float64)
    wanted = np.array([best[own].mean() + _MARGIN, best[others].mean() - _MARGIN])
    parts = np.linalg.lstsq(means @ means.T, wanted, rcond=1e-6)[0]
    column: npt.NDArray[np.float32] = (parts @ means).astype(np.float32)
    return column


def _check_columns(class_names: tuple[str, ...], weights: npt.NDArray[np.float32]) -> None:
    if not class_names or weights.ndim != 2 or weights.shape[1] != len(class_names):  # noqa: PLR2004 - a matrix
        raise InvalidValueError(
            f"Expected one column of weights for each of {len(class_names)} classes (at least "
            f"one), received shape {weights.shape}."
        )


def _without(class_names: tuple[str, ...], dropped: str) -> tuple[tuple[str, ...], list[int]]:
    """Return the other classes, and their columns."""
    keep = [i for i, name in enumerate(class_names) if name != dropped]
    return tuple(class_names[i] for i in keep), keep


def _renamed(class_names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in class_names)
