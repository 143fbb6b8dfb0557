from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.feature_sets import clusters, strangers

from edge_classifier.device.adaptation import ENOUGH, enough
from edge_classifier.device.frame_buffer import MAX_FRAMES
from edge_classifier.device.verdict import normalise
from edge_classifier.errors import AdaptationError
from edge_classifier.learning.familiar_frames import FamiliarFrames
from edge_classifier.learning.model import Model
from edge_classifier.learning.training import train
from edge_classifier.values import BACKGROUND, FeatureSet


@pytest.fixture(scope="module")
def model() -> Model:
    return train(clusters(bursts=4))


def of_class(feature_set: FeatureSet, class_id: int) -> np.ndarray:
    rows: np.ndarray = feature_set.features[feature_set.class_ids == class_id]
    return rows


def test_it_says_how_many_of_which_class_there_are_and_what_is_missing(model: Model) -> None:
    frames = FamiliarFrames(model)
    assert frames.missing == model.class_names
    fresh = clusters(per_burst=20, seed=8)
    for class_id, count in ((0, ENOUGH), (1, ENOUGH - 2)):
        rows = iter(of_class(fresh, class_id))
        while frames.counts[f"class {class_id}"] < count:
            frames.add(next(rows))
    assert frames.counts == {"class 0": 8, "class 1": 6, "class 2": 0}
    assert frames.missing == ("class 1", "class 2")
    assert str(frames) == "class 0 8, class 1 6, class 2 0"


def test_strangers_are_left_out_and_counted_as_looked_at(model: Model) -> None:
    frames = FamiliarFrames(model)
    for row in strangers():
        assert not frames.add(row)
    assert len(frames) == 0
    assert frames.looked_at == 40
    with pytest.raises(AdaptationError, match="None of the 40 pictures resembles"):
        frames.features()


def test_the_same_frame_again_is_no_evidence(model: Model) -> None:
    frames = FamiliarFrames(model)
    row = clusters(seed=8).features[0]
    assert [frames.add(row) for _ in range(20)] == [True] + [False] * 19
    assert len(frames) == 1
    np.testing.assert_allclose(frames.features(), normalise(row[None]), atol=1e-6)


def test_any_number_of_frames_takes_bounded_memory(model: Model) -> None:
    frames = FamiliarFrames(model)
    for row in clusters(per_burst=200, seed=8).features:
        frames.add(row)
    assert frames.looked_at == 1200
    assert len(frames.features()) == MAX_FRAMES
    assert min(frames.counts.values()) >= MAX_FRAMES // 3


def test_without_any_frame_it_says_so(model: Model) -> None:
    with pytest.raises(AdaptationError, match="no picture to adapt to"):
        FamiliarFrames(model).features()


def test_of_an_empty_scene_that_never_changes_there_is_enough_soon(model: Model) -> None:
    renamed = model.renamed("class 0", BACKGROUND)
    frames = FamiliarFrames(renamed)
    row = of_class(clusters(bursts=4), 0)[0]
    assert [frames.add(row) for _ in range(ENOUGH + 4)] == [True] * ENOUGH + [False] * 4
    assert BACKGROUND not in frames.missing


def test_what_the_model_has_said_of_a_frame_is_not_asked_again(model: Model) -> None:
    fresh = clusters(seed=8).features
    asked, told = FamiliarFrames(model), FamiliarFrames(model)
    for row in fresh:
        asked.add(row)
        told.add(row, model.predict(row[None])[0])
    assert asked.counts == told.counts
    strange = replace(model.predict(fresh[:1])[0], similarity=0.0)
    assert not FamiliarFrames(model).add(fresh[0], strange)


def test_of_many_classes_no_more_frames_are_asked_for_than_a_buffer_holds() -> None:
    assert [enough(classes) for classes in (1, 16, 32, 40, 2000)] == [8, 8, 4, 3, 1]
