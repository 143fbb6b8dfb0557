from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import load_fake, scene

from edge_classifier.features.dataset import Dataset
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.live.sample_features import FeatureStage
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.samples import Samples
from edge_classifier.project.store import ProjectStore

PICTURES = 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project", ["mug"]) as store:
        for number in range(PICTURES):
            store.add_sample(encode_image(scene(number)), "mug", store.next_burst_id())
        yield store


@pytest.fixture
def loaded(store: ProjectStore) -> Iterator[LoadedBackbone]:
    loaded = load_fake(store, FakeBackbone())
    yield loaded
    loaded.close()


def dataset_of(store: ProjectStore) -> Dataset:
    return Dataset(("mug",), store.now())


def computing(
    loaded: LoadedBackbone, executor: ManualExecutor, dataset: Dataset
) -> tuple[FeatureStage, FeatureTable]:
    stage = FeatureStage(executor)
    table = FeatureTable(loaded.backbone.info.feature_dim)
    stage.use(table, loaded.cache)
    stage.start(dataset, loaded.backbone, table)
    return stage, table


def test_one_step_takes_over_a_few_features_only_and_the_last_says_that_all_are_there(
    store: ProjectStore, loaded: LoadedBackbone
) -> None:
    executor = ManualExecutor()
    stage, table = computing(loaded, executor, dataset_of(store))
    executor.run_all()
    assert [(stage.take_over(), len(table)) for _ in range(4)] == [
        (False, 8),
        (False, 16),
        (True, PICTURES),
        (False, PICTURES),
    ]


def test_features_of_the_backbone_before_are_not_taken_for_those_of_another(
    store: ProjectStore, loaded: LoadedBackbone
) -> None:
    executor = ManualExecutor()
    stage, table = computing(loaded, executor, dataset_of(store))
    executor.run_all()
    stage.abandon()
    other = FeatureTable(table.feature_dim)
    stage.use(other, loaded.cache)
    assert not stage.take_over()
    assert len(other) == 0


def test_a_picture_that_was_refused_and_then_removed_is_not_told(
    store: ProjectStore, loaded: LoadedBackbone
) -> None:
    dataset = dataset_of(store)
    first, second = dataset.samples[:2]
    for sample in (first, second):
        sample.path.write_bytes(b"damaged")
    executor = ManualExecutor()
    stage, _ = computing(loaded, executor, dataset)
    executor.run_all()
    for _ in range(3):
        stage.take_over()
    left = Dataset(("mug",), Samples.of(s for s in dataset.samples if s != first))
    assert stage.tell_refused(left) == f"1 picture cannot be read: mug/{second.path.name}"
    assert stage.tell_refused(left) == ""
