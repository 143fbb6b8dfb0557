"""Learning what places look like in pictures of each class, for the heat map of `device.heat`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.heat import (
    ClassPlaces,
    HeatReferences,
    place_features,
    squared_distances,
)
from edge_classifier.errors import EdgeClassifierError, NotEnoughSamplesError
from edge_classifier.features.bulk import read_pictures
from edge_classifier.features.subsample import spread_samples
from edge_classifier.learning.splits import holdout_groups
from edge_classifier.project.sample_files import recording_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import Sample

SAMPLES_PER_CLASS: Final = 24
"""Pictures of a class to look at: half as many do nearly as well, more no better."""

_MOST_SAMPLES: Final = 240
"""Of all classes together: their feature maps are held in memory, up to 60 MB."""

_MOST_PLACES: Final = 1024
_PLACES_OF_A_CLASS: Final = 256
"""References, thinned out evenly. With four times as many a foreign thing is found no better (0.961
for 0.958 of pairs of places in the right order); greedy choice, PatchCore's, is no better than even
choice here, and worse at half as many."""

_USUAL: Final = 0.99
"""The part of places in held-out pictures that are nearer than what counts as usual."""

_LEAST_USUAL: Final = 0.2
"""Of the mean length of places: half of the least on 26 webcam sets. Of pictures that are all the
same, else any noise would be hot."""


def heat_samples(samples: Sequence[Sample], per_class: int = SAMPLES_PER_CLASS) -> list[Sample]:
    """Choose the samples to look at, so many a class at most, in their order."""
    classes = len({sample.class_name for sample in samples})
    chosen = spread_samples(samples, min(_MOST_SAMPLES, per_class * classes))
    paths = {sample.path for sample in chosen}
    return [sample for sample in samples if sample.path in paths]


def learn_heat(
    samples: Sequence[Sample], backbone: Backbone, progress: Progress, cancelled: Cancelled
) -> HeatReferences:
    """Look at some of a project's samples, which takes a second or two.

    Raises:
        NotEnoughSamplesError: if no picture can be read.
        CancelledError: if asked to stop.
    """
    pictures = read_pictures(
        heat_samples(samples), progress, cancelled, "Stopped learning what places look like."
    )
    known, maps = [], []
    for sample, picture in pictures:
        if not isinstance(picture, EdgeClassifierError):  # who else needs it reports it
            known.append(sample)
            maps.append(backbone.extract_spatial([picture])[1][0])
    return fit_heat(known, maps)


def fit_heat(samples: Sequence[Sample], maps: Sequence[npt.NDArray[np.float32]]) -> HeatReferences:
    """Learn from the feature maps `(h, w, c)` of samples, in the order of capture of each class.

    Raises:
        NotEnoughSamplesError: if there is none.
    """
    if not samples:
        raise NotEnoughSamplesError("There is no picture to learn from that can be read.")
    names = list(dict.fromkeys(sample.class_name for sample in samples))
    class_ids = np.array([names.index(s.class_name) for s in samples], np.int64)
    burst_ids = np.array([recording_of(s.burst_id) for s in samples], np.str_)
    groups, _ = holdout_groups(class_ids, burst_ids, len(names))
    most = max(8, min(_PLACES_OF_A_CLASS, _MOST_PLACES // len(names)))
    height, width, channels = maps[0].shape
    classes = {}
    for class_id, name in enumerate(names):
        rows = np.flatnonzero(class_ids == class_id)
        places = place_features(
            np.stack([maps[row] for row in rows.tolist()]).reshape(-1, channels)
        )
        of_place = groups[rows].repeat(height * width)
        chosen = np.unique(np.linspace(0, len(places) - 1, most).round().astype(np.int64))
        classes[name] = ClassPlaces(places[chosen], _usual(places, of_place, chosen))
    return HeatReferences((height, width, channels), classes)


def _usual(
    places: npt.NDArray[np.float32], groups: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64]
) -> float:
    """Measure how far places `(P, c)` are from the chosen ones of other groups `(P,)`."""
    squares = squared_distances(places, places[chosen])
    squares[groups[:, None] == groups[chosen]] = np.inf
    nearest = squares.min(axis=1)
    if not np.isfinite(nearest).any():  # a single picture: how far its places are apart
        squares = squared_distances(places[chosen], places)
        squares[np.arange(len(chosen)), chosen] = np.inf
        nearest = squares.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    least = max(1e-3, _LEAST_USUAL * float(np.linalg.norm(places, axis=1).mean()))
    if not len(nearest):
        return least
    return max(least, float(np.quantile(np.sqrt(np.maximum(nearest, 0)), _USUAL)))
