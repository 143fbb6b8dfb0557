"""What a project says of pictures, asked as a user asks."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import picture

from edge_classifier.commands.cli import main
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


def test_predict_names_what_it_refuses_and_goes_on(
    taught_project: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (held_out / "broken.jpg").write_bytes(b"")
    missing = held_out / "missing.png"
    said = main(
        ["predict", str(taught_project), str(held_out), str(missing), "--csv", "--top-k", "2"]
    )
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert said == 3
    assert len(rows) == 11
    assert sum(bool(row["error"]) for row in rows) == 2
    assert told.err.count("refused: ") == 2
    assert "9 answers" in told.err
    right = [row for row in rows if row["class_name"]]
    assert all(float(row["score"]) >= float(row["score_2"]) for row in right)


def test_predict_calls_a_stranger_unknown(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    assert main(["predict", str(taught_project), str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("unknown")
    assert "1 unknown" in told.err


def test_predict_says_when_the_project_has_changed_since(
    fresh: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", str(fresh), "--backbone", "built-in"])
    with ProjectStore.open(fresh) as store:
        store.add_sample(encode_image(picture(0, 99)), "ball", store.next_burst_id())
    assert main(["predict", str(fresh), str(held_out)]) == 0
    assert "has changed since it was trained" in capsys.readouterr().err


def test_another_backbone_is_refused_where_nothing_may_change(
    taught_project: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--backbone", "built-in", "--features", "spatial"]
    assert main(["predict", str(taught_project), str(held_out), *options]) == 1
    assert "was trained on the backbone built-in with pooled features" in capsys.readouterr().err


def test_other_weights_of_the_same_backbone_are_refused_with_what_helps(
    fresh: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", str(fresh), "--backbone", "built-in"])
    with ProjectStore.open(fresh) as store:
        assert store.backbone is not None
        store.set_backbone(replace(store.backbone, weights_sha256="0" * 64), replace=True)
    helps = ["train", str(fresh), "--backbone", "built-in"]
    for words in ([], ["--backbone", "built-in"]):
        capsys.readouterr()
        assert main(["predict", str(fresh), str(held_out), *words]) == 1
        said = capsys.readouterr().err
        assert "other weights of built-in" in said
        assert f"`edge-classifier {' '.join(helps)}`" in said
    assert main(helps) == 0
    assert main(["predict", str(fresh), str(held_out)]) == 0


def test_predict_reads_beside_a_program_that_has_the_project_open(
    taught_project: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(taught_project):
        assert main(["predict", str(taught_project), str(held_out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 9


def test_nothing_to_predict_is_said(
    taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(taught_project)]) == 2
    assert "Expected pictures" in capsys.readouterr().err
