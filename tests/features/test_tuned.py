from __future__ import annotations

from typing import TYPE_CHECKING

from support.fakes import FakeBackbone

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
