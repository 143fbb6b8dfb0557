from __future__ import annotations

import numpy as np
import pytest

from edge_classifier.device.verdict import Hold, Prediction, Smoother, TimeAverage, familiarity

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
        last = smoother.update(prediction(0.6), n / fps)
    assert last is not None
    assert last.scores[0] == pytest.approx(0.6 + 0.4 * np.exp(-1), abs=0.01)


@pytest.mark.parametrize("fps", [10, 30, 1000])
def test_a_known_thing_is_named_soon_after_what_was_quite_strange(fps: int) -> None:
    smoother = Smoother(0.2)
    smoother.update(prediction(1.0, similarity=0.0), 0.0)
    named_s = next(
        n / fps
        for n in range(1, fps)
        if not smoother.update(prediction(1.0, similarity=0.52), n / fps).unknown
    )
    assert named_s <= 0.1 + 1.5 / fps


def test_frames_that_contradict_each_other_do_not_flip_the_label() -> None:
    smoother = Smoother(0.2)
    for n in range(10):
        smoother.update(prediction(1.0, similarity=0.9), n / 30)
    said = {
        smoother.update(prediction(0.3, similarity=0.9 if n % 2 else 0.45), n / 30).unknown
        for n in range(10, 40)
    }
    assert said == {False}


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


def test_familiarity_is_the_mean_similarity_to_the_nearest_few() -> None:
    rows = np.array([[0.1, 0.9, 0.8, 0.7], [0.5, 0.0, 0.2, 0.2]], np.float32)
    sure = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    np.testing.assert_allclose(familiarity(rows, sure, 3, 0.1), [0.8, 0.3], atol=1e-6)


def test_nothing_is_more_familiar_than_what_was_recorded() -> None:
    similarities = np.array([[1.2, 1.1, 1.3], [0.2, 0.1, 0.0]], np.float32)
    hesitating = np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)
    assert familiarity(similarities, hesitating, 3, 1.0).tolist() == [1.0, 0.0]


def test_an_image_between_two_classes_is_less_familiar_than_one_of_either() -> None:
    rows = np.full((2, 3), 0.8, np.float32)
    scores = np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)
    sure, torn = familiarity(rows, scores, 3, 0.1)
    assert sure == pytest.approx(0.8)
    assert torn == pytest.approx(0.8 - 0.1 * np.log(2))


def test_an_average_follows_time_not_frames() -> None:
    few, many = TimeAverage(0.2), TimeAverage(0.2)
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    few.update(zero, 0.0)
    many.update(zero, 0.0)
    after = few.update(one, 0.2)
    for step in range(1, 21):
        often = many.update(one, step * 0.01)
    np.testing.assert_allclose(after, 1 - np.exp(-1), atol=1e-6)
    np.testing.assert_allclose(often, after, atol=1e-5)


def test_a_label_counts_once_it_has_held() -> None:
    hold = Hold(3)
    changes = [hold.update(label) for label in "aaabababbbbaa"]
    assert [n for n, changed in enumerate(changes) if changed] == [2, 9]
    assert hold.label == "b"
