"""Does a frame resemble any class at all?

The measure is the cosine similarity of a frame's features to the nearest training features,
averaged over the nearest three. On the tasks that we measured it accepts 2 % of unrelated
pictures where it accepts 95 % of known frames; the highest softmax score, which is what is
commonly used, accepts 65 %. (Nearest neighbours in feature space for this purpose: Sun et al.,
"Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.classify import nearest_mean
from edge_classifier.errors import InvalidValueError
from edge_classifier.head import normalise
from edge_classifier.thinning import pick_evenly

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from edge_classifier.frame import Features, FeatureSet

NEIGHBOURS: Final = 3
TRUE_ACCEPTANCE: Final = 0.95
"""The part of known frames that the threshold is set to accept."""

MAX_REFERENCES: Final = 512
"""More are thinned out evenly within each class; keeps the cost under a tenth of a frame's."""

MAX_STEPS: Final = 20
"""How far a user can move the threshold either way, in steps."""

STEPS_SETTING: Final = "unknown_steps"
"""Under this name a project's settings hold the steps; see `stored_steps`."""

DEFAULT_STEP: Final = 0.01
"""The size of a step in files from before it was measured."""

_STEPS_TO_TYPICAL: Final = 4
"""So many steps lead from the threshold to the similarity of a typical known frame."""

_MAX_MEASURED: Final = 4096
"""The threshold is measured on no more samples, thinned out likewise: time and memory of that
grow with the square of a class's samples."""

_PARTS: Final = 4

_FEWEST: Final = 5
"""Samples of a class below which nothing is measured on it."""

_SINGLE_BURST_SLACK: Final = 2.0
"""Within one burst even distant frames are alike; a second burst differs about twice as much."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownDetector:
    """Tells known from unknown by the nearest training features.

    Attributes:
        references: `(M, D)` float32, each of length 1.
        measured_threshold: What was measured on held-out samples; in [-1, 1].
        measured_on_bursts: Whether that comes from bursts held out, and not merely from parts
            of single bursts.
        step: How far one step of the user's moves the threshold; 0 or more. Four steps lead
            from the measured threshold, which accepts about 95 % of known frames, to where half
            of them would be refused.
        steps: How many steps the user has moved it: above 0 is stricter, below more lenient.
    """

    references: npt.NDArray[np.float32]
    measured_threshold: float
    measured_on_bursts: bool
    step: float = DEFAULT_STEP
    steps: int = 0

    def __post_init__(self) -> None:
        if self.references.ndim != 2 or not len(self.references):  # noqa: PLR2004 - (M, D)
            raise InvalidValueError(
                f"Expected references of shape (M, D), received {self.references.shape}."
            )

    @property
    def threshold(self) -> float:
        """Frames less similar than this are unknown: what was measured, and the user's steps."""
        return self.measured_threshold + self.steps * self.step

    def adjusted(self, steps: int) -> UnknownDetector:
        """Move the threshold so many steps from where it was measured.

        Counted from the measured threshold, not from where it is now: `adjusted(0)` takes all
        steps back, and the same number can be applied again after each training.

        Args:
            steps: Above 0 is stricter (more is unknown), below more lenient; what is beyond
                `MAX_STEPS` either way is cut off.
        """
        return replace(self, steps=max(-MAX_STEPS, min(MAX_STEPS, steps)))

    def with_reference(self, features: Features) -> UnknownDetector:
        """Count one more image, `(D,)`, as known, until the threshold is measured anew."""
        added = np.concatenate([self.references, normalise(features[None])])
        return replace(self, references=added)

    def similarity(self, features: Features) -> npt.NDArray[np.float32]:
        """Return the similarity `(N,)` of features `(N, D)` to the nearest references."""
        return nearest_mean(normalise(features) @ self.references.T, NEIGHBOURS)


def stored_steps(settings: Mapping[str, object]) -> int:
    """Read the user's steps from a project's settings (`SampleStore.settings`).

    They are kept with `store.update_settings(**{STEPS_SETTING: steps})`; what is no whole number
    counts as none.
    """
    steps = settings.get(STEPS_SETTING)
    return steps if isinstance(steps, int) and not isinstance(steps, bool) else 0


def fit_unknown_detector(feature_set: FeatureSet) -> UnknownDetector | None:
    """Measure the threshold on samples held out by burst.

    A class of several bursts is measured burst against the others; a class of one burst, each
    quarter of it against the rest, with slack. `None` where no sample can be held out.

    Args:
        feature_set: Labelled features, in the order of capture within each class.
    """
    picks = _thin_out(feature_set, _MAX_MEASURED)
    rows = normalise(feature_set.features[picks])
    class_ids, burst_ids = feature_set.class_ids[picks], feature_set.burst_ids[picks]
    levels: list[float] = []
    typical: list[float] = []
    measured_on_bursts = True
    for class_id in range(len(feature_set.class_names)):
        of_class = np.flatnonzero(class_ids == class_id)
        bursts = burst_ids[of_class]
        if len(of_class) < _FEWEST:
            continue  # a few pictures say nothing of how much the next one may differ
        if len(np.unique(bursts)) > 1:
            found, middle = _levels(rows[of_class], bursts)
            levels += found
            typical.append(middle)
        else:
            measured_on_bursts = False
            quarters = np.arange(len(of_class)) * _PARTS // len(of_class)
            found, middle = _levels(rows[of_class], quarters)
            levels += [1.0 - _SINGLE_BURST_SLACK * (1.0 - x) for x in found]
            typical.append(middle)
    if not levels:
        return None
    # The next burst differs as much as these do among each other, so their mean is too strict
    # for half of all bursts to come.
    threshold = float(np.mean(levels) - np.std(levels))
    return UnknownDetector(
        normalise(feature_set.features[_thin_out(feature_set, MAX_REFERENCES)]),
        threshold,
        measured_on_bursts,
        step=max(0.0, float(np.mean(typical)) - threshold) / _STEPS_TO_TYPICAL,
    )


def _levels(
    rows: npt.NDArray[np.float32], groups: npt.NDArray[np.generic]
) -> tuple[list[float], float]:
    """Return for each group the similarity to the others that most of its rows reach.

    And, of all rows, the similarity that half of them reach.
    """
    similarities = _held_out(rows, groups)
    levels = [
        float(np.quantile(similarities[groups == group], 1.0 - TRUE_ACCEPTANCE))
        for group in np.unique(groups)
    ]
    return levels, float(np.median(similarities))


def _held_out(
    rows: npt.NDArray[np.float32], groups: npt.NDArray[np.generic]
) -> npt.NDArray[np.float32]:
    """Return each row's similarity to the rows of the other groups."""
    similarities: npt.NDArray[np.float32] = rows @ rows.T
    similarities[groups[:, None] == groups[None, :]] = -1.0
    return nearest_mean(similarities, NEIGHBOURS)


def _thin_out(feature_set: FeatureSet, most: int) -> npt.NDArray[np.int64]:
    """Choose at most so many rows, evenly over each class in the order of capture."""
    classes = len(feature_set.class_names)
    return pick_evenly(feature_set.class_ids, np.full(classes, max(1, most // max(1, classes))))
