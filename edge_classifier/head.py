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

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.frame import Features, FeatureSet

HeadKind: TypeAlias = Literal["linear", "dense"]

IMPRINT_SCALE: Final = 20.0
"""The softmax's inverse temperature on cosines; the paper learns it and ends at about this."""


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
        return softmax(normalise(features) @ self.weights + self.bias)

    def extended(self, feature_set: FeatureSet) -> LinearHead:
        """Add the classes of `feature_set` that this head lacks, imprinted.

        The scores of the other classes keep their order among each other.
        """
        new = [name for name in feature_set.class_names if name not in self.class_names]
        if not new:
            return self
        means = _class_means(normalise(feature_set.features), feature_set, new)
        # Trained weight vectors are longer or shorter than imprinted ones; a new class must
        # speak as loudly as the others do.
        norms = np.linalg.norm(self.weights, axis=0)
        scale = float(norms.mean()) if norms.size and norms.mean() > 0 else IMPRINT_SCALE
        return LinearHead(
            (*self.class_names, *new),
            np.concatenate([self.weights, scale * means], axis=1),
            np.concatenate([self.bias, np.zeros(len(new), np.float32)]),
        )

    def without(self, class_name: str) -> LinearHead | None:
        """Drop a class; `None` where no other is left."""
        keep = [i for i, name in enumerate(self.class_names) if name != class_name]
        if not keep:
            return None
        names = tuple(self.class_names[i] for i in keep)
        return LinearHead(names, self.weights[:, keep], self.bias[keep])

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
        """Add the classes of `feature_set` that this head lacks, imprinted on the hidden layer."""
        new = [name for name in feature_set.class_names if name not in self.class_names]
        if not new:
            return self
        means = _class_means(normalise(self.hidden(feature_set.features)), feature_set, new)
        scale = float(np.linalg.norm(self.weights, axis=0).mean())
        return replace(
            self,
            class_names=(*self.class_names, *new),
            weights=np.concatenate([self.weights, scale * means], axis=1),
        )

    def without(self, class_name: str) -> DenseHead | None:
        """Drop a class; `None` where no other is left."""
        keep = [i for i, name in enumerate(self.class_names) if name != class_name]
        if not keep:
            return None
        names = tuple(self.class_names[i] for i in keep)
        return replace(self, class_names=names, weights=self.weights[:, keep])

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
    means = _class_means(normalise(feature_set.features), feature_set, list(names))
    return LinearHead(names, np.float32(IMPRINT_SCALE) * means, np.zeros(len(names), np.float32))


def normalise(features: Features) -> Features:
    """Scale each row of `(N, D)` to length 1; a row of zeros stays zeros."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    rows: Features = (features / np.maximum(norms, np.float32(1e-12))).astype(
        np.float32, copy=False
    )
    return rows


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Turn logits `(N, C)` into scores that sum to 1 in each row."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: npt.NDArray[np.float32] = (exponents / exponents.sum(axis=1, keepdims=True)).astype(
        np.float32, copy=False
    )
    return scores


def _class_means(
    rows: npt.NDArray[np.float32], feature_set: FeatureSet, class_names: list[str]
) -> npt.NDArray[np.float32]:
    """Return the normalised means of the named classes' rows, one a column."""
    ids = [feature_set.class_names.index(name) for name in class_names]
    means = np.stack([rows[feature_set.class_ids == i].mean(axis=0) for i in ids])
    return np.ascontiguousarray(normalise(means).T)


def _check_columns(class_names: tuple[str, ...], weights: npt.NDArray[np.float32]) -> None:
    if not class_names or weights.ndim != 2 or weights.shape[1] != len(class_names):  # noqa: PLR2004 - a matrix
        raise InvalidValueError(
            f"Expected one column of weights for each of {len(class_names)} classes (at least "
            f"one), received shape {weights.shape}."
        )


def _renamed(class_names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if name == old else name for name in class_names)
