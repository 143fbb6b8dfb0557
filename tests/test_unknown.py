from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from feature_sets import clusters, strangers

from edge_classifier.frame import FeatureSet
from edge_classifier.unknown import (
    MAX_REFERENCES,
    MAX_STEPS,
    UnknownDetector,
    fit_unknown_detector,
    stored_steps,
)


def familiar(detector: UnknownDetector, features: np.ndarray) -> np.ndarray:
    """Ask a detector that takes no scores into account."""
    assert detector.hesitation_weight == 0
    return detector.similarity(features, np.ones((len(features), 1), np.float32))


def test_strangers_are_unknown_and_fresh_bursts_of_known_classes_are_not() -> None:
    detector = fit_unknown_detector(clusters(bursts=6))
    assert detector is not None
    known = familiar(detector, clusters(seed=8).features) >= detector.threshold
    stranger = familiar(detector, strangers()) >= detector.threshold
    assert known.mean() >= 0.85
    assert stranger.mean() <= 0.05


def test_the_threshold_is_measured_on_bursts_where_every_class_has_two() -> None:
    several, single = (fit_unknown_detector(clusters(bursts=n)) for n in (2, 1))
    assert several is not None
    assert single is not None
    assert several.measured_on_bursts
    assert not single.measured_on_bursts


def test_a_single_burst_gives_a_more_lenient_threshold_than_its_own_frames_would() -> None:
    feature_set = clusters(bursts=1, per_burst=40)
    detector = fit_unknown_detector(feature_set)
    assert detector is not None
    fresh = familiar(detector, clusters(seed=8).features)
    assert (fresh >= detector.threshold).mean() >= 0.85


def test_nothing_is_measured_on_too_few_samples() -> None:
    assert fit_unknown_detector(clusters(bursts=1, per_burst=2)) is None


def test_a_class_of_a_few_pictures_does_not_make_everything_unknown() -> None:
    assert fit_unknown_detector(clusters(bursts=4, per_burst=1)) is None


def test_references_are_thinned_out_over_all_classes() -> None:
    feature_set = clusters(classes=4, per_burst=200)
    detector = fit_unknown_detector(feature_set)
    assert detector is not None
    assert len(detector.references) == MAX_REFERENCES


def test_a_training_image_is_as_similar_as_can_be_alone() -> None:
    row = np.ones((1, 8), np.float32)
    feature_set = FeatureSet(
        np.repeat(row, 8, axis=0),
        np.zeros(8, np.int64),
        np.array(["a", "b"] * 4, np.str_),
        ("only",),
    )
    detector = fit_unknown_detector(feature_set)
    assert detector is not None
    np.testing.assert_allclose(familiar(detector, row), 1, atol=1e-6)


def test_thousands_of_samples_take_no_more_than_a_moment_and_no_square_of_memory() -> None:
    feature_set = clusters(classes=2, per_burst=50, bursts=200, dim=16)
    tracemalloc.start()
    detector = fit_unknown_detector(feature_set)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert detector is not None
    assert peak < 10_000**2 * 4 / 4


def test_a_step_makes_unknown_stricter_and_one_back_makes_it_more_lenient() -> None:
    detector = fit_unknown_detector(clusters(bursts=6))
    assert detector is not None
    similarity = familiar(detector, clusters(seed=8).features)
    accepted = [
        float((similarity >= detector.adjusted(steps).threshold).mean()) for steps in range(-4, 5)
    ]
    assert accepted == sorted(accepted, reverse=True)
    assert accepted[0] > accepted[4] > accepted[8]


def test_four_steps_stricter_refuse_about_half_of_what_is_known() -> None:
    detector = fit_unknown_detector(clusters(bursts=6))
    assert detector is not None
    similarity = familiar(detector, clusters(seed=8).features)
    refused = (similarity < detector.adjusted(4).threshold).mean()
    assert 0.3 <= refused <= 0.7


def test_steps_count_from_what_was_measured_so_they_can_be_taken_back_exactly() -> None:
    detector = fit_unknown_detector(clusters(bursts=6))
    assert detector is not None
    moved = detector.adjusted(7).adjusted(3)
    assert moved.threshold == detector.adjusted(3).threshold
    assert moved.adjusted(0).threshold == detector.threshold


@pytest.mark.parametrize("steps", [1000, -1000])
def test_nobody_can_move_the_threshold_out_of_reach(steps: int) -> None:
    detector = fit_unknown_detector(clusters(bursts=6))
    assert detector is not None
    assert abs(detector.adjusted(steps).steps) == MAX_STEPS


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, 0),
        ({"unknown_steps": -3}, -3),
        ({"unknown_steps": "2"}, 0),
        ({"unknown_steps": 1.5}, 0),
    ],
)
def test_steps_are_read_from_the_settings_of_a_project(
    settings: dict[str, object], steps: int
) -> None:
    assert stored_steps(settings) == steps
