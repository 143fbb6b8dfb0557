"""What was recorded together is held out together, in whichever classes it is now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.live_session import scene
from support.picture_files import picture_bytes, write_zip

from edge_classifier.evaluation.cross_validation import burst_folds
from edge_classifier.export.samples import choose_samples
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.calibration import held_out_folds
from edge_classifier.learning.recordings import with_recordings
from edge_classifier.project.importers import open_importer
from edge_classifier.project.importers.adding import add
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.sample_files import recording_of
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import FeatureSet, Sample


def capture(store: ProjectStore, class_name: str, thing: int, count: int) -> list[Sample]:
    burst_id = store.next_burst_id()
    pictures = (encode_image(scene(thing, n)) for n in range(count))
    return [store.add_sample(picture, class_name, burst_id) for picture in pictures]


def rows_of(store: ProjectStore) -> tuple[tuple[Sample, ...], FeatureSet]:
    samples = store.samples()
    features = np.random.default_rng(0).normal(size=(len(samples), 8)).astype(np.float32)
    return samples, with_recordings(Dataset.of(store).labelled(samples, features))


@pytest.mark.parametrize("classes", [["mug", "phone"], ["phone", "mug"]])
@pytest.mark.parametrize("moved", [1, 3])
def test_the_parts_of_a_recording_are_never_on_both_sides(
    tmp_path: Path, classes: list[str], moved: int
) -> None:
    with ProjectStore.create(tmp_path / "project", classes) as store:
        first = capture(store, "mug", 1, 6)
        for thing, class_name in enumerate(("mug", "phone", "mug", "phone"), start=2):
            capture(store, class_name, thing, 4)
        store.move_samples(first[:moved], "phone")
    with ProjectStore.open(store.path) as store:
        samples, rows = rows_of(store)
        folds = burst_folds(rows)
        recorded = {s.image_sha256 for s in first}
        together = [n for n, s in enumerate(samples) if s.image_sha256 in recorded]
        assert len(together) == 6
        assert len({int(folds[n]) for n in together}) == 1
        assert len(set(rows.burst_ids.tolist())) == 5


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[ProjectStore]:
    """A project with a recording of which each of three classes has a part."""
    with ProjectStore.create(tmp_path / "project", ["mug", "phone", "cup"]) as store:
        capture(store, "phone", 1, 4)
        parts = capture(store, "mug", 2, 9)
        for thing, class_name in enumerate(("mug", "phone", "mug"), start=3):
            capture(store, class_name, thing, 4)
        store.move_samples(parts[:3], "phone")
        store.move_samples(parts[3:6], "cup")
    with ProjectStore.open(store.path) as store:
        yield store


def test_a_format_is_compared_on_no_part_of_a_recording_that_it_was_rounded_on(
    moved: ProjectStore,
) -> None:
    chosen = choose_samples(moved.snapshot(), ["int8"])
    sides = [
        {recording_of(sample.burst_id) for sample in samples}
        for samples in (chosen.calibrating, chosen.verifying)
    ]
    assert all(sides)
    assert sides[0].isdisjoint(sides[1])
    assert {sample.class_name for sample in chosen.calibrating} == {"mug", "phone", "cup"}


def test_confidence_is_measured_on_no_part_of_a_recording_that_was_learned_from(
    moved: ProjectStore,
) -> None:
    samples, rows = rows_of(moved)
    folds, _ = held_out_folds(rows.class_ids, rows.burst_ids, len(rows.class_names))
    parts = [n for n, s in enumerate(samples) if recording_of(s.burst_id) == "b0000002"]
    assert len(parts) == 9
    assert len(set(folds[parts].tolist())) == 1
    assert folds.max() > 0


def test_a_picture_that_had_to_take_another_name_is_still_of_its_recording(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "project", ["mug", "phone"]) as store:
        samples = capture(store, "mug", 1, 3)
        taken = store.path / "samples" / "phone"
        taken.mkdir()
        (taken / samples[0].path.name).write_bytes(b"in the way")
        (moved,) = store.move_samples(samples[:1], "phone")
        assert moved.path.name != samples[0].path.name
        assert recording_of(moved.burst_id) == recording_of(samples[1].burst_id)


@pytest.mark.parametrize(
    "name", ["+mug/a.jpg", "+mug/b0000001.jpg", "+mug/x/b0000001-0001 (2).txt", "b1", "007"]
)
def test_pictures_of_others_are_recordings_of_their_own(name: str) -> None:
    assert recording_of(name) == name


def test_an_import_goes_on_where_a_part_of_it_was_moved(tmp_path: Path) -> None:
    pictures = {f"mug-!-{n}.png": picture_bytes(n, "PNG") for n in range(6)}
    path = write_zip(tmp_path / "project.tm", pictures)
    with ProjectStore.create(tmp_path / "cut", ["phone", "mug"]) as store:
        add(store, open_importer(path), cancelled=lambda: len(store.samples()) == 3)
        store.move_samples(store.samples()[:1], "phone")
    with ProjectStore.open(tmp_path / "cut") as store:
        report = add(store, open_importer(path))
        assert (report.added_count, report.duplicates, len(report.refused)) == (3, 2, 1)
