from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from support.feature_sets import clusters, strangers

from edge_classifier.device.unknown_detector import (
    ADAPTED_SHARE,
    MAX_STEPS,
    ONE_BURST_SHARE,
    UnknownDetector,
)
from edge_classifier.learning.model import stored_steps
from edge_classifier.learning.training import train
from edge_classifier.learning.unknown import MAX_REFERENCES, fit_unknown_detector
from edge_classifier.values import FeatureSet


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


SPREAD = 0.15
"""Of classes that generic strangers lie apart from."""


def between(bursts: int, strange: np.ndarray | None) -> UnknownDetector:
    """Measure on so many bursts of a class, and on generic strangers if there are any."""
    unknown = train(replace(clusters(bursts=bursts, spread=SPREAD), strangers=strange)).unknown
    assert unknown is not None
    return unknown


def test_the_threshold_lies_between_generic_strangers_and_what_was_measured() -> None:
    strange = strangers()
    detector = between(1, strange)
    assert detector.stranger_level is not None
    assert detector.stranger_level < detector.threshold < detector.measured_threshold
    part = (detector.measured_threshold - detector.threshold) / (
        detector.measured_threshold - detector.stranger_level
    )
    assert part == pytest.approx(ONE_BURST_SHARE)
    assert detector.level(0.0) == pytest.approx(detector.stranger_level)
    assert detector.level(1.0) == detector.measured_threshold
    plain = between(1, None)
    assert plain.stranger_level is None
    assert plain.threshold == plain.measured_threshold == detector.measured_threshold


def test_the_level_of_strangers_is_above_nearly_all_of_them() -> None:
    strange = strangers(count=400)
    model = train(replace(clusters(bursts=1), strangers=strange))
    assert model.unknown is not None
    level = model.unknown.stranger_level
    assert level is not None
    above = model.unknown.similarity(strange, model.head.scores(strange)) > level
    assert 0 < above.mean() <= 0.02


def test_later_frames_of_one_burst_a_class_are_known_more_often_and_strangers_hardly_are() -> None:
    known = clusters(bursts=6, spread=0.28, seed=8).features
    plain, detector = between(1, None), between(1, strangers())
    head = train(clusters(bursts=1, spread=SPREAD)).head
    fresh = strangers(seed=6)

    def accepted(unknown: UnknownDetector, features: np.ndarray) -> float:
        similar = unknown.similarity(features, head.scores(features))
        return float((similar >= unknown.threshold).mean())

    assert accepted(detector, known) > accepted(plain, known)
    assert accepted(detector, fresh) <= 0.05


def test_the_more_bursts_the_nearer_the_threshold_lies_to_what_was_measured() -> None:
    parts = []
    for bursts in (1, 2, 4):
        detector = between(bursts, strangers())
        assert detector.bursts == bursts
        assert detector.stranger_level is not None
        span = detector.measured_threshold - detector.stranger_level
        parts.append((detector.threshold - detector.stranger_level) / span)
    assert parts == sorted(parts)
    assert parts[0] == pytest.approx(1 - ONE_BURST_SHARE)
    assert parts[-1] > 0.95


def test_once_adapted_the_threshold_lies_nearer_to_what_was_measured() -> None:
    for bursts in (1, 4):
        detector = between(bursts, strangers())
        dim = detector.references.shape[1]
        adapted = replace(detector, shift=np.zeros(dim, np.float32))
        expected = max(detector.threshold, detector.level(ADAPTED_SHARE))
        assert adapted.threshold == pytest.approx(expected)
    assert between(1, strangers()).level(ADAPTED_SHARE) > between(1, strangers()).threshold


def test_strangers_that_are_more_familiar_than_the_bursts_make_nothing_stricter() -> None:
    detector = between(1, clusters(bursts=1, spread=SPREAD).features)
    assert detector.stranger_level is not None
    assert detector.stranger_level > detector.measured_threshold
    assert detector.threshold == detector.measured_threshold


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
        ({"unknown_steps": -(10**400)}, -20),
    ],
)
def test_steps_are_read_from_the_settings_of_a_project(
    settings: dict[str, object], steps: int
) -> None:
    assert stored_steps(settings) == steps


def two_classes(still: float, lively: float, dim: int = 64) -> FeatureSet:
    """Make two classes of one centre each; frames of the first differ less among each other."""
    generator = np.random.default_rng(0)
    rows = np.concatenate(
        [
            np.eye(2, dim)[n] + generator.normal(0, spread, (12, dim)) / np.sqrt(dim)
            for n, spread in enumerate((still, lively))
        ]
    )
    bursts = np.array([f"{n // 12}-{n % 3}" for n in range(24)])
    return FeatureSet(rows.astype(np.float32), np.repeat([0, 1], 12), bursts, ("still", "lively"))


def test_the_same_distance_is_stranger_to_a_class_that_never_moved() -> None:
    detector = fit_unknown_detector(two_classes(still=0.2, lively=0.8))
    assert detector is not None
    off = np.zeros((2, 64), np.float32)
    off[:, 5] = 0.7
    off[0, 0] = off[1, 1] = 1.0
    to_still, to_lively = familiar(detector, off)
    assert to_still < to_lively - 0.05


def test_a_thing_that_stood_still_is_known_though_the_light_changes_a_little() -> None:
    generator = np.random.default_rng(0)
    things = generator.normal(size=(2, 64)).astype(np.float32)
    detector = fit_unknown_detector(
        FeatureSet(
            np.repeat(things, 20, axis=0),
            np.repeat([0, 1], 20),
            np.repeat(["first", "second"], 20),
            ("mug", "phone"),
        ),
        np.full(40, 0.1, np.float32),
    )
    assert detector is not None
    changed = things + generator.normal(scale=0.1, size=things.shape).astype(np.float32)
    hesitating = np.full((2, 2), 0.5, np.float32)
    assert (detector.similarity(changed, hesitating) >= detector.threshold).all()
    strange = generator.normal(size=(2, 64)).astype(np.float32)
    assert (detector.similarity(strange, hesitating) < detector.threshold).all()


def test_a_class_that_moved_as_much_as_the_other_is_treated_like_it() -> None:
    detector = fit_unknown_detector(two_classes(still=0.5, lively=0.5))
    assert detector is not None
    first, second = detector.scales[:12].mean(), detector.scales[12:].mean()
    assert abs(first - second) < 0.1


def test_what_lies_between_two_classes_is_less_familiar_than_what_is_of_one() -> None:
    model = train(clusters(classes=2, bursts=6))
    assert model.unknown is not None
    assert model.unknown.hesitation_weight > 0
    features = clusters(classes=2, seed=8).features[:1]
    sure, torn = np.array([[1.0, 0.0]], np.float32), np.array([[0.5, 0.5]], np.float32)
    assert model.unknown.similarity(features, torn) < model.unknown.similarity(features, sure)


def test_pictures_added_one_by_one_are_accepted_like_bursts_are() -> None:
    feature_set = clusters(bursts=20, per_burst=1)
    model = train(feature_set)
    accepted = [not p.unknown for p in model.predict(clusters(bursts=20, seed=8).features)]
    assert np.mean(accepted) >= 0.85


def test_what_was_just_recorded_is_familiar_before_anything_is_measured_anew() -> None:
    model = train(clusters(bursts=4))
    stranger = strangers(count=1)
    assert model.predict(stranger)[0].unknown
    for _ in range(3):
        model = model.with_known(stranger[0])
    assert not model.predict(stranger)[0].unknown


def test_the_verdict_costs_less_than_a_tenth_of_the_smallest_network() -> None:
    dim = 1280
    model = train(clusters(classes=4, per_burst=200, dim=dim))
    assert model.unknown is not None
    assert len(model.unknown.references) == MAX_REFERENCES
    row = clusters(dim=dim).features[:1]
    scores = model.head.scores(row)
    detector = model.unknown
    similarities = detector.similarities(row)
    multiplications = detector.references.size + similarities.size + scores.size
    assert multiplications < 0.1 * 41e6  # MobileNet v1 0.25 at 224 px has 41 million


def test_a_class_that_was_just_added_is_not_unknown_for_hesitating() -> None:
    before = train(clusters(classes=2, bursts=4))
    assert before.unknown is not None
    assert before.unknown.hesitation_weight > 0
    after = before.extended(clusters(classes=3, bursts=4))
    assert after.unknown is not None
    assert after.unknown.hesitation_weight == 0
    assert after.unknown.threshold == before.unknown.threshold


def test_what_is_recorded_in_the_new_light_is_known_to_an_adapted_detector() -> None:
    shift = np.array([0.2, -0.1, 0.0, 0.0], np.float32)
    detector = UnknownDetector(
        np.eye(2, 4, dtype=np.float32),
        np.ones(2, np.float32),
        0.8,
        measured_on_bursts=True,
        shift=shift,
    )
    seen = np.array([0.0, 0.0, 3.0, 4.0], np.float32)
    more = detector
    for _ in range(3):
        more = more.with_reference(seen)
    sure = np.array([[1.0, 0.0]], np.float32)
    assert detector.similarity(seen[None], sure)[0] < 0.1
    assert more.similarity(seen[None], sure)[0] == pytest.approx(1.0, abs=0.1)
    assert more.similarity(seen[None], sure)[0] <= 1.0
