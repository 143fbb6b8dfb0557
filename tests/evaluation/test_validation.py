from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.errors import CancelledError
from edge_classifier.evaluation.cross_validation import cross_validate
from edge_classifier.evaluation.validation import Validation, summarise, validate
from edge_classifier.values import FeatureSet, Sample


def samples_of(feature_set: FeatureSet) -> list[Sample]:
    return [
        Sample(feature_set.class_names[c], str(b), Path(f"{n}.jpg"), str(n))
        for n, (c, b) in enumerate(
            zip(feature_set.class_ids.tolist(), feature_set.burst_ids.tolist(), strict=True)
        )
    ]


def validation(feature_set: FeatureSet) -> Validation:
    return validate(samples_of(feature_set), feature_set)


def one_burst_of(feature_set: FeatureSet, *class_ids: int) -> FeatureSet:
    bursts = feature_set.burst_ids.astype("U16")
    for class_id in class_ids:
        bursts[feature_set.class_ids == class_id] = f"{class_id}-only"
    return replace(feature_set, burst_ids=bursts)


def hard() -> FeatureSet:
    return clusters(classes=4, bursts=4, spread=0.9)


def test_the_line_tells_accuracy_margin_and_bursts() -> None:
    feature_set = hard()
    found = cross_validate(feature_set).evaluation
    assert found is not None
    assert 0.5 < found.accuracy < 1.0
    low, high = found.interval
    margin = 100 * max(found.accuracy - low, high - found.accuracy)
    expected = f"{100 * found.accuracy:.0f} % right, ± {margin:.0f}, on 16 held-out rounds"
    assert validation(feature_set).line() == expected


def test_pictures_added_one_by_one_are_not_called_bursts() -> None:
    feature_set = clusters(bursts=10, per_burst=1)
    line = validation(feature_set).line()
    assert "% right, ± " in line
    assert line.endswith(" on 30 held-out pictures")


def test_without_a_second_burst_the_line_says_so_instead_of_a_number() -> None:
    found = validation(clusters(bursts=1))
    assert found.accuracy is None
    assert found.line() == "needs a second round: class 0, class 1 and 1 more"


def test_one_class_that_can_be_held_out_makes_no_accuracy() -> None:
    found = validation(one_burst_of(clusters(bursts=3), 0, 2))
    assert (found.accuracy, found.margin) == (None, None)
    assert found.line() == "needs a second round: class 0, class 2"
    assert [c.recall is None for c in found.classes] == [True, False, True]


def test_a_class_without_a_number_is_named_beside_the_number_of_the_others() -> None:
    line = validation(one_burst_of(clusters(bursts=3), 1)).line()
    assert "% right, ± " in line
    assert line.endswith(" on 6 held-out rounds · needs a second round: class 1")


def test_the_pair_most_confused_comes_with_a_mistaken_sample_of_each() -> None:
    feature_set = clusters(classes=4, bursts=4, per_burst=5, spread=0.2)
    features = feature_set.features.copy()
    generator = np.random.default_rng(1)
    features[40:60] = features[20:40] + generator.normal(0, 0.2, (20, features.shape[1]))
    alike = replace(feature_set, features=np.maximum(features, 0).astype(np.float32))
    found = validation(alike)
    assert found.confused is not None
    assert set(found.confused.names) == {"class 1", "class 2"}
    assert found.confused.mistakes >= 5
    assert tuple(s.class_name for s in found.examples) == found.confused.names
    assert found.weakest in found.confused.names


def test_where_nothing_is_mistaken_no_pair_and_no_weak_class_is_named() -> None:
    found = validation(clusters(bursts=3, spread=0.05))
    assert found.accuracy == 1.0
    assert (found.confused, found.weakest, found.examples) == (None, None, ())


def test_a_summary_counts_bursts_and_pictures_of_each_class() -> None:
    feature_set = clusters(classes=2, bursts=3, per_burst=4)
    found = summarise(samples_of(feature_set), feature_set, cross_validate(feature_set))
    assert [(c.name, c.bursts, c.pictures) for c in found.classes] == [
        ("class 0", 3, 12),
        ("class 1", 3, 12),
    ]
    assert all(c.variety is not None for c in found.classes)


def test_validating_can_be_stopped() -> None:
    feature_set = clusters()
    with pytest.raises(CancelledError):
        validate(samples_of(feature_set), feature_set, cancelled=lambda: True)


def test_of_a_class_without_others_it_tells_how_often_it_is_recognised() -> None:
    found = validation(clusters(classes=1, bursts=5))
    assert found.accuracy is not None
    assert found.line().startswith(f"{100 * found.accuracy:.0f} % recognised")
    assert found.line().endswith("on 5 held-out rounds")
    assert validation(clusters(classes=1, bursts=1)).line() == "needs a second round: class 0"
