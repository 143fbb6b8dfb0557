from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.export.replay import fingerprint
from edge_classifier.learning.model import Model
from edge_classifier.learning.model_file import FileModelStore, model_as_arrays
from edge_classifier.learning.training import train


@pytest.fixture
def model() -> Model:
    return train(clusters(bursts=4))


def test_a_model_that_is_read_again_says_the_same(model: Model, tmp_path: Path) -> None:
    store = FileModelStore(tmp_path)
    store.save(model.adjusted(2), backbone_key="key", fingerprint="print")
    stored = store.load(backbone_key="key")
    assert stored is not None
    rows = clusters(seed=8).features
    for before, after in zip(model.adjusted(2).predict(rows), stored[0].predict(rows), strict=True):
        np.testing.assert_array_equal(before.scores, after.scores)
        assert (before.unknown, before.similarity, before.threshold) == (
            after.unknown,
            after.similarity,
            after.threshold,
        )


def test_a_file_from_before_the_threshold_could_be_moved_can_be_read_and_moved(
    model: Model, tmp_path: Path
) -> None:
    store = FileModelStore(tmp_path)
    store.save(model, backbone_key="key", fingerprint="print")
    path = tmp_path / "model.npz"
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(arrays.pop("meta").tobytes())
    del meta["threshold_step"], meta["threshold_steps"]
    np.savez(path, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays)
    stored = store.load(backbone_key="key")
    assert stored is not None
    assert stored[0].unknown is not None
    assert model.unknown is not None
    assert stored[0].unknown.threshold == model.unknown.threshold
    assert stored[0].unknown.adjusted(1).threshold > model.unknown.threshold


def test_a_model_from_before_strangers_were_measured_keeps_its_hash(
    model: Model, tmp_path: Path
) -> None:
    """A bundle knows the model that it was exported from by that hash."""
    assert model.unknown is not None
    before = replace(model, unknown=replace(model.unknown, class_ids=None, stranger_level=None))
    meta, _ = model_as_arrays(before)
    assert set(meta) == {
        "kind",
        "class_names",
        "threshold",
        "threshold_step",
        "threshold_steps",
        "measured_on_bursts",
        "hesitation_weight",
    }
    store = FileModelStore(tmp_path)
    store.save(before, backbone_key="k", fingerprint="f")
    loaded = store.load(backbone_key="k")
    assert loaded is not None
    assert fingerprint(loaded[0]) == fingerprint(before)
