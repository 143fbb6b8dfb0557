"""Unlabelled pictures, put into groups of like ones, and what was recorded together.

A person answers for a group with one key, so there are no more groups than a tenth of the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.verdict import normalise
from edge_classifier.learning.recordings import with_recordings
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.values import Features

APART: Final = 1.2
"""Groups are joined up to this height of Ward's tree, in parts of the median distance of two
pictures: the largest that cost nothing on five sets (`python tools fewshots.labelling`)."""

_PICTURES_A_KEY: Final = 10
_FEW_GROUPS: Final = 30
_FEWEST_OF_A_GROUP: Final = 4
"""At most a group for ten pictures; of fewer than 300 there may be 30, if they have four each."""

_COMPARED: Final = 2000
"""Of more pictures some are grouped, evenly; the others join the group that is nearest."""

_PAIRS: Final = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """Pictures that came without labels.

    Attributes:
        paths: Of the N pictures.
        hashes: The SHA-256 of each file.
        features: `(N, D)`.
        recordings: `(N,)` the number of what each was recorded with; none are in two.
        asked: `(N,)` whether it is to be asked about: it was not answered before.
        bursts: Of recordings that are in the project already in part, the burst that they are.
        refused: Why others cannot be read, one line each.
    """

    paths: Sequence[Path]
    hashes: Sequence[str]
    features: Features
    recordings: npt.NDArray[np.int64]
    asked: npt.NDArray[np.bool_]
    bursts: Mapping[int, str]
    refused: Sequence[str] = ()


def groups_of_like(features: Features) -> list[npt.NDArray[np.int64]]:
    """Group N pictures by their features `(N, D)`: the rows of each group, the largest first."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 - keeps the start early

    count = len(features)
    if count <= 1:
        return [np.arange(count)] if count else []
    rows = normalise(features)
    compared = np.unique(np.linspace(0, count - 1, min(count, _COMPARED)).astype(np.int64))
    some = rows[compared].astype(np.float64)
    tree = linkage(some, "ward")
    most = max(min(_FEW_GROUPS, -(-count // _FEWEST_OF_A_GROUP)), count // _PICTURES_A_KEY)
    numbers = fcluster(tree, APART * _usual_distance(some), "distance")
    if numbers.max() > most:
        numbers = fcluster(tree, most, "maxclust")
    means = np.stack([some[numbers == n].mean(axis=0) for n in range(1, numbers.max() + 1)])
    nearest = (np.square(means).sum(axis=1) - 2 * rows @ means.T).argmin(axis=1)
    nearest[compared] = numbers - 1
    groups = [np.flatnonzero(nearest == n) for n in range(len(means))]
    return sorted(groups, key=lambda group: (-len(group), int(group[0])))


def _usual_distance(rows: npt.NDArray[np.float64]) -> float:
    """Estimate the median distance of two different rows; a little where all are the same."""
    random = np.random.default_rng(0)
    one = random.integers(0, len(rows), _PAIRS)
    other = (one + random.integers(1, len(rows), _PAIRS)) % len(rows)
    return max(1e-6, float(np.median(np.linalg.norm(rows[one] - rows[other], axis=1))))


def recorded_together(
    features: Features, folders: Sequence[object], marks: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Number what was recorded together, `(N,)`.

    Args:
        features: `(N, D)`, in the order of the files' names.
        folders: In which folder each lies: pictures of different ones have no order.
        marks: What the names or times say each belongs to; empty where they say nothing.
    """
    count = len(features)
    if not count:
        return np.empty(0, np.int64)
    _, folder_ids = np.unique([str(folder) for folder in folders], return_inverse=True)
    each = np.arange(count).astype(np.str_)
    known = FeatureSet(features, folder_ids.astype(np.int64), each, tuple(np.unique(folder_ids)))
    _, numbers = np.unique(with_recordings(known).burst_ids, return_inverse=True)
    of_mark: dict[str, int] = {}
    for row, mark in enumerate(marks):
        if mark and (first := of_mark.setdefault(mark, row)) != row:
            numbers[numbers == numbers[row]] = numbers[first]
    return numbers.astype(np.int64)
