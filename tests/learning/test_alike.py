"""Groups of like pictures, few enough for a key each, and what was recorded together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edge_classifier.learning.alike import groups_of_like, recorded_together

Rows = npt.NDArray[np.float32]


def kinds(count: int, each: int, spread: float) -> Rows:
    """Pictures of some kinds, one kind after the other."""
    random = np.random.default_rng(0)
    means = np.repeat(random.normal(size=(count, 32)), each, axis=0)
    return np.asarray(means + spread * random.normal(size=means.shape), np.float32)


def test_like_ones_are_together_and_the_largest_group_comes_first() -> None:
    rows = kinds(4, 30, 0.05)[:100]
    groups = groups_of_like(rows)
    assert [len(group) for group in groups] == [30, 30, 30, 10]
    assert sorted(np.concatenate(groups).tolist()) == list(range(100))
    assert all(len({row // 30 for row in group.tolist()}) == 1 for group in groups)


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (40, 10), (300, 30), (2600, 260)])
def test_there_are_not_many_however_different_they_are(count: int, most: int) -> None:
    groups = groups_of_like(np.random.default_rng(1).normal(size=(count, 16)).astype(np.float32))
    assert 1 <= len(groups) <= most
    assert sorted(np.concatenate(groups).tolist()) == list(range(count))


def test_nothing_and_the_same_picture_again_and_again_are_grouped() -> None:
    assert groups_of_like(np.empty((0, 8), np.float32)) == []
    assert len(groups_of_like(np.ones((50, 8), np.float32))) == 1


def test_frames_in_order_were_recorded_together_and_so_was_what_is_marked() -> None:
    steps = np.random.default_rng(2).normal(size=(60, 32)) * 0.05
    recording = 5 * np.random.default_rng(3).normal(size=32) + np.cumsum(steps, axis=0)
    others = np.random.default_rng(4).normal(size=(20, 32)) * 5
    features = np.concatenate([recording, others]).astype(np.float32)
    folders = ["a"] * 60 + ["b"] * 20
    numbers = recorded_together(features, folders, [""] * 80)
    assert len(set(numbers[:60].tolist())) == 1
    assert len(set(numbers[60:].tolist())) == 20
    marked = recorded_together(features, folders, ["run 1", *[""] * 77, "run 1", "run 1"])
    assert set(marked[:60].tolist()) == set(marked[78:].tolist())
    assert len(set(marked.tolist())) == 19
    assert recorded_together(features[:0], [], []).shape == (0,)
