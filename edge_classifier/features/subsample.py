"""Choosing some of many samples so that no class, burst or moment is left out first."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.values import Sample


def spread_samples(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Choose samples evenly over classes, within them over bursts, and within those over time."""
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
