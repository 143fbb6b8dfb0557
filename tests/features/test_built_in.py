from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from edge_classifier.errors import BackboneError, WeightsMismatchError, WeightsNotFoundError
from edge_classifier.features.built_in import built_in_folder, read_built_in

if TYPE_CHECKING:
    from pathlib import Path

EXTRACTOR = b"stands for a network"


def _folder(tmp_path: Path, **changes: object) -> Path:
    about: dict[str, object] = {
        "name": "built-in",
        "architecture": "mobilenet_v1",
        "alpha": 0.5,
        "input_size": 160,
        "feature_shape": [5, 5, 512],
        "weights_sha256": "ab" * 32,
        "extractor_sha256": hashlib.sha256(EXTRACTOR).hexdigest(),
        "scale": [-1, 1],
    }
    about |= changes
    (tmp_path / "built-in.json").write_text(json.dumps(about), encoding="utf-8")
    (tmp_path / "built-in.tflite").write_bytes(EXTRACTOR)
    return tmp_path


def test_what_stands_in_the_description_is_what_the_backbone_is(tmp_path: Path) -> None:
    built_in = read_built_in("pooled", _folder(tmp_path))
    assert built_in.extractor == EXTRACTOR
    assert built_in.info.name == "built-in"
    assert built_in.info.feature_dim == 512
    assert built_in.info.weights_sha256 == "ab" * 32
    assert built_in.info.preprocessing.input_size == 160
    assert (built_in.info.preprocessing.low, built_in.info.preprocessing.high) == (-1.0, 1.0)
    assert built_in.weights == tmp_path / "built-in.weights.npz"


def test_the_square_root_that_the_description_asks_for_is_taken(tmp_path: Path) -> None:
    plain = read_built_in("pooled", _folder(tmp_path)).info
    rooted = read_built_in("pooled", _folder(tmp_path, root_offset=0.03)).info
    assert plain.root_offset is None
    assert rooted.root_offset == 0.03
    assert rooted.key != plain.key


def test_a_network_that_is_not_the_described_one_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "built-in.tflite").write_bytes(EXTRACTOR[:-1])
    with pytest.raises(WeightsMismatchError, match=r"built-in\.tflite is damaged"):
        read_built_in("pooled", folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"feature_shape": [5, 5]},
        {"input_size": "large"},
        {"feature_shape": None},
        {"root_offset": -1},
        {"root_offset": []},
    ],
)
def test_a_senseless_description_is_one_line(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(BackboneError, match="install the package again") as e:
        read_built_in("pooled", _folder(tmp_path, **changes))
    assert "\n" not in str(e.value)


def test_a_description_that_is_cut_short_is_one_line(tmp_path: Path) -> None:
    description = _folder(tmp_path) / "built-in.json"
    os.truncate(description, 40)
    with pytest.raises(BackboneError, match="install the package again"):
        read_built_in("pooled", tmp_path)


@pytest.mark.skipif(built_in_folder() is not None, reason="this installation has one")
def test_an_installation_without_one_says_what_offline_use_needs() -> None:
    with pytest.raises(WeightsNotFoundError, match="--weights FILE"):
        read_built_in("pooled")


@pytest.mark.skipif(built_in_folder() is None, reason="models/built-in.json is not there yet")
def test_the_built_in_backbone_is_whole() -> None:
    built_in = read_built_in("pooled")
    assert hashlib.sha256(built_in.weights.read_bytes()).hexdigest() == built_in.info.weights_sha256
