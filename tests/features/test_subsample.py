from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.features.subsample import spread_samples
from edge_classifier.values import Sample


def test_each_class_keeps_its_first_its_last_and_what_lies_evenly_between() -> None:
    class_ids = np.array([0] * 9 + [1] * 3 + [0] * 2, np.int64)
    assert pick_evenly(class_ids, np.array([3, 5])).tolist() == [0, 5, 13, 9, 10, 11]


def test_nothing_is_chosen_from_nothing() -> None:
    assert pick_evenly(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
    assert pick_evenly(np.array([1, 1], np.int64), np.array([4, 1])).tolist() == [0]


def _samples(*bursts: tuple[str, str, int]) -> list[Sample]:
    return [
        Sample(name, burst, Path(f"{name}/{burst}-{n}.jpg"), f"{name}{burst}{n}")
        for name, burst, count in bursts
        for n in range(count)
    ]


def test_the_first_samples_chosen_are_one_of_each_class_then_one_of_each_burst() -> None:
    samples = _samples(("mug", "b1", 40), ("mug", "b2", 40), ("leaf", "b3", 3), ("leaf", "b4", 1))
    chosen = spread_samples(samples, 4)
    assert [s.class_name for s in chosen] == ["mug", "leaf", "mug", "leaf"]
    assert {s.burst_id for s in chosen} == {"b1", "b2", "b3", "b4"}


def test_samples_of_one_burst_are_chosen_far_apart() -> None:
    chosen = spread_samples(_samples(("mug", "b1", 100)), 3)
    assert sorted(int(s.path.stem.split("-")[1]) for s in chosen) == [25, 50, 75]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 100])
def test_all_samples_are_chosen_once_where_there_are_no_more(count: int) -> None:
    samples = _samples(("mug", "b1", count), ("leaf", "b2", 2))
    chosen = spread_samples(samples, 1000)
    assert len(chosen) == len({s.path for s in chosen}) == count + 2
