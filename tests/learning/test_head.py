from __future__ import annotations

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.device.verdict import normalise, softmax
from edge_classifier.errors import InvalidValueError
from edge_classifier.learning.head import DenseHead, Head, LinearHead, imprint
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train
from edge_classifier.values import FeatureSet


def only(feature_set: FeatureSet, classes: int) -> FeatureSet:
    """Keep the first classes."""
    rows = feature_set.class_ids < classes
    return FeatureSet(
        feature_set.features[rows],
        feature_set.class_ids[rows],
        feature_set.burst_ids[rows],
        feature_set.class_names[:classes],
    )


def accuracy(head: Head, feature_set: FeatureSet) -> float:
    answers = head.scores(feature_set.features).argmax(axis=1)
    names = np.array(head.class_names)[answers]
    return float((names == np.array(feature_set.class_names)[feature_set.class_ids]).mean())


@pytest.fixture(params=["linear", "dense"])
def head(request: pytest.FixtureRequest) -> Head:
    """A trained head of two classes of three."""
    settings = HeadSettings(kind=request.param, learning_rate=1e-2)
    return train(only(clusters(), 2), settings).head


def test_scores_are_one_row_an_image_and_sum_to_one(head: Head) -> None:
    scores = head.scores(clusters().features)
    assert scores.shape == (60, 2)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_new_class_is_told_apart_without_losing_the_others(head: Head) -> None:
    extended = head.extended(clusters())
    assert extended.class_names == (*head.class_names, "class 2")
    assert accuracy(extended, clusters(seed=7)) >= 0.9


def test_extending_by_known_classes_changes_nothing(head: Head) -> None:
    assert head.extended(only(clusters(), 2)) is head


def test_dropping_a_class_leaves_the_others(head: Head) -> None:
    rest = head.without("class 0")
    assert rest is not None
    assert rest.class_names == ("class 1",)
    assert rest.without("class 1") is None


def test_renaming_changes_the_name_and_no_score(head: Head) -> None:
    renamed = head.renamed("class 0", "tasse à café")
    assert renamed.class_names == ("tasse à café", "class 1")
    features = clusters().features
    np.testing.assert_array_equal(renamed.scores(features), head.scores(features))


def test_an_imprinted_head_answers_from_the_class_means() -> None:
    assert accuracy(imprint(clusters()), clusters(seed=3)) >= 0.95


def test_imprinting_one_class_gives_a_head_of_one_class() -> None:
    head = imprint(only(clusters(), 1))
    np.testing.assert_array_equal(head.scores(clusters().features), np.ones((60, 1)))


def test_a_linear_head_does_not_depend_on_the_brightness_of_features() -> None:
    head = imprint(clusters())
    features = clusters(seed=2).features
    np.testing.assert_allclose(head.scores(features), head.scores(features * 3), atol=1e-5)


def test_features_of_nothing_give_scores_and_no_warning() -> None:
    assert np.isfinite(imprint(clusters()).scores(np.zeros((1, 64), np.float32))).all()


def test_softmax_stands_very_large_logits() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]])), [[1, 0]])


def test_normalised_rows_have_length_one() -> None:
    rows = normalise(clusters().features)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_a_head_without_classes_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least one"):
        LinearHead((), np.zeros((4, 0), np.float32), np.zeros(0, np.float32))


def test_a_head_with_too_few_columns_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"\(3, 1\)"):
        DenseHead(
            ("a", "b"),
            np.zeros((4, 3), np.float32),
            np.zeros(3, np.float32),
            np.zeros((3, 1), np.float32),
        )
