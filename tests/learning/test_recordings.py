"""Frames of one recording, found among pictures that nobody said belong together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.shared_data import shared_folder

from edge_classifier.demo.scene import DemoScene
from edge_classifier.device.preprocessing import Image
from edge_classifier.evaluation.cross_validation import cross_validate
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.recordings import (
    added_pictures,
    recordings_of_thumbnails,
    with_recordings,
)
from edge_classifier.learning.training import train
from edge_classifier.project.picture_file import read_image
from edge_classifier.protocols import Backbone
from edge_classifier.values import FeatureSet


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("built-in")


@pytest.fixture(scope="module")
def takes(backbone: Backbone) -> dict[tuple[str, int], np.ndarray]:
    """Record three things in two takes each: the features of 20 frames, 5 a second."""
    scene = DemoScene(0)
    return {
        (thing, take): backbone.extract([scene.image(thing, 1 + n / 5, take) for n in range(20)])
        for thing in ("mug", "phone", "leaf")
        for take in (0, 1)
    }


def one_by_one(*classes: np.ndarray) -> FeatureSet:
    """Add pictures, each a burst by itself."""
    counts = [len(of_class) for of_class in classes]
    return FeatureSet(
        np.concatenate(classes).astype(np.float32),
        np.repeat(np.arange(len(classes)), counts),
        np.arange(sum(counts)).astype(np.str_),
        tuple(f"class {n}" for n in range(len(classes))),
    )


def sizes(feature_set: FeatureSet, class_id: int) -> list[int]:
    """Give the sizes of a class's bursts as they are found, the largest first."""
    found = with_recordings(feature_set).burst_ids[feature_set.class_ids == class_id]
    return sorted(np.unique(found, return_counts=True)[1].tolist(), reverse=True)


def read(folder: Path) -> list[Image]:
    paths = [p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"}]
    paths.sort(key=lambda path: (len(path.name), path.name))
    return [read_image(path) for path in paths]


def of_folders(backbone: Backbone, folders: Sequence[Path]) -> FeatureSet:
    return one_by_one(*(backbone.extract(read(folder)) for folder in folders))


def test_frames_of_a_take_are_one_recording_with_the_id_of_the_first(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    added = one_by_one(takes["mug", 0], takes["phone", 0], takes["leaf", 0])
    assert [sizes(added, n) for n in range(3)] == [[20], [20], [20]]
    assert with_recordings(added).burst_ids.tolist() == ["0"] * 20 + ["20"] * 20 + ["40"] * 20


def test_two_classes_added_in_turns_are_still_a_recording_each(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    added = one_by_one(takes["mug", 0], takes["phone", 0])
    turns = np.arange(40).reshape(2, 20).T.ravel()
    found = with_recordings(added.subset(turns))
    assert len(set(found.burst_ids.tolist())) == 2
    for class_id in (0, 1):
        assert len(set(found.burst_ids[found.class_ids == class_id].tolist())) == 1


def test_names_that_are_hashes_hide_no_recording(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    shuffled = np.random.default_rng(0).permutation(20)
    added = one_by_one(takes["mug", 0][shuffled], takes["phone", 0][shuffled])
    assert [sizes(added, n)[0] > 15 for n in (0, 1)] == [True, True]


def test_few_frames_seconds_apart_are_a_recording_too(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    added = one_by_one(*(takes[thing, 0][::2] for thing in ("mug", "phone", "leaf")))
    assert [sizes(added, n) for n in range(3)] == [[10], [10], [10]]


def test_a_thing_that_stands_still_is_a_recording(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    noise = np.random.default_rng(0).normal(1, 0.05, (20, takes["mug", 0].shape[1]))
    still = takes["mug", 0][:1] * noise.astype(np.float32)
    assert sizes(one_by_one(still, takes["phone", 0]), 0) == [20]


def test_the_same_picture_twice_is_one_burst_and_the_others_stay_single(
    backbone: Backbone,
) -> None:
    clothes = shared_folder("data", "clothing", "test")
    features = backbone.extract(read(clothes / "dress"))
    twice = np.concatenate([features, features[:1]])
    assert sizes(one_by_one(twice, backbone.extract(read(clothes / "hat"))), 0)[:2] == [2, 1]


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("clothing/train", ("dress", "hat", "longsleeve", "outwear", "pants", "shirt")),
        ("article/pexel-images/training", ("mobile", "notebook", "wood")),
        ("azure_custom_vision", ("Hemlock", "Japanese_Cherry")),
        ("sign_digits", ("0", "1", "2", "3", "4", "5")),  # a person each
    ],
)
def test_unrelated_pictures_are_single_ones(
    backbone: Backbone, folder: str, names: tuple[str, ...]
) -> None:
    data = shared_folder("data", *folder.split("/"))
    added = of_folders(backbone, [data / name for name in names])
    found = added_pictures(added.burst_ids, with_recordings(added).burst_ids)
    assert found.singles >= 0.9 * found.pictures


def test_clips_of_several_people_are_a_recording_each(backbone: Backbone) -> None:
    clips = sorted(shared_folder("data", "clips").glob("sign_*.mkv"))[:4]
    features = []
    for clip in clips:
        capture = cv2.VideoCapture(str(clip))
        frames = []
        while (answer := capture.read())[0]:
            frames.append(np.asarray(answer[1], np.uint8))
        capture.release()
        features.append(backbone.extract(frames[::3]))
    added = one_by_one(np.concatenate(features[:2]), np.concatenate(features[2:]))
    for class_id in (0, 1):
        assert len(sizes(added, class_id)) == 2


def test_what_was_recorded_stays_as_it_was_recorded(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    added = one_by_one(takes["mug", 0], takes["phone", 0])
    halves = np.repeat(["b0000001", "b0000002"], [10, 10])
    recorded = FeatureSet(
        added.features,
        added.class_ids,
        np.concatenate([halves, added.burst_ids[20:]]),
        added.class_names,
    )
    found = with_recordings(recorded).burst_ids
    assert found[:20].tolist() == halves.tolist()
    assert len(set(found[20:].tolist())) == 1


def test_nothing_and_a_single_picture_can_be_added(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    nothing = one_by_one(takes["mug", 0][:0], takes["phone", 0][:0])
    assert len(with_recordings(nothing)) == 0
    one = one_by_one(takes["mug", 0][:1], takes["phone", 0][:1])
    assert with_recordings(one).burst_ids.tolist() == ["0", "1"]


def test_known_frames_are_judged_as_after_a_recorded_burst(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    things = ("mug", "phone", "leaf")
    added = one_by_one(*(takes[thing, 0] for thing in things))
    later = np.concatenate([takes[thing, 1] for thing in things])
    refused = {
        name: float(np.mean([p.unknown for p in train(feature_set).predict(later)]))
        for name, feature_set in (("single", added), ("found", with_recordings(added)))
    }
    recorded = FeatureSet(
        added.features, added.class_ids, added.class_ids.astype(np.str_), added.class_names
    )
    assert refused["found"] < refused["single"]
    assert refused["found"] == np.mean([p.unknown for p in train(recorded).predict(later)])


def test_validation_no_longer_promises_what_another_take_does_not_keep(
    takes: dict[tuple[str, int], np.ndarray],
) -> None:
    added = one_by_one(takes["mug", 0], takes["phone", 0])
    promised = cross_validate(added).evaluation
    assert promised is not None
    assert promised.accuracy == 1
    assert cross_validate(with_recordings(added)).untested == added.class_names


@pytest.mark.parametrize("alike", [0.05, 3.0])
def test_twenty_thousand_pictures_are_looked_at_in_seconds(alike: float) -> None:
    random = np.random.default_rng(0)
    steps = random.normal(0, alike, (20_000, 256)).astype(np.float32)
    added = one_by_one(np.abs(np.cumsum(steps, axis=0) + 30 * random.random(256, np.float32)))
    started = time.process_time()
    found = with_recordings(added)
    assert time.process_time() - started < 20
    assert added_pictures(added.burst_ids, found.burst_ids).pictures == 20_000


def test_thumbnails_tell_recordings_before_there_are_features() -> None:
    scene = DemoScene(0)

    def small(picture: Image) -> np.ndarray:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA), np.uint8)

    frames = {
        thing: [small(scene.image(thing, 1 + n / 5)) for n in range(12)]
        for thing in ("mug", "phone")
    }
    random = np.random.default_rng(0)
    unlike = [random.integers(0, 256, (16, 16)).astype(np.uint8) for _ in range(14)]
    found = recordings_of_thumbnails({**frames, "things": unlike})
    assert found.line == "38 pictures: 2 recordings and 14 single pictures"
    assert recordings_of_thumbnails({}).line == ""
