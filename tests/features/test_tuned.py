from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import classifiers
from support.fakes import FakeBackbone

from edge_classifier.errors import BackboneError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.carried import CARRIED
from edge_classifier.features.tuned import (
    EXTRACTOR,
    TUNED_WEIGHTS,
    forget_tuned,
    keep_tuned,
    new_folder,
    read_tuned,
    tuned_weights,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import BackboneInfo


def keep(project: Path, extractor: bytes) -> BackboneInfo:
    made = new_folder(project)
    (made / TUNED_WEIGHTS).write_bytes(b"the same weights")
    (made / EXTRACTOR).write_bytes(extractor)
    return keep_tuned(project, made, FakeBackbone().info)


def kept_extractor(project: Path, info: BackboneInfo) -> bytes:
    weights = tuned_weights(project, info)
    assert weights is not None
    return read_tuned(weights, "pooled").extractor


def test_what_a_project_may_be_using_is_never_taken_away_for_its_like(tmp_path: Path) -> None:
    info = keep(tmp_path, b"compiled first")
    assert keep(tmp_path, b"compiled again") == info
    assert kept_extractor(tmp_path, info) == b"compiled first"
    assert len(list((tmp_path / "backbone").iterdir())) == 1


def test_going_back_leaves_what_the_project_carries_and_nothing_else(tmp_path: Path) -> None:
    keep(tmp_path, b"compiled")
    carried = tmp_path / "backbone" / ("ab" * 8) / CARRIED
    carried.parent.mkdir()
    carried.touch()
    forget_tuned(tmp_path)
    assert list(tmp_path.rglob("*")) == [*reversed(carried.parents[:2]), carried]
    carried.unlink()
    carried.parent.rmdir()
    forget_tuned(tmp_path)
    assert not (tmp_path / "backbone").exists()


def test_one_that_is_damaged_is_replaced(tmp_path: Path) -> None:
    info = keep(tmp_path, b"compiled first")
    weights = tuned_weights(tmp_path, info)
    assert weights is not None
    weights.with_name(EXTRACTOR).write_bytes(b"damaged")
    keep(tmp_path, b"compiled again")
    assert kept_extractor(tmp_path, info) == b"compiled again"


@pytest.mark.parametrize(
    ("network", "reason"),
    [(classifiers.endless(), "the operator WHILE"), (b"compiled", "its identifier is not TFL3")],
)
def test_a_strangers_is_tried_before_it_runs(tmp_path: Path, network: bytes, reason: str) -> None:
    weights = tuned_weights(tmp_path, keep(tmp_path, network))
    with pytest.raises(BackboneError, match=rf"tuned\.tflite cannot be run: .*{reason}"):
        load_backbone(weights=weights)
