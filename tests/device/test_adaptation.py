"""What moved is taken off, what was not seen is safe; on clusters, whose move is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.device.adaptation import (
    PASSING,
    SHOWN,
    Adapted,
    Taught,
    adapt,
    count_seen,
    what_changed,
)
from edge_classifier.device.verdict import normalise
from edge_classifier.learning.adaptation import taught_of
from edge_classifier.learning.training import train

CLASSES = 3
SPREAD = 0.25


@pytest.fixture(scope="module")
def taught() -> Taught:
    return taught_of(train(clusters(CLASSES, spread=SPREAD)))


def frames(seed: int = 8, move: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """Draw frames of each class in turn, all moved towards class 0, with their classes."""
    known = clusters(CLASSES, per_burst=20, spread=SPREAD, seed=seed)
    direction = clusters(CLASSES, spread=0.0).features[0]
    rows = normalise((known.features + move * direction).astype(np.float32))
    mixed = np.argsort(np.tile(np.arange(len(rows) // CLASSES), CLASSES), kind="stable")
    return rows[mixed], known.class_ids[mixed]


def right(rows: np.ndarray, ids: np.ndarray, head: Taught | Adapted) -> float:
    return float(((rows @ head.weights + head.bias).argmax(axis=1) == ids).mean())


def test_frames_that_have_all_moved_alike_are_recognised_again(taught: Taught) -> None:
    rows, ids = frames()
    adapted = adapt(taught, rows[:24])
    assert adapted is not None
    assert right(rows[24:], ids[24:], taught) < 0.75
    assert right(rows[24:], ids[24:], adapted) == 1.0
    assert adapted.seen.tolist() == [8, 8, 8]


def test_the_shift_is_what_all_classes_have_moved_by(taught: Taught) -> None:
    rows, ids = frames()
    shift = found(taught, rows[:24]).shift
    in_common = [
        np.mean([each[ids == c].mean(axis=0) - taught.means[c] for c in range(CLASSES)], axis=0)
        for each in (rows, rows - shift)
    ]
    before, after = np.linalg.norm(in_common, axis=1)
    assert after < before / 3


def test_frames_that_have_not_moved_change_no_answer(taught: Taught) -> None:
    rows, ids = frames(move=0.0)
    adapted = adapt(taught, rows[:30])
    assert adapted is not None
    assert right(rows, ids, taught) == right(rows, ids, adapted) == 1.0


def test_nothing_is_done_until_two_classes_were_seen(taught: Taught) -> None:
    rows, ids = frames(move=0.0)
    assert adapt(taught, rows[:0]) is None
    assert adapt(taught, rows[ids == 0]) is None
    few = np.concatenate([rows[ids == 0], rows[ids == 1][: SHOWN.frames - 1]])
    assert adapt(taught, few) is None
    assert adapt(taught, np.concatenate([few, rows[ids == 1][SHOWN.frames - 1 :][:1]])) is not None


def test_frames_that_pass_by_need_more_and_move_less(taught: Taught) -> None:
    rows, ids = frames(move=0.5)
    shown, passing = found(taught, rows[:24]), adapt(taught, rows[:24], PASSING)
    assert passing is not None
    assert np.linalg.norm(passing.shift) < np.linalg.norm(shown.shift)
    assert PASSING.frames > (ids[:12] == 0).sum() >= SHOWN.frames
    assert adapt(taught, rows[:12]) is not None
    assert adapt(taught, rows[:12], PASSING) is None


def found(taught: Taught, rows: np.ndarray) -> Adapted:
    adapted = adapt(taught, rows)
    assert adapted is not None
    return adapted


def test_a_class_that_came_by_often_does_not_outweigh_the_others(taught: Taught) -> None:
    rows, ids = frames(move=0.5)
    even, often = rows[:24], np.repeat(rows[:24][ids[:24] == 1], 9, axis=0)
    uneven = np.concatenate([even, often])
    plain_mean = uneven.mean(axis=0) - taught.means.mean(axis=0)
    expected = found(taught, even).shift
    assert cosine(found(taught, uneven).shift, expected) > cosine(plain_mean, expected) + 0.05


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def test_a_class_that_was_not_seen_is_still_recognised_where_it_was_taught(taught: Taught) -> None:
    rows, ids = frames(move=1.5)
    adapted = adapt(taught, rows[ids != 2])
    own = taught.class_ids == 2
    if adapted is not None:
        assert right(taught.rows[own], taught.class_ids[own], adapted) >= 0.95
        assert adapted.seen[2] == 0


def test_it_stops_where_a_class_that_was_not_seen_would_be_lost(taught: Taught) -> None:
    """Frames of two classes lie where the third was taught: the shift would carry it away."""
    rows, ids = frames(move=0.0)
    means = taught.means
    lost = 0
    for part in np.linspace(0.2, 1.4, 13, dtype=np.float32):
        towards = part * (means[2] - means[:2].mean(axis=0))
        moved = normalise(rows[ids != 2] + towards)
        adapted = adapt(taught, moved)
        lost += adapted is None
        if adapted is not None and (adapted.seen[2] < SHOWN.frames):
            own = taught.class_ids == 2
            assert right(taught.rows[own], taught.class_ids[own], adapted) >= 0.95
    assert lost < 13


def test_of_a_single_class_only_that_one_has_to_be_seen(taught: Taught) -> None:
    own = taught.class_ids == 0
    single = Taught(taught.rows[own], taught.class_ids[own], taught.weights[:, :1], taught.bias[:1])
    rows, ids = frames()
    adapted = adapt(single, rows[ids == 0])
    assert adapted is not None
    assert np.linalg.norm(adapted.shift) > 0


def test_it_begins_anew_each_time(taught: Taught) -> None:
    rows, _ = frames()
    first, second = found(taught, rows), found(replace(taught), rows)
    np.testing.assert_array_equal(first.shift, second.shift)
    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.weights.dtype == first.bias.dtype == first.shift.dtype == np.float32


def test_only_scores_above_one_half_count_as_recognised() -> None:
    rows = np.array([[0.5, 0.3, 0.2], [0.51, 0.29, 0.2], [0.1, 0.1, 0.8]], np.float32)
    assert count_seen(rows).tolist() == [1, 0, 1]
    assert count_seen(rows[:0]).tolist() == [0, 0, 0]


def test_a_class_counts_as_seen_by_what_adapting_asked_for() -> None:
    seen = np.array([3, 5, 8])
    assert what_changed((0.5, 0.75), seen, SHOWN) == "familiar 0.50 → 0.75; 3 of 3 classes seen"
    assert what_changed((0.5, 0.75), seen, PASSING).endswith("2 of 3 classes seen")
