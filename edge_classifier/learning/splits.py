"""Parts of a class that can be held out: its bursts, or the quarters of its only one."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.values import Sample


REPRESENTATIVE: Final = 60
"""Ten samples calibrate as well as a hundred, as long as every class is among them."""

VERIFIED: Final = 200
REFERENCES: Final = 8


def spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Choose samples evenly over classes, within them over bursts, and within those over time.

    Args:
        samples: By class, then in the order they were captured.
        count: How many at most.
    """
    by_burst: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_burst[sample.class_name, sample.burst_id].append(sample)
    by_class: dict[str, list[list[Sample]]] = defaultdict(list)
    for (class_name, _), burst in by_burst.items():
        by_class[class_name].append([burst[n] for n in _halving(len(burst))])
    queues = [_interleaved(bursts) for bursts in by_class.values()]
    return _interleaved(queues)[:count]


def _interleaved(rows: Sequence[Sequence[Sample]]) -> list[Sample]:
    """Take the first of each row, then the second of each, and so on."""
    return [sample for column in zip_longest(*rows) for sample in column if sample is not None]


def _halving(length: int) -> list[int]:
    """Order indices so that the first few of them lie far apart: the middle, then quarters."""
    order: dict[int, None] = {}
    parts = 2
    while len(order) < length:
        order.update(dict.fromkeys(n * length // parts for n in range(1, parts, 2)))
        if parts > 2 * length:
            order.update(dict.fromkeys(range(length)))
        parts *= 2
    return list(order)[:length]


_QUARTERS: Final = 4


def parts_of(
    class_ids: npt.NDArray[np.int64], burst_ids: npt.NDArray[np.str_], classes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Number the parts of each class.

    Frames of one burst resemble each other more than the next burst will resemble them; quarters
    of it, one after the other in time, are the best that a single burst can give.

    Args:
        class_ids: `(N,)` the class of each row, in the order of capture within each class.
        burst_ids: `(N,)` the burst of each row.
        classes: C, the number of classes.

    Returns:
        `(N,)` the number of each row's part, from 0 within its class, and `(C,)` whether the
        parts of a class are bursts.
    """
    parts = np.zeros(len(class_ids), np.int64)
    are_bursts = np.zeros(classes, np.bool_)
    for class_id in range(classes):
        of_class = np.flatnonzero(class_ids == class_id)
        if not len(of_class):
            continue
        _, first, burst = np.unique(burst_ids[of_class], return_index=True, return_inverse=True)
        are_bursts[class_id] = len(first) > 1
        parts[of_class] = (
            np.argsort(np.argsort(first))[burst]  # in the order of capture, not of their names
            if are_bursts[class_id]
            else np.arange(len(of_class)) * _QUARTERS // len(of_class)
        )
    # A burst of two pictures has the quarters 0 and 2; numbers without gaps are easier to use.
    for class_id in range(classes):
        of_class = np.flatnonzero(class_ids == class_id)
        parts[of_class] = np.unique(parts[of_class], return_inverse=True)[1]
    return parts, are_bursts
