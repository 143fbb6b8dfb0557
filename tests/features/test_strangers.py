from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier.errors import CancelledError
from edge_classifier.features.strangers import Strangers, dead_leaves

pytestmark = pytest.mark.slow


def few() -> FakeBackbone:
    """Give a backbone with features of every place, of which fewer strangers are enough."""
    return FakeBackbone(info=replace(FakeBackbone().info, feature_kind="spatial"))


def test_rendered_strangers_are_pictures_that_differ_and_are_the_same_on_every_machine() -> None:
    first, second = (
        [dead_leaves(generator) for _ in range(3)]
        for generator in (np.random.default_rng(0), np.random.default_rng(0))
    )
    for image, again in zip(first, second, strict=True):
        assert image.shape == (256, 256, 3)
        assert image.dtype == np.uint8
        assert image.std() > 10
        np.testing.assert_array_equal(image, again)
    assert np.abs(first[0].astype(int) - first[1]).mean() > 10


def test_they_are_computed_once_and_kept_for_the_next_program(tmp_path: Path) -> None:
    backbone = FakeBackbone()
    strangers = Strangers(backbone, tmp_path)
    computed = strangers.features()
    assert computed.shape == (300, 64)
    assert computed.dtype == np.float32
    assert strangers.features() is computed
    np.testing.assert_array_equal(Strangers(backbone, tmp_path).features(), computed)
    assert backbone.extracted == 300


def test_two_threads_that_ask_at_once_wait_for_the_same(tmp_path: Path) -> None:
    backbone = few()
    strangers = Strangers(backbone, tmp_path)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _n: strangers.features(), range(2))
    assert first is second
    assert len(first) == backbone.extracted == 100


def test_what_is_cancelled_ends_after_the_picture_at_hand_and_begins_anew_later(
    tmp_path: Path,
) -> None:
    backbone = few()
    strangers = Strangers(backbone, tmp_path)
    with pytest.raises(CancelledError):
        strangers.features(lambda: backbone.extracted == 3)
    assert backbone.extracted == 3
    assert not list(tmp_path.iterdir())
    assert len(strangers.features()) == 100


def test_each_backbone_has_its_own(tmp_path: Path) -> None:
    one = few()
    other = FakeBackbone(info=replace(one.info, weights_sha256="0" * 64))
    for backbone in (one, other, one):
        Strangers(backbone, tmp_path).features()
    assert one.extracted == other.extracted == 100


def damaged(content: bytes) -> list[bytes]:
    spoilt = []
    for rows in (np.full((100, 64), np.nan, np.float32), np.ones((3, 64), np.float32)):
        buffer = io.BytesIO()
        np.save(buffer, rows)
        spoilt.append(buffer.getvalue())
    return [content[:-1], *spoilt]


def test_what_is_damaged_is_told_and_computed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = Strangers(few(), tmp_path).features()
    (path,) = tmp_path.iterdir()
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        caplog.clear()
        np.testing.assert_array_equal(Strangers(few(), tmp_path).features(), expected)
        assert "computed again" in caplog.text
        assert "\n" not in caplog.messages[0]


def test_where_nothing_can_be_kept_they_are_computed_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    assert len(Strangers(few(), tmp_path / "cache").features()) == 100
    (line,) = caplog.messages
    assert "cannot be kept" in line
    assert "Errno" not in line
