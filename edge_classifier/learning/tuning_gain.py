"""What fine-tuning gains, measured on rounds that neither the network nor the head has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_classifier.learning.training import train
from edge_classifier.protocols import never_cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Cancelled
    from edge_classifier.values import FeatureSet, Sample

_OTHERS: Final = 4
"""One of so many bursts of a class is held out, and one at least of several."""

_FEWEST: Final = 2
"""Classes of which some are held out; of one alone all answers are right."""


class Gain(NamedTuple):
    """The part of held-out pictures that was answered right, and of how many bursts they are."""

    before: float
    after: float
    bursts: int


def newest_bursts(samples: Sequence[Sample]) -> npt.NDArray[np.bool_] | None:
    """Say which of N samples, `(N,)`, to hold out: the newest bursts of classes of several.

    Samples are in the order of capture within each class.

    Returns:
        `None` where fewer than two classes have several.
    """
    bursts: dict[str, dict[str, None]] = {}
    for sample in samples:
        bursts.setdefault(sample.class_name, {})[sample.burst_id] = None
    held_out = {
        (name, burst_id)
        for name, of_class in bursts.items()
        if len(of_class) > 1
        for burst_id in list(of_class)[-max(1, len(of_class) // _OTHERS) :]
    }
    if len({name for name, _ in held_out}) < _FEWEST:
        return None
    return np.array([(s.class_name, s.burst_id) in held_out for s in samples])


def compare(
    before: FeatureSet,
    after: FeatureSet,
    held_out: npt.NDArray[np.bool_],
    settings: HeadSettings | None = None,
    cancelled: Cancelled = never_cancelled,
) -> Gain:
    """Train a head on the features of each network, and ask it about what is `held_out`, `(N,)`."""
    rows, taught = np.flatnonzero(held_out), np.flatnonzero(~held_out)
    right = []
    for features in (before, after):
        model = train(features.subset(taught), settings, cancelled=cancelled)
        answers = model.head.scores(features.features[rows]).argmax(axis=1)
        right.append(float((answers == features.class_ids[rows]).mean()))
    asked = {(int(before.class_ids[row]), str(before.burst_ids[row])) for row in rows}
    return Gain(right[0], right[1], len(asked))
