from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_classifier.adapters.store import ProjectStore
from edge_classifier.assemble import BackboneChoice, backbone_loader
from edge_classifier.errors import BackboneMismatchError


def load(store: ProjectStore, choice: BackboneChoice) -> str:
    return backbone_loader(store, choice)(lambda *_: None, lambda: False).backbone.info.key


def test_a_project_keeps_its_backbone(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        key = load(store, BackboneChoice("built-in"))
        assert load(store, BackboneChoice()) == key
        assert store.backbone is not None
        assert store.backbone.key == key


@pytest.mark.parametrize("changed", ["weights", "preprocessing"])
def test_another_version_of_the_backbone_is_never_taken_silently(
    tmp_path: Path, changed: str
) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        key = load(store, BackboneChoice("built-in"))
        info = store.backbone
        assert info is not None
        if changed == "weights":
            before = replace(info, weights_sha256="0" * 64)
        else:
            low = info.preprocessing.low - 1
            before = replace(info, preprocessing=replace(info.preprocessing, low=low))
        store.set_backbone(before, replace=True)
        with pytest.raises(BackboneMismatchError, match=f"other {changed}"):
            load(store, BackboneChoice())
        assert store.backbone == before
        assert load(store, BackboneChoice("built-in")) == key
        assert store.backbone == info
