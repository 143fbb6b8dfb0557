from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.device.discriminant import discriminant
from edge_classifier.device.verdict import normalise
from edge_classifier.errors import CancelledError
from edge_classifier.learning.head import imprint
from edge_classifier.learning.linear import fit_linear_head, fit_softmax
from edge_classifier.values import FeatureSet, Variants


def never() -> bool:
    return False


def dimmer(feature_set: FeatureSet, seed: int) -> FeatureSet:
    """Move features along one direction, as other light does, but not those of class 0."""
    direction = np.random.default_rng(seed).uniform(0, 1, feature_set.features.shape[1])
    amount = (feature_set.class_ids > 0)[:, None] * 3.0
    return replace(
        feature_set, features=(feature_set.features + amount * direction).astype(np.float32)
    )


def test_the_softmax_is_fitted_until_the_slope_is_gone() -> None:
    feature_set, penalty = clusters(), 1e-3
    rows = normalise(feature_set.features)
    weights = np.full(len(rows), 1 / len(rows))
    head = fit_softmax(imprint(feature_set), rows, feature_set.class_ids, weights, penalty, never)
    targets = np.eye(3)[feature_set.class_ids]
    slope = rows.T @ (head.scores(feature_set.features) - targets) / len(feature_set)
    slope += penalty * head.weights
    assert np.abs(slope).max() < 1e-3


def test_the_discriminant_is_what_the_formula_says() -> None:
    """The same in the space of features, with the inverse spelled out."""
    feature_set = clusters(dim=20)
    rows, ids = feature_set.features, feature_set.class_ids
    found = discriminant(rows, ids, 3)
    assert found is not None
    weights, bias = found
    means = np.stack([rows[ids == c].mean(axis=0) for c in range(3)]).astype(np.float64)
    spread = rows - means[ids]
    covariance = spread.T @ spread / len(rows)
    identity = np.eye(20) * np.trace(covariance) / 20
    distance = np.sum((covariance - identity) ** 2)
    of_rows = [np.sum((np.outer(row, row) - covariance) ** 2) for row in spread]
    shrinkage = min(1.0, np.sum(of_rows) / len(rows) ** 2 / distance)
    shrunk = (1 - shrinkage) * covariance + shrinkage * identity
    wanted = np.linalg.solve(shrunk, means.T)
    wanted_bias = -0.5 * np.sum(means.T * wanted, axis=0)
    # Without what all classes have in common, which no score depends on.
    np.testing.assert_allclose(
        weights, wanted - wanted.mean(axis=1, keepdims=True), rtol=2e-3, atol=1e-3
    )
    np.testing.assert_allclose(bias, wanted_bias - wanted_bias.mean(), rtol=1e-3, atol=1e-3)


def test_copies_of_one_picture_a_class_have_no_discriminant() -> None:
    rows = np.repeat(np.eye(3, 8, dtype=np.float32), 4, axis=0)
    assert discriminant(rows, np.repeat(np.arange(3), 4), 3) is None


def test_a_single_picture_a_class_is_enough_for_a_head() -> None:
    feature_set = clusters(per_burst=1, bursts=1)
    head = fit_linear_head(feature_set, 1e-4, never)
    assert head.scores(feature_set.features).argmax(axis=1).tolist() == [0, 1, 2]


def test_variants_teach_what_the_samples_do_not_show() -> None:
    feature_set = clusters(classes=4, spread=0.6)
    fresh = clusters(classes=4, spread=0.6, seed=7)
    varied = replace(
        feature_set, variants=Variants(dimmer(feature_set, 1).features, np.arange(len(feature_set)))
    )
    asked = dimmer(fresh, 1)
    right = {
        name: (
            fit_linear_head(known, 1e-5, never).scores(asked.features).argmax(axis=1)
            == asked.class_ids
        ).mean()
        for name, known in (("without", feature_set), ("with", varied))
    }
    assert right["with"] > right["without"]


def test_samples_count_the_same_with_and_without_variants() -> None:
    """Two classes on one spot, one of them varied onto itself: none may win there."""
    rows = np.tile(np.array([[1.0, 0.0, 0.0]], np.float32), (4, 1))
    copies = Variants(np.tile(rows[:1], (6, 1)), np.repeat([0, 1], 3))
    ids = np.array([0, 0, 1, 1])
    bursts = np.array(["a", "a", "b", "b"])
    head = fit_linear_head(FeatureSet(rows, ids, bursts, ("a", "b"), copies), 1e-3, never)
    np.testing.assert_allclose(head.scores(rows[:1]), 0.5, atol=1e-3)


def test_a_part_of_the_samples_takes_its_own_variants_along() -> None:
    feature_set = clusters(per_burst=2, bursts=1)
    marked = np.arange(6, dtype=np.float32)[:, None] * np.ones((1, 64), np.float32)
    varied = replace(feature_set, variants=Variants(marked, np.array([0, 0, 2, 3, 5, 5])))
    part = varied.subset(np.array([5, 2]))
    assert part.variants is not None
    assert part.variants.features[:, 0].tolist() == [4, 5, 2]
    assert part.variants.rows.tolist() == [0, 0, 1]


def test_fitting_stops_when_it_is_told_to() -> None:
    with pytest.raises(CancelledError):
        fit_linear_head(clusters(), 1e-4, lambda: True)
