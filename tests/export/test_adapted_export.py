"""A project that was adapted to another light is exported as it answers there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.preprocessing import Image
from edge_classifier.learning.model import Model
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import Backbone, ignore_progress

pytestmark = pytest.mark.slow

SHOWN = range(200, 212)
ASKED = range(300, 306)


def in_the_evening(class_id: int, number: int) -> Image:
    """A picture of a class by lamplight, smoothed as by a phone's camera."""
    warm = picture(class_id, number) * np.array([0.6, 0.75, 0.9])
    return np.asarray(cv2.GaussianBlur(warm.astype(np.uint8), (5, 5), 0), np.uint8)


def adapt(project: Path) -> tuple[Model, Model, Backbone]:
    """Adapt a project to the evening; returns the model before and after."""
    with (
        ProjectStore.open(project) as store,
        load_project_backbone(store, BackboneChoice(), ignore_progress, may_change=False) as loaded,
    ):
        before, _ = trained_model(store, loaded)
        shown = [in_the_evening(c, n) for c in range(len(CLASSES)) for n in SHOWN]
        loaded.adaptation.save(loaded.backbone.extract(shown))
        after, _ = trained_model(store, loaded)
        return before, after, loaded.backbone


@pytest.fixture(scope="module")
def project(taught_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapted") / "things"
    shutil.copytree(taught_project, path)
    assert main(["train", str(path)]) == 0  # with strangers
    return path


def test_the_device_says_what_the_adapted_project_says(project: Path, tmp_path: Path) -> None:
    before, after, backbone = adapt(project)
    out = tmp_path / "bundle"
    assert main(["export", str(project), "-o", str(out)]) == 0
    classifier = Classifier(Bundle.open(out))
    moved = 0.0
    for class_id in range(len(CLASSES)):
        for number in ASKED:
            image = in_the_evening(class_id, number)
            features = backbone.extract([image])
            here, there = after.predict(features)[0], classifier.predict(image)
            assert there.scores == pytest.approx(here.scores, abs=1e-4)
            assert there.similarity == pytest.approx(here.similarity, abs=1e-4)
            assert there.threshold == pytest.approx(here.threshold, abs=1e-6)
            taught = before.predict(features)[0].similarity
            assert here.similarity is not None
            assert taught is not None
            moved = max(moved, abs(here.similarity - taught))
    assert moved > 0.01  # it is the adapted one that agrees


def test_the_bundle_says_that_it_is_adapted_and_is_verified_against_that(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapt(project)
    out = tmp_path / "bundle"
    assert main(["export", str(project), "-o", str(out)]) == 0
    adapted = json.loads((out / "spec.json").read_text(encoding="utf-8"))["adapted"]
    assert adapted["frames"] == len(CLASSES) * len(SHOWN)
    assert list(adapted["seen"]) == list(CLASSES)
    assert min(adapted["seen"].values()) >= 3
    assert main(["verify", str(out), str(project)]) == 0
    with (
        ProjectStore.open(project) as store,
        load_project_backbone(store, BackboneChoice(), ignore_progress, may_change=False) as loaded,
    ):
        loaded.adaptation.remove()
    capsys.readouterr()
    assert main(["verify", str(out), str(project)]) == 1
    assert "was exported from another model" in capsys.readouterr().err


def test_a_bundle_of_a_project_that_is_not_adapted_says_so(bundle: Path) -> None:
    assert json.loads((bundle / "spec.json").read_text(encoding="utf-8"))["adapted"] is None
