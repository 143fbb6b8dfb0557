from __future__ import annotations

import numpy as np

from edge_classifier.learning.splits import holdout_groups


def parts(bursts: list[str]) -> tuple[list[int], bool]:
    numbers, are_bursts = holdout_groups(np.zeros(len(bursts), np.int64), np.array(bursts), 1)
    return numbers.tolist(), bool(are_bursts[0])


def test_bursts_are_parts_in_the_order_of_capture() -> None:
    assert parts(["b", "b", "a", "c", "c"]) == ([0, 0, 1, 2, 2], True)


def test_a_single_burst_has_quarters_one_after_the_other() -> None:
    assert parts(["a"] * 8) == ([0, 0, 1, 1, 2, 2, 3, 3], False)


def test_two_pictures_of_one_burst_are_two_parts_and_one_picture_is_one() -> None:
    assert parts(["a", "a"]) == ([0, 1], False)
    assert parts(["a"]) == ([0], False)


def test_classes_are_parted_each_by_itself_however_they_are_mixed() -> None:
    class_ids = np.array([1, 0, 1, 0, 1])
    numbers, are_bursts = holdout_groups(class_ids, np.array(["x", "p", "y", "p", "y"]), 3)
    assert numbers.tolist() == [0, 0, 1, 1, 1]
    assert are_bursts.tolist() == [False, True, False]
