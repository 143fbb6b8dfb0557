"""Is this device as right as the machine that exported? `classify.py --verify` says so."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import flatbuffers  # type: ignore[import-untyped]
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.checks import verify
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("float32", "float16", "dynamic", "int8")


def of_the_future(bundle: Path, model_format: str) -> None:
    """Let a model ask for a version of its operators that no runtime has."""
    spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    about = spec["models"][model_format]
    path = bundle / about["file"]
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    for code in model.operatorCodes:
        code.version = 99
    builder = flatbuffers.Builder(path.stat().st_size)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    about["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (bundle / "spec.json").write_text(json.dumps(spec), encoding="utf-8")


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What was said of each format."""
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_it_passes_where_the_scores_are_those_of_the_exporting_machine(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(Bundle.open(bundle)) == 0
    said = lines(capsys)
    assert tuple(said) == FORMATS
    assert all(line.endswith(": ok") for line in said.values())


def test_it_looks_at_the_format_that_was_asked_for_alone(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(Bundle.open(bundle), only="int8") == 0
    assert list(lines(capsys)) == ["int8"]


def test_it_fails_where_they_are_not(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = json.loads((copy / "spec.json").read_text())
    spec["references"][0]["scores"]["float32"][0] += 0.01
    (copy / "spec.json").write_text(json.dumps(spec))
    assert verify(Bundle.open(copy)) == 1
    assert "FAILED" in lines(capsys)["float32"]


@pytest.mark.parametrize("model_format", FORMATS)
def test_a_model_that_this_runtime_does_not_read_is_named_and_the_others_are_verified(
    copy: Path, capsys: pytest.CaptureFixture[str], model_format: str
) -> None:
    of_the_future(copy, model_format)
    assert verify(Bundle.open(copy)) == 1
    said = lines(capsys)
    assert tuple(said) == FORMATS
    failed = said.pop(model_format)
    assert "FAILED: " in failed
    assert f"{model_format} cannot be used (it needs at least ai-edge-litert 1." in failed
    assert "version '99'" in failed
    assert all(line.endswith(": ok") for line in said.values())


def test_a_model_that_is_damaged_is_named_and_the_others_are_verified(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "model.tflite").write_bytes(b"TFL3" * 100)
    assert verify(Bundle.open(copy)) == 1
    said = lines(capsys)
    assert "model.tflite is not the file of this bundle" in said["float32"]
    assert [f for f, line in said.items() if line.endswith(": ok")] == list(FORMATS[1:])


def test_a_format_that_there_is_not_is_told(bundle: Path) -> None:
    with pytest.raises(BundleError, match="has no int4 model; it has float32"):
        verify(Bundle.open(bundle), only="int4")


def test_where_there_is_no_runtime_it_says_so_once(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)  # as Python does what cannot be imported
    with pytest.raises(BundleError, match="No TFLite runtime is installed"):
        verify(Bundle.open(bundle))


def test_running_a_model_that_this_runtime_does_not_read_says_what_it_needs(copy: Path) -> None:
    of_the_future(copy, "int8")
    with pytest.raises(
        BundleError, match=r"int8 cannot be used \(it needs at least .*version '99'"
    ):
        Classifier(Bundle.open(copy), "int8")


def test_a_bundle_that_does_not_say_what_it_needs_is_used_all_the_same(copy: Path) -> None:
    spec = json.loads((copy / "spec.json").read_text(encoding="utf-8"))
    for about in spec["models"].values():
        del about["oldest_runtimes"]
    (copy / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert Bundle.open(copy).oldest_runtimes("int8") == ""
    of_the_future(copy, "int8")
    with pytest.raises(BundleError, match="int8 cannot be used: the model"):
        Classifier(Bundle.open(copy), "int8")


@pytest.mark.parametrize("wrong", [3, ["1.0"], {"x": 1}, {"x": "\x1b[2J"}], ids=str)
def test_what_the_spec_says_of_runtimes_is_checked(copy: Path, wrong: object) -> None:
    spec = json.loads((copy / "spec.json").read_text(encoding="utf-8"))
    spec["models"]["int8"]["oldest_runtimes"] = wrong
    (copy / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(BundleError, match="is damaged"):
        Bundle.open(copy)


def test_the_exit_status_is_that_of_the_process(copy: Path) -> None:
    command = [sys.executable, "-I", str(copy / "classify.py"), "--verify"]
    (copy / "model.tflite").unlink()
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)  # noqa: S603 - our own file
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.count(b"FAILED") == 1
    assert done.stdout.count(b": ok") == 3
