"""What those are told who watch many devices: of a real bundle, by a clock that stands still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.answers import NAMES

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.device_report import MOST_BYTES, OK, DeviceReport
from edge_classifier.device.requests import PAUSED
from edge_classifier.device.verdict import Prediction


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    return Classifier(Bundle.open(bundle), "float32")


@pytest.fixture
def report(classifier: Classifier) -> DeviceReport:
    return DeviceReport(classifier, clock=lambda: 0.0)


def show(report: DeviceReport, index: int, label: int = 0, names: tuple[str, ...] = NAMES) -> None:
    scores = np.zeros(len(names), np.float32)
    scores[label] = 1.0
    frame = Frame(np.zeros((4, 4, 3), np.uint8), index, 0.0)
    assert report.show(frame, Prediction(names, scores))


def told(report: DeviceReport, health: str = OK) -> dict[str, Any]:
    text = report.due(health, 0.0, anew=True)
    assert text is not None
    content: dict[str, Any] = json.loads(text)
    return content


def test_it_names_bundle_model_and_version(report: DeviceReport, bundle: Path) -> None:
    spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    about = told(report, "camera 0 is lost")
    assert about["report"] == 1
    assert (about["bundle"], about["name"]) == (bundle.name, spec["name"])
    assert about["model"] == spec["models"]["float32"]["sha256"]
    assert about["version"] == spec["made_with"]["edge-classifier"]
    assert about["health"] == "camera 0 is lost"


def test_frames_answers_and_what_was_dropped_are_counted(report: DeviceReport) -> None:
    for index, label in ((0, 0), (1, 1), (1, 0), (4, 0)):  # two regions of the second frame
        show(report, index, label)
    about = told(report)
    assert (about["frames"], about["dropped"]) == (3, 2)
    assert about["answers"] == {NAMES[0]: 3, NAMES[1]: 1}


def test_what_goes_by_while_it_is_paused_is_not_dropped(report: DeviceReport) -> None:
    show(report, 0)
    report.wait(PAUSED)
    show(report, 900)
    report.wait("")  # no frame has come for a moment
    show(report, 902)
    assert told(report)["dropped"] == 1


def test_it_is_due_at_changes_and_else_every_half_minute_if_anything_was_counted(
    report: DeviceReport, bundle: Path
) -> None:
    assert report.due(OK, 0.0)
    show(report, 0)
    assert not report.due(OK, 29.0)
    assert report.due(OK, 30.0)
    assert not report.due(OK, 90.0)
    assert report.due("camera 0 gave no frame for 2 s", 91.0)
    assert not report.due("camera 0 gave no frame for 3 s", 92.0)
    assert report.due(PAUSED, 93.0)
    report.exchanged(Classifier(Bundle.open(bundle), "int8"))
    assert report.due(PAUSED, 94.0)
    assert not report.due(PAUSED, 95.0)
    assert report.due(PAUSED, 96.0, anew=True)


def test_it_stays_short_whatever_the_labels_are(report: DeviceReport) -> None:
    names = tuple(f"{'🌱' * 1000}{n}" for n in range(300))
    for label in range(300):
        show(report, label, label, names)
    text = report.due("x" * 100_000, 0.0)
    assert text is not None
    assert len(text.encode()) < MOST_BYTES
