"""`export --format micro`: a small classifier in int8, as C++ source for TensorFlow Lite Micro."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, Taught, teach
from support.networks import float_operators
from support.shared_data import shared_folder

from edge_classifier.device.verdict import Prediction
from edge_classifier.errors import CancelledError, DownloadError
from edge_classifier.export.elsewhere.exporter import export_elsewhere
from edge_classifier.export.elsewhere.micro import MICRO, Int8Model, write_micro
from edge_classifier.export.elsewhere.sketch import SketchedModel, write_sketch
from edge_classifier.export.elsewhere.small_classifier import SMALL
from edge_classifier.export.flatbuffer import INT8, Graph
from edge_classifier.export.replay import as_image
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.model import Model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.features.backbone import LiteRTBackbone
    from edge_classifier.protocols import Cancelled

pytestmark = pytest.mark.slow

NEEDS_A_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")


def offline(name: str, **options: Any) -> LiteRTBackbone:
    """Open backbones where there are no official weights, and no network."""
    if name == SMALL:
        raise DownloadError(f"The weights of {name} could not be downloaded: no network.")
    return load_backbone(name, **options)


def export(
    taught: Taught,
    out: Path,
    *,
    open_backbone: Callable[..., LiteRTBackbone] = offline,
    cancelled: Cancelled = never_cancelled,
) -> tuple[Path, str]:
    """Export a project; returns the folder and what the user is told."""
    folder, lines = export_elsewhere(
        taught.store.snapshot(),
        taught.model,
        taught.backbone,
        replace(MICRO, write=partial(write_micro, open_backbone=open_backbone)),
        out=out,
        progress=ignore_progress,
        cancelled=cancelled,
    )
    return folder, "\n".join(lines)


@dataclass(frozen=True)
class Exported:
    """A project, the folder exported from it, and what was said."""

    taught: Taught
    folder: Path
    told: str

    @property
    def graph(self) -> Graph:
        return Graph((self.folder / "model.tflite").read_bytes())

    @property
    def expected(self) -> dict[str, Any]:
        text = (self.folder / "expected.json").read_text(encoding="utf-8")
        about: dict[str, Any] = json.loads(text)
        return about

    def source(self, name: str) -> str:
        return (self.folder / "sketch" / name).read_text(encoding="ascii")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    path = tmp_path_factory.mktemp("micro")
    taught = teach(path / "things")
    return Exported(taught, *export(taught, path / "out"))


def numbers(source: str, name: str) -> bytes:
    """Read a C array."""
    found = re.search(rf"{name}\[\] = {{(.*?)}};", source, re.DOTALL)
    assert found
    return bytes(int(number) for number in found[1].split(",") if number.strip())


def test_a_folder_has_a_network_a_sketch_and_what_is_expected_of_them(exported: Exported) -> None:
    assert {path.name for path in exported.folder.iterdir()} == {
        *("README.md", "expected.json", "labels.txt", "model.tflite", "reference", "sketch")
    }
    assert {path.name for path in (exported.folder / "sketch").iterdir()} == {
        *("classifier.h", "model.h", "model_data.cpp", "picture.h", "sketch.ino")
    }


def test_the_network_computes_with_integers_from_end_to_end(exported: Exported) -> None:
    graph = exported.graph
    assert float_operators((exported.folder / "model.tflite").read_bytes()) == []
    assert graph.shape(graph.input) == (1, 96, 96, 3)
    assert {graph.tensors[n].type for n in (graph.input, *graph.outputs)} == {INT8}
    assert [graph.name_of_tensor(n) for n in graph.outputs] == ["scores", "similarities"]


def test_the_c_array_is_the_file(exported: Exported) -> None:
    array = numbers(exported.source("model_data.cpp"), "kModel")
    assert array == (exported.folder / "model.tflite").read_bytes()


def test_the_sketch_names_just_the_operators_that_are_in_the_file(exported: Exported) -> None:
    graph = exported.graph
    used = {graph.name_of(operator) for operator in graph.operators}
    named = re.findall(r"resolver\.Add(\w+)\(\)", exported.source("model.h"))
    assert {name.upper() for name in named} == {name.replace("_", "") for name in used}
    assert f"kOperators = {len(used)};" in exported.source("model.h")


def test_the_pictures_get_the_answers_that_are_expected(exported: Exported) -> None:
    about = exported.expected
    assert about["class_names"] == [*CLASSES]
    assert {picture["label"] for picture in about["pictures"]} == {*CLASSES}
    content = (exported.folder / "model.tflite").read_bytes()
    inside = Int8Model(content, Model(exported.taught.model.head))
    for picture in about["pictures"]:
        image = np.asarray(cv2.imread(str(exported.folder / picture["file"])), np.uint8)
        assert image.shape == (96, 96, 3)
        assert inside.predict(image).scores.tolist() == picture["scores"]


def test_the_picture_in_the_sketch_is_the_first_reference(exported: Exported) -> None:
    picture = exported.expected["pictures"][0]
    image = cv2.imread(str(exported.folder / picture["file"]))
    square = np.frombuffer(numbers(exported.source("picture.h"), "kPicture"), np.uint8)
    np.testing.assert_array_equal(as_image(square.reshape(96, 96, 3)), image)


def test_size_memory_and_both_accuracies_are_told(exported: Exported) -> None:
    assert re.search(r"built-in at 96 px: \d+ kB of flash, an arena of \d+ kB", exported.told)
    assert "built-in at 96 px in 8 bits: 100 % right, " in exported.told
    assert "built-in at 160 px, on the same pictures: 100 % right, " in exported.told
    assert exported.told in (exported.folder / "README.md").read_text(encoding="utf-8")


def test_where_the_smallest_backbone_cannot_be_had_the_built_in_one_is_taken(
    exported: Exported,
) -> None:
    assert (
        "built-in instead of v1-0.25, which takes a third as much: its weights are neither on "
        "this machine nor within reach"
    ) in exported.told


@pytest.mark.long
def test_the_smallest_backbone_takes_less_than_500_kb(exported: Exported, tmp_path: Path) -> None:
    weights = shared_folder("weights", "mobilenet_2_5_224_tf_no_top.h5")

    def online(name: str, **options: Any) -> LiteRTBackbone:
        return load_backbone(name, weights=weights if name == SMALL else None, **options)

    folder, told = export(exported.taught, tmp_path / "out", open_backbone=online)
    assert "v1-0.25 at 96 px in 8 bits: " in told
    assert "instead of" not in told
    assert (folder / "model.tflite").stat().st_size < 500_000


@NEEDS_A_COMPILER
def test_hostile_labels_are_just_text_to_a_compiler(exported: Exported, tmp_path: Path) -> None:
    names = ('"; // \\', "??/", "%s\t\n1", "växt 🌱", "*/ #include <x>")
    content = (exported.folder / "model.tflite").read_bytes()
    model = SketchedModel(content, ("ADD",), 1, 96, names, None)
    square = np.zeros((96, 96, 3), np.uint8)
    said = Prediction(names, np.array([0, 0, 0, 0, 1], np.float32))
    write_sketch(tmp_path / "sketch", model, square, said)
    program = tmp_path / "labels.cpp"
    program.write_text(
        '#include <stdio.h>\n#include "sketch/model.h"\n#include "sketch/picture.h"\n'
        "int main() { for (auto label : kLabels) fwrite(label, 1, __builtin_strlen(label) + 1, "
        'stdout); printf("%s", kExpectedLabel); }'
    )
    command = ["g++", "-std=c++11", "-Wall", "-Werror", "-trigraphs", str(program)]
    subprocess.run([*command, "-o", str(tmp_path / "labels")], check=True)  # noqa: S603 - our own
    told = subprocess.run([tmp_path / "labels"], check=True, capture_output=True).stdout  # noqa: S603 - our own
    assert told.decode().split("\0") == [*names, names[-1]]


def test_a_dense_head_stays_one(tmp_path: Path) -> None:
    settings = HeadSettings(kind="dense", epochs=100, learning_rate=1e-3)
    taught = teach(tmp_path / "things", settings=settings)
    taught.store.update_settings(head=asdict(settings))
    folder, told = export(taught, tmp_path / "out")
    assert " % right, " in told
    graph = Graph((folder / "model.tflite").read_bytes())
    layers = [o for o in graph.operators if graph.name_of(o) == "FULLY_CONNECTED"]
    assert (1, 100) in {graph.shape(int(layer.outputs[0])) for layer in layers}


def test_one_class_is_told_from_all_else(tmp_path: Path) -> None:
    folder, told = export(teach(tmp_path / "thing", classes=("ball",)), tmp_path / "out")
    assert " % recognised, " in told
    about = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert {picture["label"] for picture in about["pictures"]} <= {"ball", "unknown"}


def test_a_folder_that_is_not_finished_is_not_there(exported: Exported, tmp_path: Path) -> None:
    asked = count()

    def cancelled() -> bool:
        return next(asked) > 60

    with pytest.raises(CancelledError):
        export(exported.taught, tmp_path / "out", cancelled=cancelled)
    assert list(tmp_path.iterdir()) == []
