from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import load_fake, scene

from edge_classifier.features.dataset import Dataset
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.live.feature_worker import FeatureWorker
from edge_classifier.live.loading import Ready
from edge_classifier.project.store import ProjectStore

PICTURES = 20


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project", ["mug"]) as store:
        for number in range(PICTURES):
            store.add_sample(store.encode(scene(number)), "mug", store.next_burst_id())
        yield store


@pytest.fixture
def ready(store: ProjectStore) -> Iterator[Ready]:
    loaded = load_fake(store, FakeBackbone())
    yield Ready(loaded, FeatureTable(loaded.backbone.info.feature_dim), None, "")
    loaded.close()


def dataset_of(store: ProjectStore) -> Dataset:
    return Dataset(("mug",), tuple(store.samples()))


def computing(
    store: ProjectStore, ready: Ready, executor: ManualExecutor, dataset: Dataset
) -> FeatureWorker:
    worker = FeatureWorker(store, executor)
    worker.use(ready)
    worker.start(dataset, ready.loaded.backbone)
    return worker


def test_one_step_takes_over_a_few_features_only_and_the_last_says_that_all_are_there(
    store: ProjectStore, ready: Ready
) -> None:
    executor = ManualExecutor()
    worker = computing(store, ready, executor, dataset_of(store))
    executor.run_all()
    assert [(worker.poll(), len(ready.table)) for _ in range(4)] == [
        (False, 8),
        (False, 16),
        (True, PICTURES),
        (False, PICTURES),
    ]


def test_features_of_the_backbone_before_are_not_taken_for_those_of_another(
    store: ProjectStore, ready: Ready
) -> None:
    executor = ManualExecutor()
    worker = computing(store, ready, executor, dataset_of(store))
    executor.run_all()
    worker.abandon()
    other = FeatureTable(ready.table.feature_dim)
    worker.use(Ready(ready.loaded, other, None, ""))
    assert not worker.poll()
    assert len(other) == 0


def test_a_picture_that_was_refused_and_then_removed_is_not_told(
    store: ProjectStore, ready: Ready
) -> None:
    dataset = dataset_of(store)
    first, second = dataset.samples[:2]
    for sample in (first, second):
        sample.path.write_bytes(b"damaged")
    executor = ManualExecutor()
    worker = computing(store, ready, executor, dataset)
    executor.run_all()
    for _ in range(3):
        worker.poll()
    left = Dataset(("mug",), tuple(s for s in dataset.samples if s != first))
    assert worker.tell_refused(left) == f"1 picture cannot be read: mug/{second.path.name}"
    assert worker.tell_refused(left) == ""
