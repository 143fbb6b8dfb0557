"""Does a frame resemble any class at all?

How familiar a frame is: 1, less the cosine distance of its features to the nearest three training
features (Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022), less
how much its scores hesitate between the classes. Two corrections, each measured to help on tasks
of very different kind:

- A distance counts relative to what is usual around the reference that it is measured to, as in
  the local outlier factor (Breunig et al., SIGMOD 2000): a hand's breadth from a mug that always
  looked the same is far, from a T-shirt that never did it is near. Of the correction only the
  square root is taken; all of it lets lonely references attract strangers.
- A stranger of the same kind as the classes, say an eleventh hand sign, lies near some of them,
  but often between them: so the entropy of the scores is subtracted, with a quarter of the
  weight that would make it count as much as the distance.

Where 95 % of known frames are accepted, the highest softmax score, which is what is commonly used,
accepts 50 to 80 % of unrelated pictures, and this 2 to 7 % (means over sets; nearly all of them at
classes that are collections of unlike things, such as clothes). Of other classes of the same kind
it accepts 56 to 78 % with v2 0.35, the mere distance 60 to 80 %, the score 72 to 87 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.device.unknown_detector import NEIGHBOURS, UnknownDetector, scaled_similarities
from edge_classifier.device.verdict import normalise
from edge_classifier.learning.splits import holdout_groups

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.head import Head
    from edge_classifier.values import FeatureSet

TRUE_ACCEPTANCE: Final = 0.95
"""The part of known frames that the threshold is set to accept."""

MAX_REFERENCES: Final = 512
"""More are thinned out evenly within each class; keeps the cost under a tenth of a frame's."""

STEPS_TO_TYPICAL: Final = 4
"""So many steps lead from the threshold to the similarity of a typical known frame."""

_MAX_MEASURED: Final = 4096
"""The threshold is measured on no more samples, thinned out likewise: time and memory of that
grow with the square of a class's samples."""

_LOCAL: Final = 0.5
"""How much of the local correction is taken, as an exponent."""

_HESITATION: Final = 0.25
"""Weight of the entropy beside the distance, once both are brought to the same spread over known
frames: where known frames themselves hesitate much, it says little."""

_LEAST_ENTROPY: Final = 0.05
"""A smaller spread counts as this many nats."""

_LEAST_DISTANCE: Final = 0.02
"""Smaller ones count as this: frames of a class that stood still say nothing of how far another
may lie."""

_LEAST_SPAN: Final = 0.02
"""Likewise, from the threshold to a typical known frame."""

_FEWEST: Final = 5
"""Samples of a class below which nothing is measured on it."""

_STRANGERS_ACCEPTED: Final = 0.02
"""The part of generic strangers that is more familiar than their level."""

_SINGLE_BURST_SLACK: Final = 2.0
"""Within one burst even distant frames are alike; a second burst differs about twice as much."""


def fit_unknown_detector(
    feature_set: FeatureSet,
    entropies: npt.NDArray[np.float32] | None = None,
    head: Head | None = None,
) -> UnknownDetector | None:
    """Measure the threshold on samples held out by burst, and on generic strangers.

    A class of several bursts is measured burst against the others; a class of one burst, each
    quarter of it against the rest, with slack. `None` where no sample can be held out.

    Features come in the order of capture within each class. `entropies`, `(N,)` in nats, are of the
    scores that each sample had while it was held out, NaN where it was not; without them scores do
    not count. `head` gives the scores of generic strangers, which are not measured without it.
    """
    classes = len(feature_set.class_names)
    picks = _thin_out(feature_set.class_ids, classes, _MAX_MEASURED)
    known = _Measured(feature_set, picks)
    if not known.measured.any():
        return None
    chosen = _thin_out(feature_set.class_ids[picks], classes, MAX_REFERENCES)
    scales = known.scales[chosen]
    weight = 0.0
    distances = known.held_out_distances(chosen, scales)
    familiar = 1.0 - distances
    if entropies is not None and not np.isnan(entropies[picks]).all():
        of_picks = entropies[picks]
        spread = max(float(np.nanstd(of_picks)), _LEAST_ENTROPY)
        weight = _HESITATION * float(distances[known.measured].std()) / spread
        familiar -= weight * np.where(np.isnan(of_picks), np.nanmean(of_picks), of_picks)
    threshold, typical = _threshold(familiar[known.measured], known.groups[known.measured])
    detector = UnknownDetector(
        normalise(feature_set.features[picks[chosen]]),
        scales,
        threshold,
        known.on_bursts,
        step=max(_LEAST_SPAN, typical - threshold) / STEPS_TO_TYPICAL,
        hesitation_weight=weight,
        bursts=_fewest_bursts(feature_set),
        class_ids=feature_set.class_ids[picks[chosen]],
    )
    strangers = feature_set.strangers
    if strangers is None or head is None:
        return detector
    strange = detector.similarity(strangers, head.scores(strangers))
    return replace(detector, stranger_level=float(np.quantile(strange, 1.0 - _STRANGERS_ACCEPTED)))


def _fewest_bursts(feature_set: FeatureSet) -> int:
    """Count the bursts of the class with the fewest."""
    ids, bursts = feature_set.class_ids, feature_set.burst_ids
    return min(len(np.unique(bursts[ids == class_id])) for class_id in np.unique(ids))


class _Measured:
    """Samples with their distances to what they were not recorded together with.

    Attributes:
        measured: `(N,)` whether a sample was held out.
        groups: `(N,)` numbers of bursts, or of quarters of single ones.
        on_bursts: Whether all that was held out were bursts.
        scales: `(N,)` what distances to each sample are to be multiplied by.
    """

    def __init__(self, feature_set: FeatureSet, picks: npt.NDArray[np.int64]) -> None:
        self._rows = normalise(feature_set.features[picks])
        self._ids = feature_set.class_ids[picks]
        classes = len(feature_set.class_names)
        parts, are_bursts = holdout_groups(self._ids, feature_set.burst_ids[picks], classes)
        self.groups = self._ids * (parts.max(initial=0) + 1) + parts
        # Within one burst even distant frames are alike.
        self._slack = np.where(are_bursts, 1.0, _SINGLE_BURST_SLACK)[self._ids].astype(np.float32)
        self.measured = np.zeros(len(picks), np.bool_)
        distances = np.zeros(len(picks), np.float32)
        for class_id in range(classes):
            of_class = np.flatnonzero(self._ids == class_id)
            # A few pictures say nothing of how much the next one may differ.
            if len(of_class) >= _FEWEST:
                self.measured[of_class] = True
                rows, groups = self._rows[of_class], self.groups[of_class]
                apart = np.where(groups[:, None] == groups[None, :], np.inf, 1.0 - rows @ rows.T)
                distances[of_class] = _nearest(apart) * self._slack[of_class]
        self.on_bursts = bool(are_bursts[self._ids[self.measured]].all())
        distances = np.maximum(distances, np.float32(_LEAST_DISTANCE))
        self.scales = np.ones(len(picks), np.float32)
        if self.measured.any():
            held_out = distances[self.measured]
            self.scales[self.measured] = (held_out / float(held_out.mean())) ** -_LOCAL

    def held_out_distances(
        self, references: npt.NDArray[np.int64], scales: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return `(N,)` the distance to the nearest references of other groups, as in use.

        At least `_LEAST_DISTANCE`, too: a thing that stood still on a tripod would otherwise be
        unknown for the least change of light.
        """
        similar = scaled_similarities(self._rows, self._rows[references], scales)
        same_class = self._ids[:, None] == self._ids[references]
        apart = (1.0 - similar) * np.where(same_class, self._slack[:, None], 1.0)
        apart[self.groups[:, None] == self.groups[references]] = np.inf
        nearest = _nearest(apart)
        np.maximum(nearest, np.float32(_LEAST_DISTANCE), out=nearest)
        return nearest


def _nearest(distances: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Average the least few distances of each row, leaving out infinite ones; 1 without any."""
    count = min(NEIGHBOURS, distances.shape[1])
    nearest = np.partition(distances, count - 1, axis=1)[:, :count]
    valid = np.isfinite(nearest)
    sums = np.where(valid, nearest, 0.0).sum(axis=1)
    means = sums / np.maximum(valid.sum(axis=1), 1)
    return np.where(valid.any(axis=1), means, 1.0).astype(np.float32)


def _threshold(
    familiar: npt.NDArray[np.float32], groups: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Return what most held-out samples reach, and what half of them do."""
    refused = 1.0 - TRUE_ACCEPTANCE
    of_groups = [float(np.quantile(familiar[groups == g], refused)) for g in np.unique(groups)]
    # The next burst differs as much as these do among each other, so their mean is too strict
    # for half of all bursts to come. Pictures added one by one are groups of one: those that
    # differ most among them are what is to be expected of new ones, too.
    threshold = min(
        float(np.mean(of_groups) - np.std(of_groups)), float(np.quantile(familiar, refused))
    )
    return threshold, float(np.median(familiar))


def _thin_out(class_ids: npt.NDArray[np.int64], classes: int, most: int) -> npt.NDArray[np.int64]:
    """Choose at most so many rows, evenly over each class in the order of capture."""
    return pick_evenly(class_ids, np.full(classes, max(1, most // max(1, classes))))
