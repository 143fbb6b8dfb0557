"""Evaluation on what is held out, burst by burst: frames of one burst are never on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import InvalidValueError
from edge_classifier.evaluation.metrics import Evaluation, accuracy_interval, evaluate
from edge_classifier.learning.training import FEWEST_OF_ONE, is_enough, train
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet

FOLDS: Final = 5
_NOT_HELD_OUT: Final = -1
_CURVE_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """What models said of pictures that each of them had not seen.

    Attributes:
        evaluation: Of the pictures that could be held out, or `None` if none could.
        rows: `(M,)` which rows of the feature set those are, in the order of `evaluation`.
        folds: How many models were trained.
        untested: The classes that need a second burst before they can be held out.
    """

    evaluation: Evaluation | None
    rows: npt.NDArray[np.int64]
    folds: int
    untested: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """How right models are that were trained on few samples, with the 95 % confidence interval.

    Attributes:
        samples_per_class: At most; classes that have fewer give all they have.
        accuracy: On held-out bursts.
    """

    samples_per_class: int
    accuracy: float
    interval: tuple[float, float]


def burst_folds(feature_set: FeatureSet, folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """Deal bursts out to folds so that each class is spread as evenly as can be.

    Largest bursts first, each to the fold that has fewest samples of its classes; it is what
    scikit-learn's `StratifiedGroupKFold` aims at, and the same at each call. A class of a single
    burst cannot be held out without being forgotten: it is always trained on. Fewer folds are
    used where no class has as many bursts.

    Returns:
        `(N,)` int64, the fold of each row, or -1 for rows that are never held out.

    Raises:
        InvalidValueError: with fewer than two folds.
    """
    if folds < 2:  # noqa: PLR2004 - with one fold nothing is left to train on
        raise InvalidValueError(f"Expected 2 or more folds, received {folds}.")
    names, burst = np.unique(feature_set.burst_ids, return_inverse=True)
    counts = np.zeros((len(names), len(feature_set.class_names)), np.int64)
    np.add.at(counts, (burst, feature_set.class_ids), 1)
    bursts_of_class = (counts > 0).sum(axis=0)
    folds = min(folds, int(bursts_of_class.max(initial=0)))
    fold_of_burst = np.full(len(names), _NOT_HELD_OUT)
    if folds >= 2:  # noqa: PLR2004 - as above
        held = np.zeros((folds, counts.shape[1]), np.int64)
        alone = counts[:, bursts_of_class == 1].sum(axis=1) > 0
        for n in np.argsort(-counts.sum(axis=1), kind="stable"):
            if alone[n]:
                continue
            present = counts[n] > 0
            fold = min(
                range(folds), key=lambda k: (int(held[k, present].sum()), int(held[k].sum()), k)
            )
            held[fold] += counts[n]
            fold_of_burst[n] = fold
    rows: npt.NDArray[np.int64] = fold_of_burst[burst]
    # Bursts of several classes, which the live classifier never records, may leave a fold with
    # all rows of a class; these are not held out.
    for class_id in range(counts.shape[1]):
        of_class = feature_set.class_ids == class_id
        if len(np.unique(rows[of_class])) == 1:
            rows[of_class] = _NOT_HELD_OUT
    return rows


def cross_validate(
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    folds: int = FOLDS,
    cancelled: Cancelled = never_cancelled,
    progress: Progress = ignore_progress,
) -> CrossValidation:
    """Train without each fold in turn, and evaluate on it.

    Raises:
        NotEnoughSamplesError: as `training.train` does.
        CancelledError: if `cancelled` said so.
    """
    splits = _splits(feature_set, folds)
    parts: list[Evaluation] = []
    for done, (trained_on, held_out) in enumerate(splits, start=1):
        model = train(feature_set.subset(trained_on), settings, cancelled=cancelled)
        parts.append(
            evaluate(
                model,
                feature_set.features[held_out],
                feature_set.class_ids[held_out],
                feature_set.burst_ids[held_out],
            )
        )
        progress(done / len(splits))
    rows = np.concatenate([np.empty(0, np.int64), *(held_out for _, held_out in splits)])
    tested = set(feature_set.class_ids[rows].tolist())
    untested = tuple(n for i, n in enumerate(feature_set.class_names) if i not in tested)
    return CrossValidation(_joined(parts) if parts else None, rows, len(splits), untested)


def learning_curve(
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    test: FeatureSet | None = None,
    folds: int = FOLDS,
    progress: Progress = ignore_progress,
) -> tuple[CurvePoint, ...]:
    """Measure the accuracy on pictures not trained on against the samples per class.

    These are bursts held out in turn, or other pictures of the same classes (`test`). Which
    samples are taken is chosen at random, always alike.

    Returns:
        One point a size, the smallest first; empty where nothing can be held out.

    Raises:
        InvalidValueError: if `test` has other classes.
    """
    if test is not None and test.class_names != feature_set.class_names:
        raise InvalidValueError(
            f"Expected test pictures of {', '.join(feature_set.class_names)}, "
            f"received {', '.join(test.class_names)}."
        )
    splits = (
        [(np.arange(len(feature_set)), test)]
        if test
        else [(rows, feature_set.subset(out)) for rows, out in _splits(feature_set, folds)]
    )
    if not splits:
        return ()
    most = max(int(np.bincount(feature_set.class_ids[rows]).max()) for rows, _ in splits)
    least = FEWEST_OF_ONE if len(feature_set.class_names) == 1 else 1
    sizes = [*(s for s in _CURVE_SIZES if least <= s < most), min(most, _CURVE_SIZES[-1])]
    order = np.random.default_rng(0).permutation(len(feature_set))
    right: dict[int, list[npt.NDArray[np.bool_]]] = {size: [] for size in sizes}
    for done, (trained_on, held_out) in enumerate(splits):
        candidates = order[np.isin(order, trained_on)]
        for step, size in enumerate(sizes):
            chosen = _first_of_each_class(feature_set.class_ids, candidates, size)
            model = train(feature_set.subset(chosen), settings)
            right[size].append(evaluate(model, held_out.features, held_out.class_ids).right)
            progress((done * len(sizes) + step + 1) / (len(splits) * len(sizes)))
    burst_ids = np.concatenate([held_out.burst_ids for _, held_out in splits])
    joined = {size: np.concatenate(parts) for size, parts in right.items()}
    return tuple(
        CurvePoint(size, float(each.mean()), accuracy_interval(each, burst_ids))
        for size, each in joined.items()
    )


def _splits(
    feature_set: FeatureSet, folds: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Give for each fold the rows to train on and those that are held out.

    A single class is left whole where the rest would be too few to train on.
    """
    fold_of_row = burst_folds(feature_set, folds)
    splits = [
        (np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold))
        for fold in np.unique(fold_of_row[fold_of_row != _NOT_HELD_OUT])
    ]
    ids = feature_set.class_ids
    return [(rows, out) for rows, out in splits if is_enough(np.bincount(ids[rows]).tolist())]


def _first_of_each_class(
    class_ids: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.int64]:
    """Take the first few candidates of each class."""
    of_candidates = class_ids[candidates]
    taken = [candidates[of_candidates == c][:size] for c in np.unique(of_candidates)]
    return np.sort(np.concatenate(taken))


def _joined(parts: list[Evaluation]) -> Evaluation:
    bursts = [part.burst_ids for part in parts if part.burst_ids is not None]
    thresholds = [part.threshold for part in parts if part.threshold is not None]
    return Evaluation(
        parts[0].class_names,
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.class_ids for part in parts]),
        np.concatenate([part.unknown for part in parts]),
        np.concatenate(bursts),
        float(np.mean(thresholds)) if thresholds else None,
    )
