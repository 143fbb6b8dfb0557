"""The linear discriminant: weights that tell classes apart whose rows spread alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from .subsample import evenly

if TYPE_CHECKING:
    import numpy.typing as npt

_MOST_ROWS: Final = 1500
"""The covariance is estimated on no more, thinned out evenly: time grows with the cube."""

_NO_SPREAD: Final = 1e-12
"""Variance below which rows are all the same: copies of one picture."""


def discriminant(
    rows: npt.NDArray[np.float32], class_ids: npt.NDArray[np.int64], classes: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Find the weights that tell classes apart whose rows spread alike; each counts the same.

    Each class has one of the rows `(N, D)` at least.

    Returns:
        Weights `(D, C)` and bias `(C,)`, or `None` where no class has two different rows.
    """
    shares = np.zeros((classes, len(rows)), np.float32)
    shares[class_ids, np.arange(len(rows))] = 1.0
    shares /= shares.sum(axis=1, keepdims=True)
    means = shares @ rows
    chosen = evenly(len(rows), _MOST_ROWS)
    spread = rows[chosen] - means[class_ids[chosen]]
    count, dim = spread.shape
    # Products among rows rather than among features: there are fewer of them.
    gram = (spread @ spread.T).astype(np.float64)
    variance = np.trace(gram) / count / dim
    if variance < _NO_SPREAD:
        return None
    shrinkage = _ledoit_wolf(gram, dim)
    ridge = shrinkage * variance
    # Woodbury's identity: the inverse of the shrunk covariance, times the means.
    inner = (1.0 - shrinkage) * gram / count + ridge * np.eye(count)
    products = (spread @ means.T).astype(np.float64)
    solved = np.linalg.solve(inner, products) * (1.0 - shrinkage) / count
    weights = (means.T - spread.T @ solved.astype(np.float32)).astype(np.float64) / ridge
    bias = -0.5 * np.einsum("cd,dc->c", means.astype(np.float64), weights)
    # What all classes have in common cancels out in the scores, but is large: rounded to 32 bits
    # it would make a picture's scores depend on what else is asked about at the same time.
    return weights - weights.mean(axis=1, keepdims=True), bias - bias.mean()


def _ledoit_wolf(gram: npt.NDArray[np.float64], dim: int) -> float:
    """Return how far to shrink, above 0 to 1, from the products among the rows."""
    count = len(gram)
    square = float((gram**2).sum()) / count**2
    noise = float((np.diag(gram) ** 2).sum()) / count**2 - square / count
    signal = square - (float(np.trace(gram)) / count) ** 2 / dim
    return float(np.clip(noise / max(signal, np.finfo(np.float64).tiny), 1e-3, 1.0))


def spread_of(logits: npt.NDArray[np.float32]) -> float:
    """Return how far logits `(N, C)` lie from each other within rows."""
    return float((logits - logits.mean(axis=1, keepdims=True)).std())
