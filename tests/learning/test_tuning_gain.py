"""What fine-tuning gains is asked of rounds that were held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.learning.tuning_gain import compare, newest_bursts
from edge_classifier.values import Sample


def samples(**bursts: list[int]) -> list[Sample]:
    """Make samples of classes, so many in each of their bursts."""
    return [
        Sample(name, f"b{burst}", Path(f"{name}/b{burst}-{n}.jpg"), f"{name}{burst}{n}")
        for name, counts in bursts.items()
        for burst, count in enumerate(counts)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("taught", "held_out"),
    [
        (samples(mug=[2, 1], phone=[1, 2]), [False, False, True, False, True, True]),
        (samples(mug=[1, 1], phone=[1, 1], leaf=[2]), [False, True, False, True, False, False]),
        (samples(mug=[1] * 8, phone=[1, 1]), [*[False] * 6, True, True, False, True]),
    ],
)
def test_the_newest_round_of_each_class_that_has_others_is_held_out(
    taught: list[Sample], held_out: list[bool]
) -> None:
    found = newest_bursts(taught)
    assert found is not None
    assert found.tolist() == held_out


@pytest.mark.parametrize("taught", [[], samples(mug=[3, 3]), samples(mug=[3, 3], phone=[4])])
def test_where_two_classes_have_no_second_round_nothing_can_be_measured(
    taught: list[Sample],
) -> None:
    assert newest_bursts(taught) is None


def test_it_tells_how_much_of_what_was_held_out_is_right_before_and_after() -> None:
    after = clusters(classes=3, bursts=4)
    noise = np.random.default_rng(1).normal(size=after.features.shape).astype(np.float32)
    before = replace(after, features=noise)
    held_out = np.array([burst.endswith("3") for burst in after.burst_ids])
    gain = compare(before, after, held_out)
    assert gain.before < 0.7
    assert gain.after == 1.0
    assert gain.bursts == 3
