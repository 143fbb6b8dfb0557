from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_classifier.api import ImageClassifier
from edge_classifier.errors import BackboneMismatchError, ProjectFormatError

if TYPE_CHECKING:
    from pathlib import Path


def pictures() -> list[np.ndarray[Any, Any]]:
    return [np.full((8, 8, 3), value, np.uint8) for value in (10, 20, 200, 210)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "classifier.npz"
    ImageClassifier("built-in").fit(pictures(), [7, 7, 10, 10]).save(path)
    return path.read_bytes()


def spoil(content: bytes, path: Path, meta: dict[str, Any], **arrays: Any) -> Path:
    with np.load(io.BytesIO(content)) as file:
        parts = dict(file)
    about = json.loads(parts["meta"].tobytes())
    for key, value in meta.items():
        part, _, name = key.rpartition("/")
        (about[part] if part else about)[name] = value
    parts["meta"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **{**parts, **arrays})
    return path


def test_labels_keep_their_type_and_their_order(saved: bytes, tmp_path: Path) -> None:
    path = spoil(saved, tmp_path / "c.npz", {})
    loaded = ImageClassifier.load(path)
    assert loaded.classes_.tolist() == [7, 10]
    assert loaded.predict(pictures()).tolist() == [7, 7, 10, 10]


def test_the_order_of_a_projects_keys_survives_saving(taught_project: Path, tmp_path: Path) -> None:
    of_project = ImageClassifier.load(taught_project)
    of_project.set_params(backbone="built-in").save(tmp_path / "c.npz")
    loaded = ImageClassifier.load(tmp_path / "c.npz")
    assert loaded.classes_.tolist() == of_project.classes_.tolist()
    pictures = sorted(taught_project.glob("samples/*/*.jpg"))
    assert loaded.predict(pictures).tolist() == of_project.predict(pictures).tolist()


@pytest.mark.parametrize(
    ("meta", "arrays"),
    [
        ({"params/no_such_thing": 1}, {}),
        ({"params/units": "many"}, {}),
        ({"params/weights": 1.5}, {}),
        ({"params/features": "all"}, {}),
        ({"params/backbone": None}, {}),
        ({"params/epochs": 10**12}, {}),
        ({"params/n_jobs": "all"}, {}),
        ({"params": 5}, {}),
        ({"backbone": {}}, {}),
        ({"backbone/weights_sha256": 5}, {}),
        ({"class_names": [1, 2]}, {}),
        ({"model": None}, {}),
        ({"format": 2}, {}),
        ({}, {"labels": np.array(["a", "b"])}),
        ({}, {"labels": np.array([7.5, 7, 10, 10])}),
        ({}, {"labels": np.array([7, 7, 7, 7])}),
        ({}, {"class_ids": np.array([0, 0, 1, 9])}),
        ({}, {"features": np.full((4, 512), np.nan, np.float32)}),
        ({}, {"features": np.ones((4, 3), np.float32)}),
        ({}, {"variant_features": np.full((12, 512), np.nan, np.float32)}),
        ({}, {"variant_features": np.ones((12, 3), np.float32)}),
        ({}, {"variant_features": np.ones((11, 512), np.float32)}),
        ({}, {"variant_rows": np.arange(12)}),
        ({}, {"variant_rows": np.full(12, 0.5)}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_spoilt_file_is_refused_in_one_line(
    saved: bytes, tmp_path: Path, meta: dict[str, Any], arrays: dict[str, Any]
) -> None:
    path = spoil(saved, tmp_path / "c.npz", meta, **arrays)
    with pytest.raises(ProjectFormatError, match=r"c\.npz") as caught:
        ImageClassifier.load(path)
    assert "\n" not in str(caught.value)


def test_weights_that_a_file_names_are_hashed_before_they_are_opened(
    saved: bytes, tmp_path: Path
) -> None:
    """What HDF5 would make of the file never shows: it is not asked."""
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"\x89HDF\r\n\x1a\nnot at all what was trained with")
    path = spoil(
        saved, tmp_path / "c.npz", {"params/backbone": "v1-0.25", "params/weights": str(weights)}
    )
    with pytest.raises(BackboneMismatchError, match=r"weights\.h5 is [0-9a-f]{12}"):
        ImageClassifier.load(path)
