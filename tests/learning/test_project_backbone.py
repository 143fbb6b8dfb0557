from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support import networks
from support.fakes import ManualExecutor
from support.live_session import LiveSession
from support.picture_files import picture_bytes

from edge_classifier.errors import (
    BackboneMismatchError,
    CancelledError,
    DownloadError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from edge_classifier.features.backbone import Choice, LiteRTBackbone, load_backbone
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.carried import files_to_carry
from edge_classifier.features.catalogue import BUILT_IN, official
from edge_classifier.features.weights import CacheFolders
from edge_classifier.learning.fine_tuning import tunable_backbone
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from edge_classifier.learning.project_backbone import OpenBackbone
    from edge_classifier.protocols import Cancelled


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


CARRIED = official("v1-0.25").info("pooled", "ab" * 32)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Give a copy of a project that carries its network, which is not in the caches."""
    with ProjectStore.create(tmp_path / "p") as store:
        store.set_backbone(CARRIED)
        folders = CacheFolders(tmp_path / "cache", tmp_path / "keras")
        network = networks.averaging_and_mixing(256)
        networks.keep_compiled(network, CARRIED.name, CARRIED.weights_sha256, folders)
        store.save_as(tmp_path / "copy", more=files_to_carry(store.path, CARRIED, folders))
    return tmp_path / "copy"


def test_a_copy_goes_on_with_the_network_that_it_carries(copied: Path) -> None:
    with ProjectStore.open(copied) as store:
        assert load(store, BackboneChoice()) == CARRIED.key


@pytest.mark.parametrize("name", ["auto", CARRIED.name])
def test_a_project_goes_on_with_what_was_compiled_of_its_weights_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    network = networks.averaging_and_mixing(256)
    networks.keep_compiled(network, CARRIED.name, CARRIED.weights_sha256)
    with ProjectStore.create(tmp_path / "p") as store:
        store.set_backbone(CARRIED)
        assert load(store, BackboneChoice(name)) == CARRIED.key
        assert store.backbone == CARRIED


def test_other_weights_that_are_given_are_part_of_what_would_change_the_project(
    tmp_path: Path,
) -> None:
    def open_backbone(_name: str, **_options: Any) -> LiteRTBackbone:
        other = replace(CARRIED, weights_sha256="cd" * 32)
        return LiteRTBackbone(other, networks.averaging_and_mixing(256))

    with ProjectStore.create(tmp_path / "p") as store:
        store.set_backbone(CARRIED)
        given = BackboneChoice(weights=tmp_path / "mine.h5")
        with pytest.raises(BackboneMismatchError, match=r"--weights .*mine\.h5` changes"):
            backbone_loader(store, given, open_backbone=open_backbone)(
                lambda *_: None, lambda: False
            )


def test_a_copy_that_says_to_carry_what_the_backbone_is_not_is_refused(copied: Path) -> None:
    with ProjectStore.open(copied) as store:
        other = replace(CARRIED, preprocessing=replace(CARRIED.preprocessing, high=255.0))
        store.set_backbone(other, replace=True)
        with pytest.raises(BackboneMismatchError, match="other preprocessing"):
            load(store, BackboneChoice())


def test_weights_that_are_given_go_before_what_a_copy_carries(copied: Path, tmp_path: Path) -> None:
    with (
        ProjectStore.open(copied) as store,
        pytest.raises(WeightsNotFoundError, match=r"mine\.h5"),
    ):
        load(store, BackboneChoice(weights=tmp_path / "mine.h5"))


def cache_of(store: ProjectStore) -> FileFeatureCache:
    assert store.backbone is not None
    return FileFeatureCache(store.cache_folder, store.backbone.key, store.backbone.feature_dim)


@pytest.mark.parametrize(("removed", "left"), [(503, 0), (502, 502)])
def test_what_removed_samples_leave_in_the_cache_does_not_pile_up(
    tmp_path: Path, removed: int, left: int
) -> None:
    with ProjectStore.create(tmp_path / "p", ["mug"]) as store:
        load(store, BackboneChoice("built-in"))
        shas = [
            store.add_sample(
                encode_file(picture_bytes(number), "a picture"),
                "mug",
                store.next_burst_id(),
                held_out=held_out,
            ).image_sha256
            for number, held_out in enumerate((False, True))
        ]
        assert store.backbone is not None
        features = np.ones(store.backbone.feature_dim, np.float32)
        cache = cache_of(store)
        for sha in (*shas, *(f"{number:064x}" for number in range(removed))):
            cache.append(sha, features)
        cache.close()
        load(store, BackboneChoice())
        hashes, _ = cache_of(store).load()
        assert hashes[:2] == shas
        assert len(hashes) == 2 + left


def official_weights_of_which(error: Exception) -> OpenBackbone:
    """Open backbones as on a machine where getting the official weights ends like this."""

    def open_backbone(name: str, **options: Any) -> LiteRTBackbone:
        if name != BUILT_IN:
            raise error
        return load_backbone(name, **options)

    return open_backbone


def reachable_weights(name: str, *, weights: Path | None) -> Choice:
    return Choice("v2-0.35" if name == "auto" else name, f"for {name} and {weights}")


@pytest.mark.parametrize(
    "error", [DownloadError("It stopped half way."), WeightsMismatchError("A login page came.")]
)
def test_a_new_project_begins_with_the_built_in_backbone_where_the_download_fails(
    tmp_path: Path, error: Exception
) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        loaded = backbone_loader(
            store,
            BackboneChoice(),
            choose=reachable_weights,
            open_backbone=official_weights_of_which(error),
        )(lambda *_: None, lambda: False)
        assert loaded.note == f"built-in instead: {error}"
        assert store.backbone == loaded.backbone.info
        loaded.close()


@pytest.mark.parametrize(
    "choice", [BackboneChoice("v2-0.35"), BackboneChoice(weights=Path("w.h5"))]
)
def test_what_was_asked_for_is_never_replaced_by_the_built_in_backbone(
    tmp_path: Path, choice: BackboneChoice
) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        load = backbone_loader(
            store,
            choice,
            choose=reachable_weights,
            open_backbone=official_weights_of_which(DownloadError("It stopped half way.")),
        )
        with pytest.raises(DownloadError):
            load(lambda *_: None, lambda: False)
        assert store.backbone is None


def test_escape_stops_loading_and_t_goes_on_with_the_built_in_backbone(tmp_path: Path) -> None:
    executor = ManualExecutor()

    def open_backbone(name: str, *, cancelled: Cancelled, **options: Any) -> LiteRTBackbone:
        if name != BUILT_IN:
            live.type("escape")
            assert live.view.message is not None
            assert live.view.message.text == "stopping: loading the network"
            assert cancelled()
            raise CancelledError("The download was cancelled; nothing was kept.")
        return load_backbone(name, cancelled=cancelled, **options)

    with ProjectStore.create(tmp_path / "p", ["mug"]) as store:
        load, _ = tunable_backbone(
            store, BackboneChoice(), choose=reachable_weights, open_backbone=open_backbone
        )
        live = LiveSession(store, executor, load=load)
        executor.run_next()
        live.frame()
        assert live.view.message is not None
        assert live.view.message.text == "stopped loading the network; T goes on with built-in"
        assert live.view.activity.text.startswith("no network")
        assert store.backbone is None
        live.type("t")
        executor.run_all()
        live.frame()
        assert store.backbone is not None
        assert store.backbone.name == BUILT_IN
        live.close()


def test_a_backbone_that_was_asked_for_is_asked_for_again_after_escape(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p", ["mug"]) as store:
        load, _ = tunable_backbone(
            store,
            BackboneChoice("v2-0.35"),
            choose=reachable_weights,
            open_backbone=official_weights_of_which(CancelledError("The download was cancelled.")),
        )
        for _ in range(2):
            with pytest.raises(CancelledError, match="T begins again"):
                load(lambda *_: None, lambda: True)
        assert store.backbone is None
