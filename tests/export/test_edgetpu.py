"""`export --format edgetpu-ready`: a network for Coral's compiler, and its head for the CPU."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.exported_project import CLASSES, Taught, teach
from support.networks import float_operators

from edge_classifier.errors import ExportError
from edge_classifier.export.compose import compose
from edge_classifier.export.elsewhere.edgetpu import EDGE_TPU, SUPPORTED, check_operators
from edge_classifier.export.elsewhere.exporter import export_elsewhere
from edge_classifier.export.flatbuffer import UINT8, Graph
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.protocols import ignore_progress, never_cancelled
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import FeatureKind

pytestmark = pytest.mark.slow


def export(taught: Taught, out: Path) -> tuple[Path, str]:
    """Export a project; returns the folder and what the user is told."""
    folder, lines = export_elsewhere(
        taught.store.snapshot(),
        taught.model,
        taught.backbone,
        EDGE_TPU,
        out=out,
        progress=ignore_progress,
        cancelled=never_cancelled,
    )
    return folder, "\n".join(lines)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    return teach(tmp_path_factory.mktemp("edgetpu") / "things")


@pytest.fixture(scope="module")
def folder(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(taught, tmp_path_factory.mktemp("edgetpu") / "out")[0]


def test_every_operator_is_one_of_the_edge_tpu_and_computes_with_integers(folder: Path) -> None:
    content = (folder / "model.tflite").read_bytes()
    graph = Graph(content)
    assert {graph.name_of(operator) for operator in graph.operators} <= SUPPORTED
    assert "RSQRT" not in SUPPORTED
    assert float_operators(content) == []
    assert graph.tensors[graph.input].type == UINT8


def test_shapes_are_fixed_and_only_the_inner_three_sizes_are_above_one(folder: Path) -> None:
    graph = Graph((folder / "model.tflite").read_bytes())
    computed = {int(n) for operator in graph.operators for n in operator.outputs}
    for shape in map(graph.shape, computed):
        assert min(shape) >= 1
        assert all(size == 1 for size in shape[:-3])


def run_program(folder: Path) -> list[list[str]]:
    """Run the program in README.md on the reference pictures."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    about = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    finished = subprocess.run(  # noqa: S603 - the program that was just written
        [sys.executable, "-X", "utf8", "-c", program, *(p["file"] for p in about["pictures"])],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return [line.split("\t") for line in finished.stdout.splitlines()]


@pytest.mark.parametrize("what", ["linear", "dense", "spatial", "alone"])
def test_the_program_in_the_readme_says_what_is_expected(tmp_path: Path, what: str) -> None:
    kind: FeatureKind = "spatial" if what == "spatial" else "pooled"
    settings = HeadSettings(kind="dense", epochs=100, learning_rate=1e-3)
    taught = teach(
        tmp_path / "things",
        kind=kind,
        settings=settings if what == "dense" else None,
        classes=CLASSES[:1] if what == "alone" else CLASSES,
    )
    folder, _ = export(taught, tmp_path / "out")
    about = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for (file, label, score), picture in zip(run_program(folder), about["pictures"], strict=True):
        assert (file, label) == (picture["file"], picture["label"])
        assert float(score) == pytest.approx(max(picture["scores"]), abs=1e-4)


def test_how_much_it_agrees_with_the_live_picture_is_told(taught: Taught, tmp_path: Path) -> None:
    _, told = export(taught, tmp_path / "out")
    assert re.search(r"on 12 samples: \S+% of the labels, \S+% of the verdicts unknown", told)


def test_a_compiled_file_of_an_older_model_goes_and_what_is_not_ours_stays(
    taught: Taught, tmp_path: Path
) -> None:
    folder, _ = export(taught, tmp_path / "out")
    (folder / "model_edgetpu.tflite").write_text("of the older model")
    (folder / "own.py").write_text("mine")
    export(taught, folder)
    assert not (folder / "model_edgetpu.tflite").exists()
    assert (folder / "own.py").read_text() == "mine"


def test_an_operator_that_no_edge_tpu_has_is_named(taught: Taught) -> None:
    graph = compose(taught.backbone.extractor, taught.backbone.info, taught.model)
    with pytest.raises(ExportError, match="An Edge TPU has no RSQRT, "):
        check_operators(graph.content())


def test_a_network_that_does_not_bear_eight_bits_is_refused(taught: Taught, tmp_path: Path) -> None:
    class V3:
        """The backbone under another name."""

        info: BackboneInfo = replace(taught.backbone.info, name="v3-small")
        extractor = taught.backbone.extractor
        extract, extract_spatial = taught.backbone.extract, taught.backbone.extract_spatial

    with pytest.raises(ExportError, match="edgetpu-ready is not possible: v3-small loses"):
        export(replace(taught, backbone=V3()), tmp_path / "out")
    assert not (tmp_path / "out").exists()
