from __future__ import annotations

import numpy as np

from edge_classifier.features.subsample import pick_evenly


def test_each_class_keeps_its_first_its_last_and_what_lies_evenly_between() -> None:
    class_ids = np.array([0] * 9 + [1] * 3 + [0] * 2, np.int64)
    assert pick_evenly(class_ids, np.array([3, 5])).tolist() == [0, 5, 13, 9, 10, 11]


def test_nothing_is_chosen_from_nothing() -> None:
    assert pick_evenly(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []
    assert pick_evenly(np.array([1, 1], np.int64), np.array([4, 1])).tolist() == [0]
