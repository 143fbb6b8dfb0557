"""A project exported to other frameworks: whole folders, right answers, programs that run."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES
from support.mounts import fill, small_disk

from edge_classifier.commands.cli import main
from edge_classifier.errors import CancelledError, ExportError, WeightsNotFoundError
from edge_classifier.export.elsewhere.exporter import export_elsewhere
from edge_classifier.export.elsewhere.format import ElsewhereFormat, Original, mark_of
from edge_classifier.export.elsewhere.formats import ELSEWHERE
from edge_classifier.export.replay import replay_live
from edge_classifier.features.backbone import LiteRTBackbone
from edge_classifier.features.catalogue import official
from edge_classifier.features.subsample import spread_samples
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import ignore_progress, never_cancelled

pytestmark = pytest.mark.slow

WITHOUT_TF2ONNX = pytest.mark.skipif(
    find_spec("tf2onnx") is None, reason="tf2onnx is not installed (the extra `onnx`)"
)
FORMATS = [
    "keras",
    pytest.param("onnx", marks=WITHOUT_TF2ONNX),
    pytest.param("saved-model", marks=pytest.mark.long),
    pytest.param("tfjs", marks=pytest.mark.long),
]

OWN = "own.py"
"""What somebody has put into a folder of ours."""


@pytest.fixture(scope="module")
def exported(taught_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give what exports the project as one of the formats, once each, over an older folder."""
    made: dict[str, Path] = {}

    def export(name: str) -> Path:
        if name not in made:
            out = tmp_path_factory.mktemp(name)
            (out / "expected.json").write_text(json.dumps({"format": mark_of(name)}))
            (out / ELSEWHERE[name].files[0]).write_text("old")
            (out / OWN).write_text("mine")
            assert main(["export", str(taught_project), "--format", name, "-o", str(out)]) == 0
            made[name] = out
        return made[name]

    return export


@pytest.fixture
def original(taught_project: Path) -> Original:
    with (
        ProjectStore.open(taught_project) as store,
        load_project_backbone(store, BackboneChoice(), ignore_progress, may_change=False) as loaded,
    ):
        model, _ = trained_model(store, loaded)
        project, backbone = store.snapshot(), loaded.backbone
        samples = spread_samples(project.held_out, 5)
        evidence = replay_live(
            samples, model, backbone, progress=ignore_progress, cancelled=never_cancelled
        )
        return Original(project, model, backbone, evidence)


def expected_of(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return about


# What is in a folder


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_has_the_model_labels_pictures_and_what_is_expected_of_them(
    exported: Any, original: Original, name: str
) -> None:
    folder = exported(name)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("README.md", "expected.json", "labels.txt", "reference", OWN),
        *ELSEWHERE[name].files,
    }
    assert (folder / "labels.txt").read_text(encoding="utf-8").splitlines() == [*CLASSES]
    about = expected_of(folder)
    assert about["class_names"] == [*CLASSES]
    assert {picture["label"] for picture in about["pictures"]} >= {*CLASSES}
    for picture in about["pictures"]:
        image = np.asarray(cv2.imread(str(folder / picture["file"])), np.uint8)
        assert image.shape == (about["input_size"], about["input_size"], 3)
        said = original.predict(image)
        assert (said.label, said.similarity) == (picture["label"], picture["familiarity"])
        assert said.threshold == about["unknown_below"]
        assert picture["scores"] == said.scores.tolist()


@pytest.mark.parametrize("name", FORMATS[:-1])
def test_the_programs_in_the_readme_say_what_is_expected(exported: Any, name: str) -> None:
    folder = exported(name)
    about = expected_of(folder)
    text = (folder / "README.md").read_text(encoding="utf-8")
    programs = [
        (program, package)
        for program in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for package in ("keras", "tensorflow", "onnxruntime", "cv2")
        if f"import {package}" in program
    ]
    assert programs
    for program, package in programs:
        if find_spec(package) is None:
            continue  # read by tools/check_elsewhere.py
        finished = subprocess.run(  # noqa: S603 - the program that was just written
            [sys.executable, "-c", program, *(picture["file"] for picture in about["pictures"])],
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert finished.returncode == 0, finished.stderr[-2000:]
        rows = [line.split("\t") for line in finished.stdout.splitlines()]
        for (file, label, score), picture in zip(rows, about["pictures"], strict=True):
            assert (file, label) == (picture["file"], picture["label"])
            assert float(score) == pytest.approx(max(picture["scores"]), abs=1e-3)


@pytest.fixture(scope="module")
def dense(fine_tuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine-tuned project with a dense head."""
    project = Path(shutil.copytree(fine_tuned, tmp_path_factory.mktemp("dense") / "things"))
    assert main(["train", str(project), "--head", "dense"]) == 0
    return project


@pytest.mark.long
@pytest.mark.parametrize("name", ["keras", "saved-model", "tfjs", FORMATS[1]])
def test_a_fine_tuned_network_and_a_dense_head_go_too(
    dense: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    assert main(["export", str(dense), "--format", name, "-o", str(out)]) == 0
    assert {picture["label"] for picture in expected_of(out)["pictures"]} >= {*CLASSES}


# What is refused


def test_what_needs_to_be_installed_is_told_before_anything_is_opened(
    tmp_path: Path, original: Original
) -> None:
    asked = ElsewhereFormat("odd", lambda *_: (), (), (("no_such_module", "it: pip install it"),))
    with pytest.raises(ExportError, match=r"^Exporting odd needs it: pip install it$"):
        export_elsewhere(
            original.project,
            original.model,
            original.backbone,
            asked,
            out=tmp_path / "out",
            progress=ignore_progress,
            cancelled=never_cancelled,
        )
    assert not list(tmp_path.iterdir())


def test_a_file_that_does_not_answer_as_the_live_picture_is_refused(
    original: Original, tmp_path: Path
) -> None:
    scores = original.evidence.live.scores.copy()
    scores[0] = np.roll(scores[0], 1)
    evidence = replace(original.evidence, live=replace(original.evidence.live, scores=scores))
    with pytest.raises(ExportError, match=r"is not what the live picture shows: only 80\.0%"):
        ELSEWHERE["keras"].write(
            replace(original, evidence=evidence), tmp_path, ignore_progress, never_cancelled
        )


@pytest.mark.parametrize("other", ["bundle", "another format", "somebody's"])
def test_a_folder_of_something_else_is_left_alone(
    original: Original, tmp_path: Path, other: str
) -> None:
    marks = {
        "bundle": ("spec.json", {"format": "edge-classifier bundle"}),
        "another format": ("expected.json", {"format": mark_of("onnx")}),
        "somebody's": ("expected.json", {"format": "keras"}),
    }
    name, content = marks[other]
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(ExportError, match="holds something else than a model exported as keras"):
        export_keras(original, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_of_the_same_format_is_replaced_but_for_what_is_not_ours(exported: Any) -> None:
    folder = exported("keras")
    assert (folder / "model.keras").stat().st_size > 1000
    assert (folder / OWN).read_text() == "mine"


def test_cancelling_leaves_nothing(original: Original, tmp_path: Path) -> None:
    seen: list[str | None] = []
    with pytest.raises(CancelledError, match="nothing was written"):
        export_elsewhere(
            original.project,
            original.model,
            original.backbone,
            ELSEWHERE["keras"],
            out=tmp_path / "out",
            progress=lambda _done, what=None: seen.append(what),
            cancelled=lambda: "importing TensorFlow" in seen,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "keras",
        pytest.param("saved-model", marks=pytest.mark.long),
        pytest.param("tfjs", marks=pytest.mark.long),
        pytest.param("onnx", marks=(pytest.mark.long, WITHOUT_TF2ONNX)),
    ],
)
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    taught_project: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 2048) as disk:
        arguments = ["export", str(taught_project), "--format", name, "-o", str(disk / "out")]
        assert main(arguments) == 1
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert f"The {name} model cannot be written to {disk}: the disk is full" in error
        assert not list(disk.iterdir())


def test_weights_that_are_nowhere_are_asked_for(original: Original, tmp_path: Path) -> None:
    assert isinstance(original.backbone, LiteRTBackbone)
    backbone = copy.copy(original.backbone)
    backbone.info = official("v1-0.25").info("pooled", "cd" * 32)
    with pytest.raises(WeightsNotFoundError, match=r"v1-0.25 .*pass it with --weights FILE"):
        ELSEWHERE["keras"].write(
            replace(original, backbone=backbone), tmp_path, ignore_progress, never_cancelled
        )


@pytest.mark.parametrize("spare_bytes", [0, 120_000])
def test_no_room_for_temporary_files_is_told_with_the_place(
    original: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare_bytes: int
) -> None:
    (tmp_path / "out").mkdir()
    with small_disk(tmp_path / "disk", 1024) as disk:
        fill(disk, spare_bytes)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with pytest.raises(ExportError, match=rf"Temporary files cannot be written in {disk}: the"):
            ELSEWHERE["keras"].write(original, tmp_path / "out", ignore_progress, never_cancelled)


def export_keras(original: Original, out: Path) -> None:
    export_elsewhere(
        original.project,
        original.model,
        original.backbone,
        ELSEWHERE["keras"],
        out=out,
        progress=ignore_progress,
        cancelled=never_cancelled,
    )
