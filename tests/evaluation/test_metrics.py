from __future__ import annotations

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.errors import InvalidValueError
from edge_classifier.evaluation.metrics import (
    Evaluation,
    accuracy_interval,
    evaluate,
    wilson_interval,
)
from edge_classifier.learning.training import train

NAMES = ("cat", "dog", "bird")


def evaluation(true: list[int], answers: list[int], confidence: list[float]) -> Evaluation:
    scores = np.full((len(true), 3), 0.0, np.float32)
    for row, (answer, sure) in enumerate(zip(answers, confidence, strict=True)):
        scores[row] = (1 - sure) / 2
        scores[row, answer] = sure
    return Evaluation(NAMES, scores, np.array(true, np.int64), np.zeros(len(true), np.bool_))


def test_true_classes_are_rows_and_answers_are_columns() -> None:
    found = evaluation([0, 0, 0, 1], [0, 0, 1, 1], [0.9] * 4)
    assert found.confusion.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found.accuracy == 0.75


def test_precision_and_recall_are_per_class_and_nothing_where_there_is_nothing() -> None:
    found = evaluation([0, 0, 0, 1], [0, 0, 1, 1], [0.9] * 4)
    np.testing.assert_allclose(found.precision, [1.0, 0.5, np.nan])
    np.testing.assert_allclose(found.recall, [2 / 3, 1.0, np.nan])


def test_the_most_confident_mistake_comes_first() -> None:
    found = evaluation([0, 0, 0, 0], [1, 0, 1, 2], [0.6, 0.99, 0.9, 0.7])
    assert found.mistakes().tolist() == [2, 3, 0]
    assert found.mistakes(1).tolist() == [2]


def test_scores_that_promise_more_than_they_keep_have_a_calibration_error() -> None:
    honest = evaluation([0] * 10, [0] * 8 + [1] * 2, [0.8] * 10)
    boastful = evaluation([0] * 10, [0] * 5 + [1] * 5, [0.99] * 10)
    assert honest.calibration_error == pytest.approx(0.0, abs=1e-6)
    assert boastful.calibration_error == pytest.approx(0.49, abs=1e-6)


def test_a_score_of_one_falls_into_the_last_bin() -> None:
    found = evaluation([0], [0], [1.0])
    assert [b.count for b in found.reliability] == [0] * 9 + [1]


def test_the_interval_is_wilsons() -> None:
    # Newcombe, Statistics in Medicine 1998, table I: 81 of 263 and 0 of 20.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_many_frames_of_few_bursts_say_less_than_as_many_pictures() -> None:
    right = np.repeat([True, True, True, False], 25)
    bursts = np.repeat(["a", "b", "c", "d"], 25)
    low, high = accuracy_interval(right)
    burst_low, burst_high = accuracy_interval(right, bursts)
    assert burst_low < low < 0.75 < high < burst_high


def test_bursts_that_are_all_right_count_as_bursts_only() -> None:
    right, bursts = np.ones(100, np.bool_), np.repeat(["a", "b", "c", "d"], 25)
    assert accuracy_interval(right, bursts) == wilson_interval(4, 4)


def test_a_burst_a_picture_is_the_plain_interval() -> None:
    right = np.array([True] * 7 + [False] * 3)
    bursts = np.arange(10).astype(np.str_)
    low, high = accuracy_interval(right)
    burst_low, burst_high = accuracy_interval(right, bursts)
    assert (burst_low, burst_high) == pytest.approx((low, high), abs=0.02)


def test_an_evaluation_tells_the_threshold_that_its_verdicts_come_from() -> None:
    fresh = clusters(seed=8)
    strict = train(clusters()).adjusted(20)
    assert strict.unknown is not None
    found = evaluate(strict, fresh.features, fresh.class_ids)
    assert found.threshold == strict.unknown.threshold
    assert found.unknown_rate == 1.0
    lenient = evaluate(strict.adjusted(-20), fresh.features, fresh.class_ids)
    assert lenient.unknown_rate == 0.0


def test_a_model_is_evaluated_with_its_verdicts_of_unknown() -> None:
    model = train(clusters(bursts=4))
    fresh = clusters(seed=7)
    found = evaluate(model, fresh.features, fresh.class_ids)
    predictions = model.predict(fresh.features)
    assert found.accuracy > 0.9
    assert found.unknown.tolist() == [p.unknown for p in predictions]
    assert found.predicted_ids.tolist() == [p.class_id for p in predictions]


def test_scores_of_other_classes_are_refused_with_the_shape() -> None:
    with pytest.raises(InvalidValueError, match=r"\(N, 3\) for N = 2 .*\(2, 2\)"):
        Evaluation(NAMES, np.ones((2, 2), "f4"), np.zeros(2, np.int64), np.zeros(2, np.bool_))


def test_a_single_class_is_right_where_it_is_not_called_unknown() -> None:
    unknown = np.array([False, True, False, False])
    found = Evaluation(("mug",), np.ones((4, 1), np.float32), np.zeros(4, np.int64), unknown)
    assert found.right.tolist() == [True, False, True, True]
    assert (found.accuracy, found.recall.tolist()) == (0.75, [0.75])
    assert np.isnan(found.precision).all()
    assert found.mistakes().tolist() == [1]
