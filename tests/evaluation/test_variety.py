from __future__ import annotations

import numpy as np
from support.feature_sets import clusters

from edge_classifier.evaluation.validation import TOO_ALIKE, class_variety
from edge_classifier.values import FeatureSet


def test_near_duplicates_are_too_alike_and_varied_pictures_are_not() -> None:
    feature_set = clusters(classes=3, spread=0.3)
    features = feature_set.features.copy()
    of_first = feature_set.class_ids == 0
    noise = np.random.default_rng(0).normal(0, 0.01, (int(of_first.sum()), features.shape[1]))
    features[of_first] = features[0] + noise
    still = FeatureSet(
        np.maximum(features, 0),
        feature_set.class_ids,
        feature_set.burst_ids,
        feature_set.class_names,
    )
    variety = class_variety(still)
    assert variety[0] < TOO_ALIKE
    assert (variety[1:] > TOO_ALIKE).all()


def test_variety_is_the_mean_distance_within_over_that_to_others() -> None:
    feature_set = clusters(classes=3, per_burst=4)
    rows = feature_set.features / np.linalg.norm(feature_set.features, axis=1, keepdims=True)
    distances = 1.0 - rows @ rows.T
    own = feature_set.class_ids == 1
    within = distances[np.ix_(own, own)][~np.eye(int(own.sum()), dtype=bool)].mean()
    expected = within / distances[np.ix_(own, ~own)].mean()
    np.testing.assert_allclose(class_variety(feature_set)[1], expected, rtol=1e-4)


def test_of_one_picture_or_one_class_nothing_can_be_said() -> None:
    assert np.isnan(class_variety(clusters(classes=3, per_burst=1, bursts=1))).all()
    assert np.isnan(class_variety(clusters(classes=1))).all()
