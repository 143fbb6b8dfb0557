from __future__ import annotations

import hashlib
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.tuned import MAX_BYTES, TUNED_WEIGHTS, read_tuned
from edge_classifier.graphs.tuned_network import built_in_size
from edge_classifier.learning.model_file import FileModelStore, model_as_arrays
from edge_classifier.learning.training import train

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.learning.model import Model

KEY = "a backbone's key"


def model() -> Model:
    return train(clusters(bursts=4))


def write(path: Path, *, meta: dict[str, Any] | None = None, **arrays: Any) -> None:
    """Write a model file, some parts of it replaced."""
    about, parts = model_as_arrays(model())
    about |= {"format": 1, "backbone_key": KEY, "fingerprint": "f", **(meta or {})}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **{"meta": text, **parts, **arrays})
    path.write_bytes(buffer.getvalue())


def test_what_is_not_spoilt_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "model.npz")
    found = FileModelStore(tmp_path).load(backbone_key=KEY)
    assert found is not None
    rows = clusters(seed=8).features
    np.testing.assert_array_equal(found[0].head.scores(rows), model().head.scores(rows))


@pytest.mark.parametrize(
    "spoilt",
    [
        {"references": np.ones((2, 3), np.float32)},
        {"bias": np.full(3, np.nan, np.float32)},
        {"bias": np.full(3, 3e38, np.float32)},
        {"bias": np.zeros(3, np.float64)},
        {"bias": np.zeros(4, np.float32)},
        {"surprise": np.ones(3, np.float32)},
        {"meta": {"class_names": "abc"}},
        {"meta": {"class_names": ["a", "a", "b"]}},
        {"meta": {"class_names": [1, 2, 3]}},
        {"meta": {"threshold": float("nan")}},
        {"meta": {"threshold_steps": 10**400}},
        {"meta": {"kind": "dense"}},
        {"meta": {"fingerprint": None}},
        {"meta": {"backbone_key": 5}},
    ],
    ids=lambda spoilt: str(spoilt)[:60],
)
def test_a_spoilt_model_counts_as_none_and_is_told(
    spoilt: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "model.npz", **spoilt)
    with caplog.at_level(logging.WARNING):
        assert FileModelStore(tmp_path).load(backbone_key=KEY) is None
    assert "model.npz is damaged" in caplog.text


def test_deep_nesting_in_a_model_file_is_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.frombuffer(b"[" * 100_000, np.uint8))
    (tmp_path / "model.npz").write_bytes(buffer.getvalue())
    assert FileModelStore(tmp_path).load(backbone_key=KEY) is None
    assert "damaged" in caplog.text


def test_what_a_tuned_backbone_says_of_itself_may_be_nested_as_deep_as_it_likes(
    tmp_path: Path,
) -> None:
    weights = tmp_path / TUNED_WEIGHTS
    weights.write_bytes(b"")
    for name in ("tuned.json", "built-in.json"):
        (tmp_path / name).write_text("[" * 200_000)
    with pytest.raises(WeightsMismatchError, match="damaged"):
        read_tuned(weights, "pooled")
    with pytest.raises(WeightsMismatchError):
        built_in_size(weights)


def test_tuned_weights_larger_than_any_are_not_read_into_memory(tmp_path: Path) -> None:
    weights = tmp_path / TUNED_WEIGHTS
    with weights.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # of holes: takes no room on the disk
    (tmp_path / "tuned.tflite").write_bytes(b"")
    preprocessing = {"input_size": 224, "low": -1.0, "high": 1.0}
    about = {
        "name": "v2-0.35",
        "feature_shape": [7, 7, 2560],
        "weights_sha256": hashlib.sha256(bytes(MAX_BYTES + 1)).hexdigest(),
        "extractor_sha256": hashlib.sha256(b"").hexdigest(),
        "preprocessing": preprocessing,
    }
    (tmp_path / "tuned.json").write_text(json.dumps(about))
    with pytest.raises(WeightsMismatchError, match="damaged"):
        read_tuned(weights, "pooled")
