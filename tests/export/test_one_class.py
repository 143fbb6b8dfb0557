"""A project of a single class: that, or unknown, from the live path to the device."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES, HELD_OUT, picture

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.export.formats import LIMITS

pytestmark = pytest.mark.slow

ONE = CLASSES[:1]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one") / "ball"
    exported_project.teach(path, classes=ONE).store.close()
    return path


@pytest.fixture(scope="module")
def one_class_bundle(project: Path) -> Path:
    out = project.with_name("bundle")
    assert main(["export", str(project), "--format", "all", "-o", str(out)]) == 0
    return out


@pytest.mark.parametrize("model_format", LIMITS)
def test_every_file_tells_it_from_anything_else(one_class_bundle: Path, model_format: str) -> None:
    classifier = Classifier(Bundle.open(one_class_bundle), model_format)
    known = [classifier.predict(picture(0, number)) for number in range(90, 90 + HELD_OUT)]
    others = [classifier.predict(picture(class_id, 50)) for class_id in (1, 2)]
    assert [answer.label for answer in known] == [*ONE] * HELD_OUT
    assert [answer.label for answer in others] == ["unknown"] * 2
    for answer in (*known, *others):
        assert answer.confidence == pytest.approx(answer.similarity)


def test_verifying_compares_verdicts_and_how_familiar_pictures_are(
    one_class_bundle: Path, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(one_class_bundle), str(project)]) == 0
    assert main(["verify", str(one_class_bundle)]) == 0
    copy = Path(shutil.copytree(one_class_bundle, tmp_path / "copy"))
    spec = json.loads((copy / "spec.json").read_text())
    spec["references"][0]["similarities"]["float32"] -= 0.2
    (copy / "spec.json").write_text(json.dumps(spec))
    capsys.readouterr()
    assert main(["verify", str(copy)]) == 4
    assert "FAILED" in capsys.readouterr().out


def test_commands_say_that_or_unknown(
    project: Path, one_class_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, class_id in enumerate((0, 1)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(class_id, 60))
    for asked in (project, one_class_bundle):
        assert main(["predict", str(asked), str(tmp_path), "--json"]) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [a["unknown"] for a in answers] == [False, True]
        assert [a["score"] for a in answers] == [a["similarity"] for a in answers]
    assert main(["run", str(one_class_bundle), str(tmp_path), "--no-window"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["label"] for line in lines] == [*ONE, "unknown"]
    for line, answer in zip(lines, answers, strict=True):
        assert line["score"] == line["scores"][ONE[0]] == pytest.approx(answer["score"], abs=1e-3)


def test_evaluating_tells_how_often_it_is_recognised(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert main(["evaluate", str(project), "--report", str(report)]) == 0
    said = capsys.readouterr().out
    assert "recognised 100.0%" in said
    assert "not how often something else is taken for it" in said
    assert "calibration" not in said
    page = report.read_text(encoding="utf-8")
    assert "Confusion matrix" not in page
    assert "recognised" in page
    assert main(["evaluate", str(project), "--cross-validate", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == 1 - found["unknown_rate"]
    assert found["classes"][0]["precision"] is None


def test_what_needs_two_classes_says_so_in_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(project), "--fine-tune"]) == 1
    assert "needs samples of at least 2, there is 1" in capsys.readouterr().err


def test_the_dense_head_tells_it_from_anything_else_too(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    assert main(["train", str(copy), "--head", "dense"]) == 0
    for number, class_id in enumerate((0, 1)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(class_id, 60))
    capsys.readouterr()
    pictures = [str(tmp_path / f"{number}.png") for number in (0, 1)]
    assert main(["predict", str(copy), *pictures, "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [a["unknown"] for a in answers] == [False, True]
    assert np.allclose([a["score"] for a in answers], [a["similarity"] for a in answers])


def test_a_device_adapts_it_once_and_does_not_follow_it(
    one_class_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(one_class_bundle, tmp_path / "copy"))
    shown = tmp_path / "shown"
    shown.mkdir()
    for number in range(20):
        dim = np.asarray(picture(0, 200 + number) * np.array([0.5, 0.6, 0.65]), np.uint8)
        cv2.imwrite(str(shown / f"{number:02}.png"), dim)
    assert main(["run", str(copy), str(shown), "--no-window", "--adapt", "follow"]) == 1
    assert "--adapt follow needs 2 classes" in capsys.readouterr().err
    assert main(["run", str(copy), str(shown), "--no-window", "--adapt", "once"]) == 0
    said = capsys.readouterr()
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert "1 of 1 class seen" in said.err
    assert "adapted" not in answers[0]
    assert answers[-1]["adapted"] is True
    assert answers[-1]["label"] == CLASSES[0]
