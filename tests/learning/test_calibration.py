from __future__ import annotations

import time

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.device.verdict import softmax
from edge_classifier.evaluation.metrics import evaluate
from edge_classifier.learning.calibration import (
    HeldOut,
    calibrated,
    held_out_folds,
    hold_out,
    temperature,
)
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.linear import fit_linear_head
from edge_classifier.learning.model import Model
from edge_classifier.values import FeatureSet

HARD = 0.8
"""A spread at which the clusters overlap and about one answer in four is wrong."""


def head_of(feature_set: FeatureSet) -> LinearHead:
    return fit_linear_head(feature_set, 1e-4, lambda: False)


def sure(head: LinearHead, times: float) -> LinearHead:
    factor = np.float32(times)
    return LinearHead(head.class_names, head.weights * factor, head.bias * factor)


def error_of(head: LinearHead, feature_set: FeatureSet) -> float:
    return evaluate(Model(head), feature_set.features, feature_set.class_ids).calibration_error


@pytest.mark.parametrize("times", [1.0, 0.1, 10.0])
def test_scores_are_right_as_often_as_they_say_however_sure_the_head_was(times: float) -> None:
    known = clusters(classes=4, bursts=8, per_burst=5, spread=HARD)
    fresh = clusters(classes=4, bursts=40, per_burst=5, spread=HARD, seed=8)
    honest, _ = calibrated(sure(head_of(known), times), known)
    right = (honest.scores(fresh.features).argmax(axis=1) == fresh.class_ids).mean()
    assert 0.5 < right < 0.95
    assert error_of(honest, fresh) <= 0.05


def test_heads_that_are_too_sure_or_too_shy_are_not_honest_by_themselves() -> None:
    known = clusters(classes=4, bursts=8, per_burst=5, spread=HARD)
    fresh = clusters(classes=4, bursts=40, per_burst=5, spread=HARD, seed=8)
    head = head_of(known)
    for times in (0.1, 10.0):
        assert error_of(sure(head, times), fresh) > 0.1


def test_no_answer_changes() -> None:
    known = clusters(classes=4, spread=HARD)
    rows = clusters(classes=4, spread=HARD, seed=8).features
    head = head_of(known)
    honest, _ = calibrated(head, known)
    assert not np.array_equal(honest.weights, head.weights)
    np.testing.assert_array_equal(
        honest.scores(rows).argmax(axis=1), head.scores(rows).argmax(axis=1)
    )


def test_a_few_right_answers_do_not_make_scores_certain() -> None:
    ids = np.arange(12) % 3
    logits = np.where(np.eye(3)[ids] > 0, 10.0, 0.0)
    for parts, least, most in ((3, 0.85, 0.95), (12, 0.95, 0.99), (120, 0.99, 0.999)):
        held_out = HeldOut(np.arange(12), ids, logits, parts)
        confidence = softmax(logits / temperature(held_out)).max()
        assert least < confidence < most


def test_a_head_is_asked_about_no_burst_that_it_has_seen() -> None:
    feature_set = clusters(bursts=2, per_burst=6)
    held_out = hold_out(head_of(feature_set), feature_set)
    assert held_out is not None
    assert sorted(held_out.rows.tolist()) == list(range(len(feature_set)))
    assert held_out.groups == 6
    # The second burst of a class shows another thing; whoever knew one half of it would know all.
    strange = feature_set.features.copy()
    second = feature_set.burst_ids == "0-1"
    strange[second] = feature_set.features[feature_set.class_ids == 1][: second.sum()]
    changed = FeatureSet(
        strange, feature_set.class_ids, feature_set.burst_ids, feature_set.class_names
    )
    held_out = hold_out(head_of(changed), changed)
    assert held_out is not None
    answers = held_out.logits.argmax(axis=1)[np.isin(held_out.rows, np.flatnonzero(second))]
    assert (answers == 1).all()


@pytest.mark.parametrize("moved", [(0,), (0, 1, 2), (0, 10, 20), tuple(range(0, 30, 3))])
@pytest.mark.parametrize("bursts", [1, 2, 5])
def test_some_of_each_class_are_learned_from_whatever_was_moved_to_another(
    moved: tuple[int, ...], bursts: int
) -> None:
    known = clusters(classes=3, bursts=bursts, per_burst=10 // bursts)
    class_ids = known.class_ids.copy()
    class_ids[list(moved)] = (class_ids[list(moved)] + 1) % 3
    folds, _ = held_out_folds(class_ids, known.burst_ids, 3)
    for fold in np.unique(folds[folds >= 0]):
        assert set(class_ids[folds != fold].tolist()) == {0, 1, 2}
    for burst in np.unique(known.burst_ids):
        parts = known.burst_ids == burst
        if len(np.unique(class_ids[parts])) > 1:
            assert len(np.unique(folds[parts])) == 1


def test_entropies_tell_of_the_samples_that_were_held_out_only() -> None:
    feature_set = clusters(classes=2, bursts=1, per_burst=8, spread=HARD)
    lonely = FeatureSet(
        np.concatenate([feature_set.features, feature_set.features[:1] * 0.5 + 0.1]),
        np.append(feature_set.class_ids, 2),
        np.append(feature_set.burst_ids, "2-0"),
        ("a", "b", "single"),
    )
    _, entropies = calibrated(head_of(lonely), lonely)
    assert np.isnan(entropies).tolist() == [False] * 16 + [True]
    assert (entropies[:-1] >= 0).all()
    assert (entropies[:-1] <= np.log(3) + 1e-6).all()


def test_where_nothing_can_be_held_out_the_head_stays_as_it_is() -> None:
    feature_set = clusters(classes=3, bursts=1, per_burst=1)
    head = head_of(feature_set)
    honest, entropies = calibrated(head, feature_set)
    assert honest is head
    assert np.isnan(entropies).all()


def test_copies_of_one_picture_do_no_harm() -> None:
    feature_set = FeatureSet(
        np.repeat(np.eye(2, 16, dtype=np.float32), 4, axis=0),
        np.repeat([0, 1], 4),
        np.array(list("ababcdcd")),
        ("a", "b"),
    )
    honest, _ = calibrated(head_of(feature_set), feature_set)
    assert np.isfinite(honest.weights).all()


def test_calibrating_takes_a_part_of_the_time_of_training() -> None:
    feature_set = clusters(classes=5, bursts=3, per_burst=20, dim=1280)
    head = head_of(feature_set)
    fastest = min(timed(lambda: calibrated(head, feature_set)) for _ in range(3))
    assert fastest < min(timed(lambda: head_of(feature_set)) for _ in range(3))


def timed(work: object) -> float:
    assert callable(work)
    start = time.process_time()
    work()
    return time.process_time() - start
