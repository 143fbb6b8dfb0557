"""Figures of the few-shot benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

BINS = 10
RESAMPLES = 2000


def auroc(known: npt.NDArray[np.floating], strange: npt.NDArray[np.floating]) -> float:
    """Return the chance that a known frame is more familiar than a strange one; ties count half.

    Args:
        known: `(M,)` how familiar each known frame is.
        strange: `(K,)` likewise of frames that should be unknown.
    """
    both = np.concatenate([known, strange])
    order = np.argsort(both, kind="stable")
    values, inverse, counts = np.unique(both[order], return_inverse=True, return_counts=True)
    del values
    ends = np.cumsum(counts)
    ranks = np.empty(len(both))
    ranks[order] = (ends - (counts - 1) / 2)[inverse]
    above = ranks[: len(known)].sum() - len(known) * (len(known) + 1) / 2
    return float(above / (len(known) * len(strange)))


def false_acceptance(
    known: npt.NDArray[np.floating],
    strange: npt.NDArray[np.floating],
    true_acceptance: float = 0.95,
) -> float:
    """Return the part of strange frames accepted where that part of the known ones is."""
    threshold = np.quantile(known, 1.0 - true_acceptance)
    return float((strange >= threshold).mean())


def calibration_error(scores: npt.NDArray[np.float32], ids: npt.NDArray[np.int64]) -> float:
    """Return the expected calibration error over ten bins (Guo et al., ICML 2017).

    Chance alone makes it large where there are few answers: 0.05 for a perfect model and the
    hundred or so of one episode. `calibration_gap` of many episodes together says more.
    """
    return calibration_gap(scores.max(axis=1), scores.argmax(axis=1) == ids)


def calibration_gap(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> float:
    """Return the same of answers `(N,)` with their confidences."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
            for b in np.unique(bins)
        )
    )


def mean_of_sets(values: Mapping[str, Sequence[float]]) -> float:
    """Average within each set, then over the sets, so that each set counts the same."""
    return float(np.mean([np.mean(of_set) for of_set in values.values()]))


def interval(values: Mapping[str, Sequence[float]], seed: int = 0) -> tuple[float, float]:
    """Return a 95 % interval of `mean_of_sets` by resampling the episodes of each set.

    It tells how far other draws from the same sets would move the mean, not how far other sets
    would.
    """
    generator = np.random.default_rng(seed)
    means = [
        np.mean(
            [
                np.mean(generator.choice(np.asarray(of_set), len(of_set)))
                for of_set in values.values()
            ]
        )
        for _ in range(RESAMPLES)
    ]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
