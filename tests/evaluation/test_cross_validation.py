from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.feature_sets import clusters

from edge_classifier.errors import InvalidValueError
from edge_classifier.evaluation.cross_validation import burst_folds, cross_validate, learning_curve
from edge_classifier.values import FeatureSet


def labelled(class_ids: list[int], bursts: list[str]) -> FeatureSet:
    names = tuple(f"class {n}" for n in range(max(class_ids) + 1))
    features = np.ones((len(class_ids), 4), np.float32)
    return FeatureSet(features, np.array(class_ids, np.int64), np.array(bursts, np.str_), names)


def single_burst_of_class_0(seed: int = 0) -> FeatureSet:
    feature_set = clusters(bursts=3, seed=seed)
    bursts = np.where(feature_set.class_ids == 0, "0-only", feature_set.burst_ids)
    return replace(feature_set, burst_ids=bursts)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=60),
    st.integers(2, 6),
)
@settings(max_examples=60, deadline=None)
def test_no_burst_is_ever_split_and_no_class_ever_forgotten(
    rows: list[tuple[int, int]], folds: int
) -> None:
    feature_set = labelled([c for c, _ in rows], [str(b) for _, b in rows])
    found = burst_folds(feature_set, folds)
    for burst in np.unique(feature_set.burst_ids):
        held_out = found[(feature_set.burst_ids == burst) & (found >= 0)]
        assert len(set(held_out.tolist())) <= 1
    for fold in np.unique(found[found >= 0]):
        trained_on = set(feature_set.class_ids[found != fold].tolist())
        assert set(feature_set.class_ids[found == fold].tolist()) <= trained_on


def test_each_class_is_spread_evenly_over_the_folds() -> None:
    feature_set = clusters(classes=4, bursts=10, per_burst=3)
    found = burst_folds(feature_set, 5)
    for class_id in range(4):
        assert np.bincount(found[feature_set.class_ids == class_id]).tolist() == [6] * 5


def test_a_class_of_one_burst_has_no_number_but_a_request_for_a_second() -> None:
    found = cross_validate(single_burst_of_class_0())
    assert found.untested == ("class 0",)
    assert found.evaluation is not None
    assert 0 not in found.evaluation.class_ids


def test_without_any_second_burst_there_is_no_evaluation() -> None:
    found = cross_validate(clusters(bursts=1))
    assert found.evaluation is None
    assert found.untested == ("class 0", "class 1", "class 2")
    assert learning_curve(clusters(bursts=1)) == ()


def test_rows_say_which_pictures_the_evaluation_is_about() -> None:
    feature_set = clusters(bursts=4)
    found = cross_validate(feature_set)
    assert found.evaluation is not None
    assert sorted(found.rows.tolist()) == list(range(len(feature_set)))
    assert (feature_set.class_ids[found.rows] == found.evaluation.class_ids).all()
    assert found.evaluation.accuracy > 0.9


def test_frames_of_a_burst_do_not_vouch_for_each_other() -> None:
    """What only a burst has in common must not count as having learned the class."""
    generator = np.random.default_rng(0)
    centres = generator.uniform(0, 1, (12, 64))  # a place for each burst, none for the classes
    rows = np.repeat(centres, 10, axis=0) + generator.normal(0, 0.02, (120, 64))
    feature_set = FeatureSet(
        np.maximum(rows, 0).astype(np.float32),
        np.arange(120) // 10 % 2,
        np.repeat(np.arange(12), 10).astype(np.str_),
        ("a", "b"),
    )
    found = cross_validate(feature_set)
    assert found.evaluation is not None
    assert found.evaluation.accuracy < 0.8


def test_more_samples_make_a_rising_learning_curve() -> None:
    points = learning_curve(clusters(classes=4, bursts=5, spread=0.45))
    assert [p.samples_per_class for p in points] == [1, 2, 5, 10, 20, 40]
    assert points[-1].accuracy > points[0].accuracy + 0.1
    assert all(p.interval[0] <= p.accuracy <= p.interval[1] for p in points)


def test_a_learning_curve_can_be_measured_on_other_pictures() -> None:
    points = learning_curve(clusters(bursts=1), test=clusters(seed=3))
    assert points[-1].samples_per_class == 10
    with pytest.raises(InvalidValueError, match="Expected test pictures of class 0, class 1"):
        learning_curve(clusters(classes=2), test=clusters(classes=3))


def test_one_fold_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="2 or more folds, received 1"):
        burst_folds(clusters(), 1)


def test_a_class_without_others_is_found_where_it_is_not_called_unknown() -> None:
    found = cross_validate(clusters(classes=1, bursts=4))
    assert found.evaluation is not None
    assert len(found.evaluation) == 40
    assert found.evaluation.accuracy == 1 - found.evaluation.unknown_rate
    assert found.untested == ()


def test_a_class_without_others_is_left_whole_where_the_rest_would_be_too_few() -> None:
    found = cross_validate(clusters(classes=1, bursts=2, per_burst=4))
    assert found.evaluation is None
    assert found.untested == ("class 0",)


def test_the_learning_curve_of_a_class_without_others_begins_where_it_can_be_learned() -> None:
    curve = learning_curve(clusters(classes=1, bursts=4))
    assert [point.samples_per_class for point in curve] == [5, 10, 20, 30]
    assert curve[-1].accuracy > 0.5
