"""Scores that mean what they say: of answers with 90 %, nine in ten are right.

A trained head is as sure as its penalty lets it be, which has little to do with how often it is
right on the next burst. One number puts that right: all logits are divided by a temperature,
chosen on samples that were held out (Guo et al., "On Calibration of Modern Neural Networks", ICML
2017). It is folded into the head's weights and bias, so nothing else has to know of it, and no
answer changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.discriminant import discriminant, spread_of
from edge_classifier.device.subsample import pick_evenly
from edge_classifier.device.verdict import entropy, normalise, softmax
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.splits import holdout_groups

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.values import FeatureSet

FOLDS: Final = 4

MAX_SAMPLES: Final = 400
"""More are thinned out evenly within each class: enough for one number, and training is short."""

_DOUBT: Final = 0.25
"""Before anything was seen, as if a quarter of a held-out part had been answered right and as much
wrong: where all is right, it keeps scores from becoming certain. (Krichevsky and Trofimov, 1981,
take a half.)"""

_RANGE: Final = (-3.0, 4.0)
"""Logarithm of the temperature."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What heads said of samples that they had not seen.

    Attributes:
        rows: `(M,)` which rows of the feature set.
        class_ids: `(M,)` their classes.
        logits: `(M, C)` float64.
        groups: How many bursts, or quarters of single ones, these are: frames of one are not
            independent of each other.
    """

    rows: npt.NDArray[np.int64]
    class_ids: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]
    groups: int


def calibrated(
    head: LinearHead, feature_set: FeatureSet
) -> tuple[LinearHead, npt.NDArray[np.float32]]:
    """Divide a head's logits by the temperature that held-out samples ask for.

    The samples, with all of which the head was trained, come in the order of capture within each
    class.

    Returns:
        The head, unchanged where nothing can be held out, and `(N,)` the entropy in nats of the
        calibrated scores that each sample had while it was held out; NaN where it was not.
    """
    entropies = np.full(len(feature_set), np.nan, np.float32)
    held_out = hold_out(head, feature_set)
    if held_out is None:
        return head, entropies
    divisor = temperature(held_out)
    entropies[held_out.rows] = entropy(softmax(held_out.logits / divisor))
    factor = np.float32(1.0 / divisor)
    return LinearHead(head.class_names, head.weights * factor, head.bias * factor), entropies


def hold_out(head: LinearHead, feature_set: FeatureSet) -> HeldOut | None:
    """Learn without each fold in turn and ask about it; `None` if no sample can be held out.

    Recordings are never split. Training so many heads would take several times as long as training
    the one. The linear discriminant, half of what a head is, has a closed form and takes a
    hundredth; measured, it gives as good a temperature. Its logits are brought to the spread that
    the head has on what it was trained on: what counts is how much less sure it is of what it has
    not seen. Variants are left out.
    """
    classes = len(feature_set.class_names)
    picks = pick_evenly(
        feature_set.class_ids, np.full(classes, max(2, MAX_SAMPLES // max(1, classes)))
    )
    class_ids = feature_set.class_ids[picks]
    folds, groups = held_out_folds(class_ids, feature_set.burst_ids[picks], classes)
    rows = normalise(feature_set.features[picks])
    spread = spread_of(head.logits(feature_set.features[picks]))
    logits = np.full((len(picks), classes), np.nan)
    for fold in np.unique(folds[folds >= 0]):
        out = folds == fold
        found = discriminant(rows[~out], class_ids[~out], classes)
        if found is None:
            continue
        weights, bias = (part.astype(np.float32) for part in found)
        of_kept = spread_of(rows[~out] @ weights + bias)
        if of_kept > 0:
            logits[out] = (rows[out] @ weights + bias) * (spread / of_kept)
    known = np.flatnonzero(~np.isnan(logits[:, 0]))
    if not len(known) or not spread > 0:
        return None
    return HeldOut(picks[known], class_ids[known], logits[known], groups)


def held_out_folds(
    class_ids: npt.NDArray[np.int64], burst_ids: npt.NDArray[np.str_], classes: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Number the fold that each row is held out with, `(N,)`; -1 where it never is.

    Returns:
        That, and of how many groups the folds consist.
    """
    groups, _ = holdout_groups(class_ids, burst_ids, classes)
    counts = np.array([groups[class_ids == c].max(initial=-1) + 1 for c in range(classes)])
    folds = np.where(counts[class_ids] > 1, groups * FOLDS // counts[class_ids], -1)
    # Parts of a recording that were moved to other classes still resemble those that stayed.
    _, recording = np.unique(burst_ids, return_inverse=True)
    of_class = np.unique(np.stack([recording, class_ids]), axis=1)[0]
    parted = np.isin(recording, np.flatnonzero(np.bincount(of_class) > 1))
    for one in np.unique(recording[parted]):
        folds[recording == one] = folds[recording == one].max()
    # Of each class some are left to learn from.
    for c in range(classes):
        if len(alone := np.unique(folds[class_ids == c])) == 1:
            folds[parted & (folds == alone[0])] = -1
    return folds, int(counts[counts > 1].sum())


def temperature(held_out: HeldOut) -> float:
    """Find the temperature at which held-out answers deserve their scores.

    That is the least cross-entropy with labels that are a little in doubt, the more so the less
    was held out.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - keeps the first frame early

    logits, samples = held_out.logits, np.arange(len(held_out.class_ids))
    others = max(1, logits.shape[1] - 1)
    doubt = _DOUBT / (held_out.groups + 2 * _DOUBT)

    def loss(logarithm: float) -> float:
        scaled = logits * np.exp(-logarithm)
        scaled -= scaled.max(axis=1, keepdims=True)
        scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        own = scaled[samples, held_out.class_ids]
        return -float(np.mean((1 - doubt) * own + doubt * (scaled.sum(axis=1) - own) / others))

    return float(np.exp(minimize_scalar(loss, bounds=_RANGE, method="bounded").x))
