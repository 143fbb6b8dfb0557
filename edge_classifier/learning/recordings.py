"""Frames of one recording among pictures that came in one by one, found by their features.

A folder of webcam frames says nowhere that its pictures were taken one after the other. Held out
each by itself, every one has its neighbours on the other side: validation says 100 %, and the
threshold of "unknown" is set by frames that hardly differ. So they are found and made bursts, by
two kinds of evidence:

- **Order.** Where pictures were recorded one after the other, neighbours in their order are much
  more alike than any two of the class. Where they were not, they are no more alike than these.
- **Near-duplicates**, wherever they lie: names that are hashes keep no order.

A distance counts as a part of what is typical: the geometric mean of the median distance of two
pictures of the class and of two pictures of all classes. Of the first alone, a thing that stands
still would have no frames that are near; of the second alone, a class of photographs that are all
of one kind would be a recording. Measured with built-in and v2-0.35 features on 31 sets of webcam
frames and 20 of unrelated pictures, the median distance of neighbours in a class is 0 to 0.44 of
what is typical in recordings, and 0.52 or more elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.verdict import normalise
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from edge_classifier.values import Features

_NEIGHBOURS: Final = 0.45
"""Neighbours in their order that are usually nearer than this, in parts of what is typical, are of
a recording."""

_CLASS: Final = 0.55
"""Likewise, over all neighbours of a class: there are more of them, so chance plays less."""

_SET: Final = 0.72
_ENOUGH: Final = 20
_IN_ORDER: Final = 0.83
_CLASS_OF_SET: Final = 0.8
"""Where at least `_ENOUGH` neighbours of all classes together are usually nearer than `_SET`, and
than `_IN_ORDER` of the usual distance within their class, the last is enough for each class: a few
frames of each thing, some seconds apart."""

_JUMP: Final = 0.5
_STEPS_OF_JUMP: Final = 4.0
"""One recording ends, and another begins, where nothing shortly before is nearer than this to
anything shortly after, nor nearer than so many of the usual steps around."""

_SHORTLY: Final = 5
"""Pictures before and after; fewer than so many in order are no evidence of a recording."""

_DUPLICATES: Final = 0.2
"""Pictures nearer than this are near-duplicates, wherever they lie."""

_LOST_ORDER: Final = 0.4
"""Likewise in a class of which most pictures have near-duplicates: a recording in lost order."""

_SAME: Final = 0.02
"""A smaller cosine distance is the noise of a camera, whatever is typical."""

_BAND: Final = 512
"""Each picture is compared with so many that follow it, so that time grows with their number."""

_BLOCK: Final = 256
_PAIRS: Final = 2000
"""Pairs from which a typical distance is estimated."""


@dataclass(frozen=True, slots=True)
class AddedPictures:
    """What pictures that were added one by one turned out to be.

    Attributes:
        recordings: How many recordings some of them are frames of.
        singles: How many are of none.
    """

    pictures: int = 0
    recordings: int = 0
    singles: int = 0

    @property
    def line(self) -> str:
        """Tell it: `120 pictures: 6 recordings and 14 single pictures`; empty without any."""
        if not self.recordings:
            return f"{_counted(self.pictures, 'single picture')}" if self.pictures else ""
        found = _counted(self.recordings, "recording")
        if self.singles:
            found += f" and {_counted(self.singles, 'single picture')}"
        return f"{_counted(self.pictures, 'picture')}: {found}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def added_pictures(
    added_ids: npt.NDArray[np.str_], burst_ids: npt.NDArray[np.str_]
) -> AddedPictures:
    """Count what `with_recordings` made `burst_ids` of the bursts as they were added, `(N,)`."""
    _, sizes = np.unique(burst_ids[alone(added_ids)], return_counts=True)
    singles = int((sizes == 1).sum())
    return AddedPictures(int(sizes.sum()), len(sizes) - singles, singles)


def with_recordings(
    feature_set: FeatureSet, added: npt.NDArray[np.bool_] | None = None
) -> FeatureSet:
    """Make bursts of the frames of one recording; each has the id of its first frame.

    `added`, `(N,)`, are the rows of which nobody knows what belongs together: by default those
    that are bursts by themselves. Rows come in the order of capture within each class.
    """
    ids = feature_set.burst_ids
    if added is None:
        added = alone(ids)
    first = _first_frames(feature_set.features, feature_set.class_ids, added)
    return replace(feature_set, burst_ids=ids[first])


def recordings_of_thumbnails(
    thumbnails: Mapping[str, Sequence[npt.NDArray[np.uint8]]],
) -> AddedPictures:
    """Say what pictures are before there are features, by `(T, T)` grey thumbnails of each class.

    Cosine distances of their centred pixels tell as much, and on other counts: what features
    will say may differ by a few.
    """
    pictures = [picture.ravel() for of_class in thumbnails.values() for picture in of_class]
    if not pictures:
        return AddedPictures()
    rows = np.array(pictures, np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    class_ids = np.repeat(np.arange(len(thumbnails)), list(map(len, thumbnails.values())))
    each = np.arange(len(rows)).astype(np.str_)
    found = with_recordings(FeatureSet(rows, class_ids, each, tuple(thumbnails)))
    return added_pictures(each, found.burst_ids)


def alone(burst_ids: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Say of each of N rows whether its burst has no other."""
    _, burst, sizes = np.unique(burst_ids, return_inverse=True, return_counts=True)
    single: npt.NDArray[np.bool_] = sizes[burst] == 1
    return single


def _first_frames(
    features: Features, class_ids: npt.NDArray[np.int64], added: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Give for each of N rows the first one of its recording: itself, where it is of none."""
    first_frames = np.arange(len(features))
    usual = _usual_distance(features)
    classes = [
        _InOrder(features, np.flatnonzero(added & (class_ids == class_id)), usual)
        for class_id in np.unique(class_ids[added])
    ]
    as_a_whole = _CLASS_OF_SET if _is_in_order(classes) else _CLASS
    for one in classes:
        numbers = _recordings(one, as_a_whole)
        _, first, number = np.unique(numbers, return_index=True, return_inverse=True)
        first_frames[one.own] = one.own[first[number]]
    return first_frames


def _is_in_order(classes: Sequence[_InOrder]) -> bool:
    """Say whether the pictures of a set, all classes together, look as if taken in their order."""
    if sum(len(one.steps) for one in classes) < _ENOUGH:
        return False
    steps = np.concatenate([one.steps for one in classes])
    of_class = np.concatenate([one.steps * (one.typical / one.usual) for one in classes])
    return bool(np.median(steps) < _SET and np.median(of_class) < _IN_ORDER)


class _InOrder:
    """The added pictures of a class, in their order.

    Attributes:
        own: `(N,)` which rows of all features they are.
        rows: `(N, D)` their normalised features.
        usual: The median distance of two of them.
        typical: What distances between them are parts of.
        steps: `(N - 1,)` how far the next picture is from each, in these parts.
    """

    def __init__(self, features: Features, own: npt.NDArray[np.int64], usual: float) -> None:
        self.own = own
        self.rows = normalise(features[own])
        self.usual = max(_SAME, _usual_distance(self.rows))
        self.typical = max(_SAME, float(np.sqrt(self.usual * usual)))
        cosines = np.einsum("nd,nd->n", self.rows[:-1], self.rows[1:])
        self.steps = (1.0 - cosines) / np.float32(self.typical)

    def part(self, part: float) -> float:
        """Return a part of what is typical, but not less than the noise of a camera."""
        return max(part, _SAME / self.typical)


def _usual_distance(features: Features) -> float:
    """Estimate the median cosine distance of two different rows; 0 for a single one."""
    count = len(features)
    if count <= 1:
        return 0.0
    random = np.random.default_rng(0)
    one = random.integers(0, count, _PAIRS)
    other = (one + random.integers(1, count, _PAIRS)) % count
    cosines = np.einsum("nd,nd->n", normalise(features[one]), normalise(features[other]))
    return max(0.0, 1.0 - float(np.median(cosines)))


def _recordings(pictures: _InOrder, as_a_whole: float) -> npt.NDArray[np.int64]:
    """Number the recordings of a class, `(N,)`.

    It is in order from the first picture to the last where steps are usually shorter than
    `as_a_whole`.
    """
    numbers = _stretches(pictures, as_a_whole)
    numbers, has_duplicate = _joined(pictures, numbers, _DUPLICATES)
    if has_duplicate.mean() > 1 / 2:
        numbers, _ = _joined(pictures, numbers, _LOST_ORDER)
    return numbers


def _stretches(pictures: _InOrder, as_a_whole: float) -> npt.NDArray[np.int64]:
    """Number stretches of pictures that were taken one after the other, `(N,)`."""
    rows, steps = pictures.rows, pictures.steps
    count = len(rows)
    if count < _SHORTLY:
        return np.arange(count)
    around = np.pad(steps, _SHORTLY - 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _SHORTLY - 1)
    usual = np.nanmedian(windows, axis=1)
    goes_on = usual < pictures.part(_NEIGHBOURS)
    goes_on |= bool(np.median(steps) < pictures.part(as_a_whole))
    jumps = np.maximum(pictures.part(_JUMP), _STEPS_OF_JUMP * usual)
    for n in np.flatnonzero(goes_on & (steps >= jumps)).tolist():
        before, after = rows[max(0, n + 1 - _SHORTLY) : n + 1], rows[n + 1 : n + 1 + _SHORTLY]
        if len(before) == len(after) == _SHORTLY:  # fewer at an end are no recording of their own
            goes_on[n] = 1.0 - float((before @ after.T).max()) < jumps[n] * pictures.typical
    numbers = np.concatenate([[0], np.cumsum(~goes_on)])
    few = np.bincount(numbers)[numbers] < _SHORTLY
    numbers[few] = count + np.flatnonzero(few)  # each by itself
    found: npt.NDArray[np.int64] = np.unique(numbers, return_inverse=True)[1]
    return found


def _joined(
    pictures: _InOrder, numbers: npt.NDArray[np.int64], part: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Join recordings that have pictures nearer to each other than a part of what is typical.

    Returns:
        `(N,)` the numbers of the recordings, and whether a row has another one so near.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - keeps the first frame early
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - likewise

    rows, count = pictures.rows, len(pictures.rows)
    least_cosine = np.float32(1.0 - pictures.part(part) * pictures.typical)
    has_near = np.bincount(numbers)[numbers] > 1
    for start in range(0, count, _BLOCK):
        compared = slice(start, start + _BLOCK + _BAND)
        if np.ptp(numbers[compared]) == 0:
            continue
        near = rows[start : start + _BLOCK] @ rows[compared].T > least_cosine
        near[np.tril_indices_from(near)] = False  # itself, and what was compared before
        one, other = np.nonzero(near)
        has_near[one + start] = has_near[other + start] = True
        one, other = numbers[one + start], numbers[other + start]
        apart = one != other
        if apart.any():
            links = (one[apart], other[apart])
            graph = coo_array((np.ones(len(links[0]), np.bool_), links), (count, count))
            numbers = connected_components(graph, directed=False)[1][numbers].astype(np.int64)
    return numbers, has_near
