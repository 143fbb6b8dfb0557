"""What a split by burst says of near-duplicates, and what a random split would have said."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.shared_data import shared_folder

from edge_classifier.demo.scene import POSES, DemoScene
from edge_classifier.device.preprocessing import Image
from edge_classifier.evaluation.cross_validation import cross_validate
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.training import train
from edge_classifier.protocols import Backbone
from edge_classifier.values import FeatureSet

FRAME_S = 1 / 15


def poses(backbone: Backbone, takes: range, per_burst: int = 5, seed: int = 0) -> FeatureSet:
    """Record the demo's phone, a burst a take; its pose is the class, all else differs by take."""
    scene = DemoScene(seed)
    images, class_ids, bursts = [], [], []
    for take in takes:
        for n in range(per_burst):
            images.append(scene.image("phone", 1 + n * FRAME_S, take))
            class_ids.append(take % POSES)
            bursts.append(f"b{take:07d}")
    return FeatureSet(
        backbone.extract(images),
        np.array(class_ids, np.int64),
        np.array(bursts, np.str_),
        tuple(f"pose {n}" for n in range(POSES)),
    )


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("built-in")


def accuracy(feature_set: FeatureSet) -> float:
    found = cross_validate(feature_set)
    assert found.evaluation is not None
    assert len(found.evaluation) == len(feature_set)
    return found.evaluation.accuracy


def accuracy_of_random_split(feature_set: FeatureSet) -> float:
    """Do what the split by burst does, but for frames that know nothing of their bursts."""
    return accuracy(replace(feature_set, burst_ids=np.arange(len(feature_set)).astype(np.str_)))


@pytest.mark.slow
def test_on_near_duplicates_a_random_split_promises_what_new_bursts_do_not_keep(
    backbone: Backbone,
) -> None:
    recorded = poses(backbone, range(3 * POSES))
    by_burst, by_frame = accuracy(recorded), accuracy_of_random_split(recorded)
    assert by_frame > by_burst + 0.2
    to_come = poses(backbone, range(3 * POSES, 4 * POSES))
    scores = train(recorded).head.scores(to_come.features)
    kept = float((scores.argmax(axis=1) == to_come.class_ids).mean())
    assert abs(by_burst - kept) < abs(by_frame - kept)


def frames(name: str) -> list[Image]:
    capture = cv2.VideoCapture(str(shared_folder("data", "clips", name)))
    found = []
    while (read := capture.read())[0]:
        found.append(np.asarray(read[1], np.uint8))
    capture.release()
    return found


def test_in_clips_of_several_people_too(backbone: Backbone) -> None:
    """Hands at rest or signing: the first and last frames of each clip, and those between."""
    images, class_ids, bursts = [], [], []
    for clip in sorted(shared_folder("data", "clips").glob("sign_*.mkv")):
        every = frames(clip.name)
        middle = np.linspace(len(every) * 0.4, len(every) * 0.65, 12).astype(int)
        for label, numbers in (
            (0, range(6)),
            (0, range(len(every) - 6, len(every))),
            (1, middle.tolist()),
        ):
            images += [every[n] for n in numbers]
            class_ids += [label] * len(numbers)
            bursts += [f"{clip.stem}-{numbers[0]}"] * len(numbers)
    feature_set = FeatureSet(
        backbone.extract(images),
        np.array(class_ids, np.int64),
        np.array(bursts, np.str_),
        ("rest", "signing"),
    )
    assert accuracy_of_random_split(feature_set) > accuracy(feature_set) + 0.1
