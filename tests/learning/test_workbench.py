from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier.errors import NotTrainedError, ProjectError
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.variants import VARIANTS, Variation, make_variants
from edge_classifier.learning import workbench
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.learning.training import HeadSettings
from edge_classifier.project.store import ProjectStore


def told(_done: float, _what: str | None = None) -> None:
    """Show no progress."""


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (30, 40, 3), np.uint8)


def loaded_by(store: ProjectStore, backbone: FakeBackbone) -> LoadedBackbone:
    info = backbone.info
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
    return LoadedBackbone(backbone, cache, FileModelStore(store.model_folder), "fake")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make two classes of four pictures; the last of a class is the first one again."""
    with ProjectStore.create(tmp_path / "p", ["a", "b", "empty"]) as store:
        for number, name in ((0, "a"), (10, "b")):
            for n in (0, 1, 2, 0):
                encoded = store.encode(image(number + n))
                store.add_sample(encoded, name, store.next_burst_id())
    return tmp_path / "p"


def test_a_picture_that_is_there_twice_is_looked_at_once(project: Path) -> None:
    backbone = FakeBackbone()
    with ProjectStore.open(project) as store:
        loaded = loaded_by(store, backbone)
        gathered = workbench.gather(store, loaded, told)
        loaded.cache.close()
    assert backbone.extracted == 6
    assert gathered.feature_set.counts == (4, 4)
    assert gathered.feature_set.class_names == ("a", "b")
    rows = gathered.feature_set.features
    np.testing.assert_array_equal(rows[0], rows[3])


def test_features_are_those_of_their_own_samples_also_from_the_cache(project: Path) -> None:
    backbone = FakeBackbone()
    for _ in range(2):
        with ProjectStore.open(project) as store:
            loaded = loaded_by(store, backbone)
            gathered = workbench.gather(store, loaded, told)
            loaded.cache.close()
            expected = [store.read_image(sample) for sample in gathered.samples]
        np.testing.assert_array_equal(
            gathered.feature_set.features, FakeBackbone().extract(expected)
        )
    assert backbone.extracted == 6


def test_a_damaged_sample_is_left_out_and_named(project: Path) -> None:
    with ProjectStore.open(project) as store:
        damaged = store.samples()[1]
        damaged.path.write_bytes(b"no picture")
        loaded = loaded_by(store, FakeBackbone())
        gathered = workbench.gather(store, loaded, told)
        loaded.cache.close()
    assert damaged not in gathered.samples
    assert gathered.feature_set.counts == (3, 4)
    assert len(gathered.refused) == 1
    assert damaged.path.name in gathered.refused[0]


def test_a_project_that_another_program_has_open_is_read_and_not_changed(project: Path) -> None:
    with ProjectStore.open(project), workbench.open_for_reading(project) as store:
        assert store.read_only
        loaded = loaded_by(store, FakeBackbone())
        gathered = workbench.gather(store, loaded, told)
        workbench.train_project(store, loaded, gathered, HeadSettings(), told)
    assert not list((project / "cache").glob("features-*"))
    assert not (project / "model").exists()


def test_a_project_that_may_not_be_written_is_read(project: Path) -> None:
    project.chmod(0o555)
    if os.access(project, os.W_OK):
        pytest.skip("root may write everything")
    with workbench.open_for_reading(project) as store:
        assert store.read_only
        assert store.samples()
    project.chmod(0o755)


def test_the_trained_model_is_current_until_a_sample_comes(project: Path) -> None:
    with ProjectStore.open(project) as store:
        loaded = loaded_by(store, FakeBackbone())
        with pytest.raises(NotTrainedError, match="edge-classifier train"):
            workbench.trained_model(store, loaded)
        gathered = workbench.gather(store, loaded, told)
        workbench.train_project(store, loaded, gathered, HeadSettings(), told)
        assert workbench.trained_model(store, loaded)[1]
        store.add_sample(store.encode(image(5)), "a", store.next_burst_id())
        assert not workbench.trained_model(store, loaded)[1]
        loaded.cache.close()


def test_a_folder_that_is_no_project_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="There is no project"):
        workbench.open_for_reading(tmp_path / "nothing")


def test_the_steps_of_the_user_survive_training_and_come_with_the_model(project: Path) -> None:
    with ProjectStore.open(project) as store:
        for number in range(3):
            for name, first in (("a", 30), ("b", 40)):
                store.add_sample(store.encode(image(first + number)), name, store.next_burst_id())
        loaded = loaded_by(store, FakeBackbone())
        gathered = workbench.gather(store, loaded, told)
        measured = workbench.train_project(store, loaded, gathered, HeadSettings(), told).unknown
        store.update_settings(unknown_steps=2)
        trained = workbench.train_project(store, loaded, gathered, HeadSettings(), told).unknown
        again = workbench.trained_model(store, loaded)[0].unknown
        loaded.cache.close()
    assert measured is not None
    assert trained is not None
    assert again is not None
    assert trained.threshold == again.threshold == measured.adjusted(2).threshold
    assert trained.threshold > measured.threshold


def test_gathered_samples_are_varied_and_kept(project: Path) -> None:
    backbone = FakeBackbone()
    extracted = []
    for _ in range(2):
        with ProjectStore.open(project) as store:
            info = backbone.info
            cache = FileFeatureCache(store.cache_folder, "varied", info.feature_dim)
            variation = Variation(make_variants, cache, info.feature_dim)
            loaded = replace(loaded_by(store, backbone), variation=variation)
            variants = workbench.gather(store, loaded, told).feature_set.variants
            loaded.close()
        assert variants is not None
        assert variants.rows.tolist() == np.repeat(np.arange(8), VARIANTS).tolist()
        extracted.append(backbone.extracted)
    assert extracted == [6 + 6 * VARIANTS] * 2


def test_for_the_dense_head_and_for_held_out_samples_nothing_is_varied(project: Path) -> None:
    backbone = FakeBackbone()
    with ProjectStore.open(project) as store:
        info = backbone.info
        cache = FileFeatureCache(store.cache_folder, "varied", info.feature_dim)
        variation = Variation(make_variants, cache, info.feature_dim)
        loaded = replace(loaded_by(store, backbone), variation=variation)
        held_out = workbench.gather(store, loaded, told, samples=store.samples()[:2])
        store.update_settings(head={"kind": "dense"})
        for_dense = workbench.gather(store, loaded, told)
        loaded.close()
    assert held_out.feature_set.variants is None
    assert for_dense.feature_set.variants is None
    assert backbone.extracted == 6
