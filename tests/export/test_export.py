"""From a trained project to a bundle, with the real converter and the built-in backbone."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES, HELD_OUT, PER_BURST
from support.networks import float_operators

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.errors import CancelledError, ExportError
from edge_classifier.export.exporter import export_bundle
from edge_classifier.export.formats import LIMITS
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.built_in import read_built_in
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.model import Model
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def spec_of(bundle: Path) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    return spec


def test_a_bundle_holds_all_that_a_device_needs(bundle: Path) -> None:
    names = {p.name for p in bundle.iterdir()}
    assert names >= {
        *("model.tflite", "labels.txt", "spec.json", "classify.py"),
        *("requirements.txt", "README.md", "reference"),
    }
    assert (bundle / "labels.txt").read_text(encoding="utf-8").splitlines() == list(CLASSES)


def test_the_spec_tells_what_was_taught_and_measured(bundle: Path) -> None:
    spec = spec_of(bundle)
    assert spec["samples"] == dict.fromkeys(CLASSES, 2 * PER_BURST)
    assert spec["backbone"]["name"] == "built-in"
    assert spec["measured_on"] == "held-out samples"
    assert spec["measured"]["float32"]["samples"] == HELD_OUT * len(CLASSES)
    assert spec["measured"]["float32"]["accuracy"] == 1.0
    assert "ai-edge-litert" in spec["made_with"]


def test_every_format_is_the_same_classifier(bundle: Path) -> None:
    spec = spec_of(bundle)
    assert list(spec["models"]) == list(LIMITS)
    assert spec["left_out"] == {}
    for name, limits in LIMITS.items():
        measured = spec["measured"][name]
        assert measured["agreement"] >= limits.agreement
        assert measured["unknown_agreement"] >= limits.agreement
    for name in ("float32", "float16"):
        assert spec["measured"][name]["unknown_agreement"] == 1.0
    assert spec["measured"]["float32"]["largest_score_difference"] <= 1e-3
    assert spec["measured"]["live path"]["largest_score_difference"] <= 1e-3


@pytest.mark.parametrize("name", ["dynamic", "int8"])
def test_how_often_a_rounded_file_calls_other_frames_unknown_is_told(
    bundle: Path, taught_project: Path, name: str
) -> None:
    opened = Bundle.open(bundle)
    with ProjectStore.open_as_possible(taught_project) as store:
        pictures = [read_image(sample.path) for sample in store.held_out()]
    exact, rounded = (
        [Classifier(opened, f).predict(picture).unknown for picture in pictures]
        for f in ("float32", name)
    )
    same = np.mean([a == b for a, b in zip(exact, rounded, strict=True)])
    assert spec_of(bundle)["measured"][name]["unknown_agreement"] == pytest.approx(same)


def test_int8_is_all_integers_with_pixels_in_and_bytes_out(bundle: Path) -> None:
    classifier = Classifier(Bundle.open(bundle), "int8")
    assert classifier.interpreter.input_details["dtype"] is np.uint8
    assert {o["dtype"] for o in classifier.interpreter.output_details} == {np.uint8}
    assert float_operators(Bundle.open(bundle).model("int8")) == []


def test_float_operators_are_found_where_there_are_some(bundle: Path) -> None:
    assert "CONV_2D" in float_operators(Bundle.open(bundle).model("float32"))


@pytest.mark.parametrize("model_format", LIMITS)
def test_a_file_gives_the_features_that_its_head_was_given(bundle: Path, model_format: str) -> None:
    classifier = Classifier(Bundle.open(bundle), model_format)
    image = exported_project.picture(1, 78)
    (expected,) = load_backbone("built-in").extract([image])
    classifier.predict(image)
    given = classifier.features()
    assert given is not None
    assert given.dtype == np.float32
    assert given.shape == expected.shape
    cosine = given @ expected / np.linalg.norm(given) / np.linalg.norm(expected)
    if model_format == "float32":
        np.testing.assert_allclose(given, expected, atol=1e-4)
    assert cosine > (0.99 if model_format in ("float32", "float16") else 0.9)


def test_int8_is_at_least_three_and_a_half_times_as_small(bundle: Path) -> None:
    models = spec_of(bundle)["models"]
    assert models["float32"]["bytes"] / models["int8"]["bytes"] >= 3.5


@pytest.mark.parametrize("model_format", LIMITS)
def test_the_labels_are_inside_the_file_for_other_readers(bundle: Path, model_format: str) -> None:
    path = bundle / spec_of(bundle)["models"][model_format]["file"]
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().splitlines() == list(CLASSES)
    assert b"M001" in path.read_bytes()


def test_opencv_reads_the_float_file_and_says_the_same(bundle: Path) -> None:
    classifier = Classifier(Bundle.open(bundle))
    network = cv2.dnn.readNetFromTFLite(str(bundle / "model.tflite"))
    for class_id in range(len(CLASSES)):
        pixels = classifier.prepare(exported_project.picture(class_id, 77))
        network.setInput(np.ascontiguousarray(pixels[None].transpose(0, 3, 1, 2)))
        scores = np.asarray(network.forward("scores"))
        np.testing.assert_allclose(scores[0], classifier.predict_prepared(pixels).scores, atol=1e-3)


def test_mediapipe_reads_float_and_int8_and_says_the_same(
    bundle: Path, taught_project: Path
) -> None:
    python = os.environ.get("EDGE_CLASSIFIER_MEDIAPIPE_PYTHON")
    if not python:
        pytest.skip("EDGE_CLASSIFIER_MEDIAPIPE_PYTHON names no Python that has MediaPipe")
    command = [sys.executable, str(bundle / "classify.py"), str(taught_project / "samples")]
    said = subprocess.run([*command, "--no-window"], capture_output=True, check=True)  # noqa: S603 - ours
    result = subprocess.run(  # noqa: S603 - ours
        [python, str(ROOT / "tools" / "check_mediapipe.py"), str(bundle)],
        input=said.stdout,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout.decode() + result.stderr.decode()[-2000:]
    assert result.stdout.count(b": ok") == len(LIMITS)


def test_the_articles_head_on_spatial_features_is_exported_too(tmp_path: Path) -> None:
    settings = HeadSettings(kind="dense", epochs=30, learning_rate=1e-3)
    taught = exported_project.teach(tmp_path / "things", kind="spatial", settings=settings)
    with taught.store:
        folder = exported_project.export(taught, tmp_path / "bundle", "float32")
        image = read_image(taught.store.samples()[0].path)
        answer = Classifier(Bundle.open(folder)).predict(image)
        expected = taught.model.predict(taught.backbone.extract([image]))[0]
    np.testing.assert_allclose(answer.scores, expected.scores, atol=1e-3)
    assert answer.similarity == pytest.approx(expected.similarity, abs=1e-3)


@pytest.mark.parametrize("formats", ["float32", pytest.param("auto", marks=pytest.mark.long)])
def test_a_model_that_cannot_tell_unknown_is_exported_without_similarities(
    tmp_path: Path, formats: str
) -> None:
    taught = exported_project.teach(tmp_path / "things")
    plain = replace(taught, model=Model(taught.model.head))
    with taught.store:
        folder = exported_project.export(plain, tmp_path / "bundle", formats)
    spec = spec_of(folder)
    assert spec["unknown"] is None
    assert len(spec["models"]) == 1
    classifier = Classifier(Bundle.open(folder))
    names = [o["name"] for o in classifier.interpreter.output_details]
    assert names == ["scores", "features", "spatial"]
    answer = classifier.predict(exported_project.picture(1, 50))
    assert (answer.label, answer.similarity, answer.unknown) == (CLASSES[1], None, False)


def _export_again(
    project: Path, out: Path, cancelled: Callable[[], bool], seen: list[str | None]
) -> None:
    with ProjectStore.open(project) as store:
        loaded = load_project_backbone(
            store, BackboneChoice(), lambda _done, _what=None: None, may_change=False
        )
        model, _ = trained_model(store, loaded)
        export_bundle(
            store.snapshot(),
            model,
            loaded.backbone,
            out=out,
            progress=lambda _done, what=None: seen.append(what),
            cancelled=cancelled,
        )


@pytest.mark.parametrize("what", ["reading samples", "composing float32", "measuring heat maps"])
def test_cancelling_leaves_the_old_bundle_and_nothing_else(
    bundle: Path, taught_project: Path, tmp_path: Path, what: str
) -> None:
    old = tmp_path / "old"
    shutil.copytree(bundle, old)
    before = (old / "spec.json").read_bytes()
    seen: list[str | None] = []
    with pytest.raises(CancelledError, match="nothing was written"):
        _export_again(taught_project, old, lambda: what in seen, seen)
    assert (old / "spec.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_a_place_that_cannot_be_is_refused_before_any_sample_is_read(
    taught_project: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    seen: list[str | None] = []
    with pytest.raises(ExportError, match="is a link to nothing"):
        _export_again(taught_project, tmp_path / "link", lambda: False, seen)
    assert seen == []


# The commands


def test_verify_finds_the_file_that_is_not_the_live_classifier(
    bundle: Path, taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    spec = spec_of(copy)
    spec["models"]["float32"] = spec["models"]["int8"]
    (copy / "spec.json").write_text(json.dumps(spec))
    report = tmp_path / "worst.jpg"
    arguments = ["verify", str(copy), str(taught_project), "--report", str(report)]
    assert main(arguments) == 4
    said = capsys.readouterr()
    assert "live path" in said.out
    assert "float32 is not the same classifier: a score differs by" in said.err
    assert "int8 is not" not in said.err
    assert cv2.imread(str(report)) is not None


def test_verify_with_pictures_compares_the_files_with_each_other(
    bundle: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(bundle), str(taught_project / "samples")]) == 0
    assert "30 samples, compared with float32" in capsys.readouterr().out


def test_verify_without_samples_uses_the_frames_in_the_bundle(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(bundle)]) == 0
    assert capsys.readouterr().out.count("labels equal") == len(LIMITS)


def test_verify_refuses_a_project_that_was_trained_again(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = exported_project.teach(tmp_path / "other", settings=HeadSettings(penalty=1e-2))
    other.store.close()
    assert main(["verify", str(bundle), str(other.store.path)]) == 1
    assert "exported from another model" in capsys.readouterr().err


def test_verify_and_run_refuse_what_is_no_bundle_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("verify", "run"):
        assert main([command, str(tmp_path)]) == 1
        told = capsys.readouterr().err
        assert "there is no spec.json in it" in told
        assert told.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
@pytest.mark.parametrize(("where", "status"), [("/dev/full", 1), ("&-", 0)])
def test_where_the_bundle_is_is_told_although_the_table_cannot_be(
    taught_project: Path, tmp_path: Path, where: str, status: int
) -> None:
    words = [sys.executable, "-m", "edge_classifier", "export", str(taught_project), "-o", "bundle"]
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", f"{shlex.join(words)} >{where}"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    said = done.stderr.splitlines()
    assert "The bundle is in bundle; copy it to the device and read its README.md." in said
    full = [line for line in said if "Cannot write the answers: the disk is full" in line]
    assert len(full) == status
    assert "Traceback" not in done.stderr
    assert main(["verify", str(tmp_path / "bundle")]) == 0


def test_run_says_what_the_bundle_says(
    bundle: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = taught_project / "samples" / CLASSES[1]
    assert main(["run", str(bundle), str(pictures), "--no-window"]) == 0
    labels = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert labels == [CLASSES[1]] * 2 * PER_BURST


def test_a_bundle_of_the_version_before_with_a_single_file_is_verified_and_run(
    bundle: Path, taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path(shutil.copytree(bundle, tmp_path / "before"))
    shutil.rmtree(before / "edge_device")
    (before / "classify.py").write_text("raise SystemExit('all in one file')\n")
    assert main(["verify", str(before)]) == 0
    assert capsys.readouterr().out.count(": ok") == len(LIMITS)
    pictures = taught_project / "samples" / CLASSES[0]
    assert main(["run", str(before), str(pictures), "--no-window"]) == 0
    labels = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert labels == [CLASSES[0]] * 2 * PER_BURST


def test_a_project_without_samples_cannot_be_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.create(tmp_path / "empty", ["mug", "leaf"]) as store:
        store.set_backbone(read_built_in("pooled").info)
    assert main(["export", str(tmp_path / "empty"), "-o", str(tmp_path / "b")]) == 1
    assert "needs samples of a class, there are none" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_a_bundle_from_before_scores_counted_in_what_is_unknown_still_works(
    bundle: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    spec = spec_of(copy)
    assert spec["unknown"].pop("hesitation_weight") > 0
    (copy / "spec.json").write_text(json.dumps(spec))
    file = copy / spec["references"][0]["file"]
    frame = np.asarray(cv2.imread(str(file)), np.uint8)
    before = Classifier(Bundle.open(copy)).predict(frame)
    now = Classifier(Bundle.open(bundle)).predict(frame)
    np.testing.assert_array_equal(before.scores, now.scores)
    assert before.similarity is not None
    assert now.similarity is not None
    assert 0 <= now.similarity <= before.similarity <= 1.01


def test_a_model_of_numbers_that_are_none_is_not_exported(tmp_path: Path) -> None:
    taught = exported_project.teach(tmp_path / "things")
    head = taught.model.head
    assert isinstance(head, LinearHead)
    broken = replace(head, weights=np.full_like(head.weights, np.nan))
    with taught.store, pytest.raises(ExportError, match="holds values that are no numbers; train"):
        exported_project.export(
            replace(taught, model=replace(taught.model, head=broken)), tmp_path / "bundle", "all"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["things"]
