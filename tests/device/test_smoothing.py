from __future__ import annotations

import numpy as np
import pytest

from edge_classifier.device.verdict import Prediction, Smoother

NAMES = ("mug", "phone")


def prediction(mug: float, similarity: float | None = None) -> Prediction:
    return Prediction(
        NAMES,
        np.array([mug, 1 - mug], np.float32),
        similarity,
        threshold=None if similarity is None else 0.5,
    )


def test_one_odd_frame_does_not_flip_the_label() -> None:
    smoother = Smoother(0.2)
    for n in range(10):
        smoother.update(prediction(1.0), n / 30)
    assert smoother.update(prediction(0.0), 10 / 30).class_name == "mug"


def test_a_changed_scene_takes_over_within_half_a_second() -> None:
    smoother = Smoother(0.2)
    smoother.update(prediction(1.0), 0.0)
    label = ""
    for n in range(1, 16):
        label = smoother.update(prediction(0.0), n / 30).class_name
    assert label == "phone"


@pytest.mark.parametrize("fps", [10, 100, 1000])
def test_smoothing_is_the_same_at_any_frame_rate(fps: int) -> None:
    smoother = Smoother(0.2)
    smoother.update(prediction(1.0), 0.0)
    last = None
    for n in range(1, fps // 5 + 1):
        last = smoother.update(prediction(0.0), n / fps)
    assert last is not None
    assert last.scores[0] == pytest.approx(np.exp(-1), abs=0.01)


def test_scores_still_sum_to_one() -> None:
    smoother = Smoother(0.2)
    smoother.update(prediction(0.9), 0.0)
    assert smoother.update(prediction(0.2), 0.1).scores.sum() == pytest.approx(1, abs=1e-5)


def test_unknown_is_decided_on_the_smoothed_similarity() -> None:
    smoother = Smoother(0.2)
    for n in range(10):
        smoother.update(prediction(1.0, similarity=0.9), n / 30)
    assert not smoother.update(prediction(1.0, similarity=0.1), 10 / 30).unknown


def test_another_set_of_classes_starts_anew() -> None:
    smoother = Smoother(0.2)
    smoother.update(prediction(1.0), 0.0)
    other = Prediction(("leaf",), np.ones(1, np.float32))
    np.testing.assert_array_equal(smoother.update(other, 0.1).scores, [1])


def test_without_smoothing_every_frame_speaks_for_itself() -> None:
    smoother = Smoother(0.0)
    smoother.update(prediction(1.0), 0.0)
    odd = prediction(0.0)
    assert smoother.update(odd, 0.01) is odd
