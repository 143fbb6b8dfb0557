from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture

from edge_classifier.commands.cli import main
from edge_classifier.commands.predictors import (
    BundlePredictor,
    ModelPredictor,
    is_bundle,
    predict_all,
)
from edge_classifier.device.bundle import Bundle
from edge_classifier.errors import ExportError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.model_file import FileModelStore


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for class_id in range(len(CLASSES)):
        paths.append(folder / f"{class_id}.png")
        cv2.imwrite(str(paths[-1]), picture(class_id, 70))
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    paths.append(folder / "noise.png")
    cv2.imwrite(str(paths[-1]), noise)
    return paths


def test_a_bundle_answers_as_the_project_does(
    taught_project: Path, bundle: Path, pictures: list[Path]
) -> None:
    of_bundle = BundlePredictor(Bundle.open(bundle))
    backbone = load_backbone("built-in")
    stored = FileModelStore(taught_project / "model").load(backbone_key=backbone.info.key)
    assert stored is not None
    of_project = ModelPredictor(backbone, stored[0])
    assert is_bundle(bundle)
    assert of_bundle.class_names == of_project.class_names == CLASSES
    for left, right in zip(
        predict_all(of_bundle, pictures), predict_all(of_project, pictures), strict=True
    ):
        assert left.prediction is not None
        assert right.prediction is not None
        np.testing.assert_allclose(left.prediction.scores, right.prediction.scores, atol=1e-3)
        assert left.prediction.similarity == pytest.approx(right.prediction.similarity, abs=1e-3)
        assert left.prediction.unknown == right.prediction.unknown


def test_the_command_takes_a_bundle_in_place_of_a_project(
    bundle: Path, pictures: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(bundle), *map(str, pictures), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [a["class_name"] for a in answers[:3]] == list(CLASSES)
    assert [a["unknown"] for a in answers] == [False, False, False, True]


def test_a_damaged_bundle_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.json").write_text("{", encoding="utf-8")
    with pytest.raises(ExportError):
        BundlePredictor(Bundle.open(tmp_path))
    assert main(["predict", str(tmp_path), "a.jpg"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
