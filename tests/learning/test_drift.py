"""Drift is told from frames that are familiar, differ, and are of two classes at least."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.device.verdict import Prediction, normalise
from edge_classifier.learning.drift import DriftWatch

DIM = 32
DETECTOR = UnknownDetector(
    np.eye(2, DIM, dtype=np.float32),
    np.ones(2, np.float32),
    measured_threshold=0.7,
    measured_on_bursts=True,
    step=0.05,  # a typical known frame is 0.9 familiar
    stranger_level=0.3,
)


def row(number: int) -> npt.NDArray[np.float32]:
    """A frame like no other."""
    features = np.random.default_rng(number).normal(size=(1, DIM)).astype(np.float32)
    found: npt.NDArray[np.float32] = normalise(features)[0]
    return found


def says_drift(
    familiar: float, sure: float, *, frames: int = 40, classes: int = 2, alike: bool = False
) -> bool:
    """Let frames of some classes go by in turn; says whether drift was told of any of them."""
    watch = DriftWatch(DIM)
    told = False
    for number in range(frames):
        scores = np.full(2, 1 - sure, np.float32)
        scores[number % classes] = sure
        prediction = Prediction(("mug", "phone"), scores, familiar, DETECTOR.threshold)
        told |= watch.look(row(0 if alike else number), prediction, DETECTOR)
    return told


def test_frames_as_familiar_and_sure_as_those_taught_are_no_drift() -> None:
    assert not says_drift(familiar=0.95, sure=0.99, frames=500)


def test_frames_that_are_less_familiar_than_typical_ones_are() -> None:
    assert says_drift(familiar=0.8, sure=0.99)


def test_frames_that_are_familiar_but_not_sure_are() -> None:
    assert says_drift(familiar=0.95, sure=0.7)


def test_strangers_say_nothing_of_the_light() -> None:
    assert not says_drift(familiar=0.45, sure=0.7)


def test_one_class_alone_may_itself_be_what_has_changed() -> None:
    assert not says_drift(familiar=0.8, sure=0.7, classes=1)


def test_a_picture_that_stands_still_is_one_frame_however_long() -> None:
    assert not says_drift(familiar=0.8, sure=0.7, frames=500, alike=True)


def test_a_few_frames_are_not_enough() -> None:
    assert not says_drift(familiar=0.8, sure=0.7, frames=19)
