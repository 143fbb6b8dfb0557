from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier.errors import NotTrainedError, ProjectError
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.variants import VARIANTS, Variation
from edge_classifier.learning.adaptation_file import FileAdaptationStore
from edge_classifier.learning.feature_sets import complete_features, picture_features
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.learning.project_model import taught_model, train_project, trained_model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore, open_for_reading


def told(_done: float, _what: str | None = None) -> None:
    """Show no progress."""


def image(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (30, 40, 3), np.uint8)


def loaded_by(store: ProjectStore, backbone: FakeBackbone) -> LoadedBackbone:
    info = backbone.info
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
    return LoadedBackbone(
        backbone,
        cache,
        FileModelStore(store.model_folder),
        FileAdaptationStore(store.model_folder, backbone.info.key),
        "fake",
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make two classes of four pictures; the last of a class is the first one again."""
    with ProjectStore.create(tmp_path / "p", ["a", "b", "empty"]) as store:
        for number, name in ((0, "a"), (10, "b")):
            for n in (0, 1, 2, 0):
                encoded = encode_image(image(number + n))
                store.add_sample(encoded, name, store.next_burst_id())
    return tmp_path / "p"


def test_a_picture_that_is_there_twice_is_looked_at_once(project: Path) -> None:
    backbone = FakeBackbone()
    with ProjectStore.open(project) as store:
        loaded = loaded_by(store, backbone)
        gathered = complete_features(store, loaded, told)
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
            gathered = complete_features(store, loaded, told)
            loaded.cache.close()
            expected = [read_image(sample.path) for sample in gathered.samples]
        np.testing.assert_array_equal(
            gathered.feature_set.features, FakeBackbone().extract(expected)
        )
    assert backbone.extracted == 6


def test_a_damaged_sample_is_left_out_and_named(project: Path) -> None:
    with ProjectStore.open(project) as store:
        damaged = store.samples()[1]
        damaged.path.write_bytes(b"no picture")
        loaded = loaded_by(store, FakeBackbone())
        gathered = complete_features(store, loaded, told)
        loaded.cache.close()
    assert damaged not in gathered.samples
    assert gathered.feature_set.counts == (3, 4)
    assert len(gathered.refused) == 1
    assert damaged.path.name in gathered.refused[0]


def test_a_project_that_another_program_has_open_is_read_and_not_changed(project: Path) -> None:
    with ProjectStore.open(project), open_for_reading(project) as store:
        assert store.read_only
        loaded = loaded_by(store, FakeBackbone())
        gathered = complete_features(store, loaded, told)
        train_project(store, loaded, gathered, HeadSettings(), told)
    assert not list((project / "cache").glob("features-*"))
    assert not (project / "model").exists()


def test_a_project_that_may_not_be_written_is_read(project: Path) -> None:
    project.chmod(0o555)
    if os.access(project, os.W_OK):
        pytest.skip("root may write everything")
    with open_for_reading(project) as store:
        assert store.read_only
        assert store.samples()
    project.chmod(0o755)


def test_the_trained_model_is_current_until_a_sample_comes(project: Path) -> None:
    with ProjectStore.open(project) as store:
        loaded = loaded_by(store, FakeBackbone())
        with pytest.raises(NotTrainedError, match="edge-classifier train"):
            trained_model(store, loaded)
        gathered = complete_features(store, loaded, told)
        train_project(store, loaded, gathered, HeadSettings(), told)
        assert trained_model(store, loaded)[1]
        store.add_sample(encode_image(image(5)), "a", store.next_burst_id())
        assert not trained_model(store, loaded)[1]
        loaded.cache.close()


def test_a_folder_that_is_no_project_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="There is no project"):
        open_for_reading(tmp_path / "nothing")


def test_the_steps_of_the_user_survive_training_and_come_with_the_model(project: Path) -> None:
    with ProjectStore.open(project) as store:
        for number in range(3):
            for name, first in (("a", 30), ("b", 40)):
                store.add_sample(encode_image(image(first + number)), name, store.next_burst_id())
        loaded = loaded_by(store, FakeBackbone())
        gathered = complete_features(store, loaded, told)
        measured = train_project(store, loaded, gathered, HeadSettings(), told).unknown
        store.update_settings(unknown_steps=2)
        trained = train_project(store, loaded, gathered, HeadSettings(), told).unknown
        again = trained_model(store, loaded)[0].unknown
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
            variation = Variation(cache, info.feature_dim)
            loaded = replace(loaded_by(store, backbone), variation=variation)
            variants = complete_features(store, loaded, told).feature_set.variants
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
        variation = Variation(cache, info.feature_dim)
        loaded = replace(loaded_by(store, backbone), variation=variation)
        held_out = complete_features(store, loaded, told, samples=store.samples()[:2])
        store.update_settings(head={"kind": "dense"})
        for_dense = complete_features(store, loaded, told)
        loaded.close()
    assert held_out.feature_set.variants is None
    assert for_dense.feature_set.variants is None
    assert backbone.extracted == 6


def test_picture_files_are_bursts_of_their_own_and_those_refused_are_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for number in (0, 2):
        cv2.imwrite(str(paths[number]), image(number))
    paths[1].write_bytes(b"no picture")
    parts: list[float] = []
    found, read, refused = picture_features(
        [(path, n % 2) for n, path in enumerate(paths)],
        FakeBackbone(),
        ("a", "b"),
        lambda done, _what=None: parts.append(done),
    )
    assert read == [paths[0], paths[2]]
    assert found.class_ids.tolist() == [0, 0]
    assert len(np.unique(found.burst_ids)) == 2
    np.testing.assert_array_equal(
        found.features, FakeBackbone().extract([read_image(path) for path in read])
    )
    assert len(refused) == 1
    assert paths[1].name in refused[0]
    assert parts == pytest.approx([1 / 3, 2 / 3, 1.0])


def adapted_project(path: Path) -> tuple[ProjectStore, LoadedBackbone]:
    """Teach two classes of eight pictures, and keep frames of both a little darker."""
    store = ProjectStore.create(path, ["a", "b"])
    for number, name in ((0, "a"), (10, "b")):
        burst_id = store.next_burst_id()
        for n in range(8):
            store.add_sample(encode_image(noisy(number, n)), name, burst_id)
    loaded = loaded_by(store, FakeBackbone())
    train_project(store, loaded, complete_features(store, loaded, told), HeadSettings(), told)
    dark = [(0.97 * noisy(number, n)).astype(np.uint8) for number in (0, 10) for n in range(20, 26)]
    loaded.adaptation.save(loaded.backbone.extract(dark))
    return store, loaded


def noisy(number: int, n: int) -> np.ndarray:
    noise = np.random.default_rng(1000 + n).integers(-50, 51, (30, 40, 3))
    return np.clip(image(number).astype(int) + noise, 0, 255).astype(np.uint8)


def test_a_project_stays_adapted_when_it_is_opened_or_trained_again(tmp_path: Path) -> None:
    store, loaded = adapted_project(tmp_path / "p")
    with store, loaded:
        model, fresh = trained_model(store, loaded)
        taught, _ = taught_model(store, loaded)
        assert fresh
        assert model.unadapted
        assert taught.unadapted is None
        before = [sample.path.read_bytes() for sample in store.samples()]
        store.add_sample(encode_image(noisy(0, 40)), "a", store.next_burst_id())
        gathered = complete_features(store, loaded, told)
        again = train_project(store, loaded, gathered, HeadSettings(), told)
        assert again.unadapted
        assert len(again.head.scores(gathered.feature_set.features)) == 17
        assert [sample.path.read_bytes() for sample in store.samples()][:8] == before[:8]
    with open_for_reading(tmp_path / "p") as store, loaded_by(store, FakeBackbone()) as loaded:
        assert trained_model(store, loaded)[0].unadapted
        assert taught_model(store, loaded)[0].unadapted is None


def test_the_frames_of_another_backbone_are_not_adapted_to(tmp_path: Path) -> None:
    store, loaded = adapted_project(tmp_path / "p")
    loaded.close()
    with store, loaded_by(store, FakeBackbone(32)) as other:
        gathered = complete_features(store, other, told)
        assert train_project(store, other, gathered, HeadSettings(), told).unadapted is None


def test_where_the_frames_no_longer_fit_it_answers_as_it_was_taught_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, loaded = adapted_project(tmp_path / "p")
    with store, loaded:
        gathered = complete_features(store, loaded, told)
        dense = HeadSettings(kind="dense", epochs=1)
        assert train_project(store, loaded, gathered, dense, told).unadapted is None
        assert "p is not adapted any more: Only the linear head" in caplog.text
        linear = train_project(store, loaded, gathered, HeadSettings(), told)
        assert linear.unadapted  # the frames are still there
