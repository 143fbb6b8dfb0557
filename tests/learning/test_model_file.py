from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.feature_sets import clusters, strangers

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


def rewritten(path: Path, change: dict[str, Any], **arrays: Any) -> None:
    """Change what a model file says of itself (`None` takes it out), and some of its arrays."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    meta = json.loads(parts.pop("meta").tobytes()) | change
    kept = {name: value for name, value in meta.items() if value is not None}
    text = np.frombuffer(json.dumps(kept).encode(), np.uint8)
    np.savez(path, meta=text, **{**parts, **arrays})


@pytest.fixture
def measured() -> Model:
    return train(replace(clusters(bursts=2, spread=0.15), strangers=strangers()))


def test_what_was_measured_on_strangers_and_what_references_are_of_is_read_again(
    measured: Model, tmp_path: Path
) -> None:
    store = FileModelStore(tmp_path)
    store.save(measured, backbone_key="key", fingerprint="print")
    stored = store.load(backbone_key="key")
    assert stored is not None
    before, after = measured.unknown, stored[0].unknown
    assert before is not None
    assert after is not None
    assert before.stranger_level is not None
    assert (after.stranger_level, after.bursts) == (before.stranger_level, before.bursts)
    assert after.threshold == before.threshold
    np.testing.assert_array_equal(after.reference_ids, before.reference_ids)
    assert after.shift is None


def test_a_file_from_before_any_of_that_answers_as_it_did(measured: Model, tmp_path: Path) -> None:
    store = FileModelStore(tmp_path)
    store.save(measured, backbone_key="key", fingerprint="print")
    old = dict.fromkeys(("stranger_level", "bursts", "reference_classes"))
    rewritten(tmp_path / "model.npz", old)
    stored = store.load(backbone_key="key")
    assert stored is not None
    unknown = stored[0].unknown
    assert unknown is not None
    assert unknown.threshold == unknown.measured_threshold
    assert set(unknown.reference_ids.tolist()) == {-1}


@pytest.mark.parametrize(
    "change",
    [
        {"stranger_level": "high"},
        {"stranger_level": 1e300},
        {"stranger_level": float("nan")},
        {"bursts": 0},
        {"bursts": "many"},
        {"reference_classes": [0, 1]},
        {"reference_classes": [0.5, "a"]},
        {"reference_classes": 7},
    ],
    ids=str,
)
def test_a_file_that_says_what_cannot_be_counts_as_no_model(
    measured: Model, tmp_path: Path, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    store = FileModelStore(tmp_path)
    store.save(measured, backbone_key="key", fingerprint="print")
    rewritten(tmp_path / "model.npz", change)
    assert store.load(backbone_key="key") is None
    assert "model.npz" in caplog.text


@pytest.mark.parametrize("shift", [np.zeros(3, np.float32), np.full(64, np.nan, np.float32)])
def test_a_shift_that_is_none_counts_as_no_model(
    measured: Model, tmp_path: Path, shift: np.ndarray
) -> None:
    store = FileModelStore(tmp_path)
    store.save(measured, backbone_key="key", fingerprint="print")
    rewritten(tmp_path / "model.npz", {}, shift=shift)
    assert store.load(backbone_key="key") is None


@pytest.mark.parametrize("class_id", [3, -2, 10**9])
def test_references_of_a_class_that_there_is_not_count_as_no_model(
    measured: Model, tmp_path: Path, class_id: int
) -> None:
    assert measured.unknown is not None
    store = FileModelStore(tmp_path)
    store.save(measured, backbone_key="key", fingerprint="print")
    ids = [class_id] * len(measured.unknown.references)
    rewritten(tmp_path / "model.npz", {"reference_classes": ids})
    assert store.load(backbone_key="key") is None
