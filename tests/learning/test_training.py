from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.errors import CancelledError, InvalidValueError, NotEnoughSamplesError
from edge_classifier.learning.head import imprint
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train
from edge_classifier.values import FeatureSet


def lit_differently(feature_set: FeatureSet, seed: int) -> FeatureSet:
    """Add what changes from frame to frame and says nothing of the class, as light does."""
    generator = np.random.default_rng(seed)
    light = np.random.default_rng(1).uniform(0, 6, feature_set.features.shape[1])
    amount = generator.uniform(0, 1, (len(feature_set), 1))
    return replace(feature_set, features=(feature_set.features + amount * light).astype("f4"))


def test_a_linear_head_learns_what_it_was_shown() -> None:
    feature_set = clusters()
    head = train(feature_set).head
    assert (head.scores(feature_set.features).argmax(axis=1) == feature_set.class_ids).all()


def test_training_improves_on_imprinting_where_classes_are_close() -> None:
    feature_set, fresh = (
        lit_differently(clusters(classes=4, spread=0.4, seed=n), n) for n in (0, 4)
    )
    trained = train(feature_set).head.scores(fresh.features).argmax(axis=1)
    imprinted = imprint(feature_set).scores(fresh.features).argmax(axis=1)
    assert (trained == fresh.class_ids).mean() > (imprinted == fresh.class_ids).mean()


def test_training_twice_gives_the_same_head_to_the_bit() -> None:
    for kind in ("linear", "dense"):
        settings = HeadSettings(kind=kind)
        once, again = (train(clusters(), settings).head for _ in range(2))
        np.testing.assert_array_equal(once.weights, again.weights)


def test_a_class_with_few_samples_is_not_drowned_by_one_with_many() -> None:
    many = clusters(classes=2, per_burst=100, spread=0.4)
    rows = np.flatnonzero((many.class_ids == 0) | (np.arange(len(many)) >= len(many) - 5))
    unbalanced = FeatureSet(
        many.features[rows], many.class_ids[rows], many.burst_ids[rows], many.class_names
    )
    assert unbalanced.counts == (200, 5)
    fresh = clusters(classes=2, per_burst=50, spread=0.4, seed=9)
    right = train(unbalanced).head.scores(fresh.features).argmax(axis=1) == fresh.class_ids
    assert right[fresh.class_ids == 1].mean() > 0.8


def test_the_dense_head_learns_with_its_own_settings() -> None:
    settings = HeadSettings(kind="dense", units=32, learning_rate=1e-2, epochs=30)
    feature_set = clusters()
    head = train(feature_set, settings).head
    assert head.weights.shape == (32, 3)
    assert (head.scores(feature_set.features).argmax(axis=1) == feature_set.class_ids).all()


def test_progress_of_the_dense_head_goes_up_to_one() -> None:
    told: list[float] = []

    def progress(done: float, _what: str | None = None) -> None:
        told.append(done)

    train(clusters(), HeadSettings(kind="dense", epochs=4), progress=progress)
    assert told == sorted(told)
    assert told[0] == 0.25
    assert told[-1] == 1.0


@pytest.mark.parametrize("kind", ["linear", "dense"])
def test_training_stops_when_it_is_cancelled(kind: Any) -> None:
    with pytest.raises(CancelledError):
        train(clusters(), HeadSettings(kind=kind), cancelled=lambda: True)


@pytest.mark.parametrize("kind", ["linear", "dense"])
def test_one_class_is_told_from_anything_else(kind: Any) -> None:
    own, other = clusters(classes=1), clusters(classes=2)
    model = train(own, HeadSettings(kind=kind))
    known = model.predict(own.features)
    strange = model.predict(other.features[other.class_ids == 1])
    assert {p.class_name for p in known + strange} == set(own.class_names)
    assert sum(p.unknown for p in known) <= 2
    assert all(p.unknown for p in strange)
    # What is shown of it is how familiar it is, not a score that is always 1.
    assert all(p.confidence == pytest.approx(p.similarity) for p in known + strange)


def test_a_class_without_others_that_has_too_few_pictures_is_refused_with_the_count() -> None:
    with pytest.raises(NotEnoughSamplesError, match=r"at least 5 of class 0 .*, there are 4"):
        train(clusters(classes=1, per_burst=2))
    with pytest.raises(NotEnoughSamplesError, match="there are none"):
        train(clusters(classes=1).subset(np.empty(0, np.int64)))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"kind": "forest"}, "forest"),
        ({"penalty": 0.0}, "penalty"),
        ({"units": 0}, "units"),
        ({"epochs": -1}, "epochs"),
        ({"learning_rate": float("nan")}, "learning rate"),
        ({"batch_fraction": 1.5}, "batch fraction"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidValueError, match=what):
        HeadSettings(**changes)
