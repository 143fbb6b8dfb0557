from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.errors import InvalidValueError
from edge_classifier.features.dataset import Dataset
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.samples import Samples
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


def sample(class_name: str, burst: int, index: int) -> Sample:
    name = f"{burst:03d}-{index:03d}"
    return Sample(class_name, f"{burst:03d}", Path(f"{name}.jpg"), f"hash-{class_name}-{name}")


MUGS = [sample("mug", 1, 0), sample("mug", 1, 1), sample("mug", 3, 0)]
PHONES = [sample("phone", 2, 0)]
DATASET = Dataset(("mug", "phone", "leaf"), Samples.of((*MUGS, *PHONES)))


def filled_table() -> FeatureTable:
    table = FeatureTable(2)
    for number, one in enumerate(DATASET.samples):
        table.add(one.image_sha256, np.array([number, 1], np.float32))
    return table


def test_counts_and_newest_are_by_class() -> None:
    assert [DATASET.count(name) for name in DATASET.class_names] == [3, 1, 0]
    assert DATASET.newest("mug") == MUGS[2]
    assert DATASET.newest("leaf") is None
    assert DATASET.captured_classes == ("mug", "phone")


def test_the_last_burst_is_the_newest_over_all_classes() -> None:
    assert DATASET.last_burst == (MUGS[2],)
    assert Dataset(("mug",), Samples.of(())).last_burst == ()


def test_bursts_are_counted_by_class() -> None:
    assert DATASET.burst_count("mug") == 2
    assert DATASET.burst_count("leaf") == 0


def test_a_feature_set_names_only_classes_that_have_features() -> None:
    feature_set = DATASET.feature_set(filled_table())
    assert feature_set.class_names == ("mug", "phone")
    assert feature_set.counts == (3, 1)
    assert feature_set.features[:, 0].tolist() == [0, 1, 2, 3]
    assert feature_set.burst_ids.tolist() == ["001", "001", "003", "002"]


def test_samples_without_features_are_left_out_not_guessed() -> None:
    table = FeatureTable(2)
    table.add(MUGS[1].image_sha256, np.zeros(2, np.float32))
    assert len(DATASET.feature_set(table)) == 1


def test_the_fingerprint_changes_with_samples_classes_and_order() -> None:
    others = [
        Dataset(DATASET.class_names, Samples.of(DATASET.samples[:-1])),
        Dataset(("mug", "phone"), DATASET.samples),
        Dataset(("phone", "mug", "leaf"), DATASET.samples),
    ]
    assert len({DATASET.fingerprint, *(d.fingerprint for d in others)}) == 4
    assert Dataset(DATASET.class_names, DATASET.samples).fingerprint == DATASET.fingerprint


def test_what_a_project_keeps_of_a_review_counts_as_long_as_the_picture_is_there(
    tmp_path: Path,
) -> None:
    store = ProjectStore.create(tmp_path / "things", ("mug",))
    burst = store.next_burst_id()
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (24, 32, 3), np.uint8) for _ in range(3)]
    first, second, _ = [store.add_sample(encode_image(p), "mug", burst) for p in pictures]
    before = Dataset.of(store)
    assert before.reviewed == frozenset()
    store.update_settings(reviewed=[first.image_sha256, "another", 7])
    dataset = Dataset.of(store)
    assert dataset.reviewed == {first.image_sha256}
    assert dataset.fingerprint != before.fingerprint
    labelled = dataset.labelled(dataset.samples, np.zeros((3, 2), np.float32))
    assert labelled.reviewed is not None
    assert labelled.reviewed.tolist() == [True, False, False]
    with pytest.raises(InvalidValueError, match="Expected 3 booleans"):
        replace(labelled, reviewed=labelled.reviewed[:2])
    store.update_settings(reviewed="not a list")
    assert Dataset.of(store).fingerprint == before.fingerprint
    assert list(Dataset.of(store, (second,)).samples) == [second]
    store.close()


def test_a_table_keeps_what_it_has_while_it_grows() -> None:
    table = FeatureTable(3)
    rows = np.arange(600, dtype=np.float32).reshape(200, 3)
    for number, row in enumerate(rows):
        table.add(str(number), row)
    assert len(table) == 200
    np.testing.assert_array_equal(table.take([str(n) for n in range(200)]), rows)


def test_adding_a_known_image_changes_nothing() -> None:
    table = FeatureTable(1)
    table.add("a", np.array([1], np.float32))
    table.add("a", np.array([2], np.float32))
    assert table.take(["a"]).tolist() == [[1.0]]


def test_a_table_takes_over_an_array_and_still_grows() -> None:
    table = FeatureTable(2)
    table.fill(["a", "b"], np.ones((2, 2), np.float32))
    table.add("c", np.zeros(2, np.float32))
    assert table.take(["c", "a"]).tolist() == [[0, 0], [1, 1]]


def test_an_array_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="2 features"):
        FeatureTable(2).fill(["a"], np.ones((1, 3), np.float32))
