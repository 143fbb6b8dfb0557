"""What exporting is made of, without TensorFlow: choice of samples, limits, bundles on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.errors import (
    ExportError,
    InvalidValueError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from edge_classifier.export.bundle import new_bundle, write_device
from edge_classifier.export.exporter import _kept
from edge_classifier.export.formats import (
    LIMITS,
    Comparison,
    Replay,
    chosen_formats,
    compare,
    possible_formats,
)
from edge_classifier.features.backbone import weights_file
from edge_classifier.features.catalogue import official
from edge_classifier.features.weights import CacheFolders

if TYPE_CHECKING:
    import numpy.typing as npt


# How different is too different


def _run(*rows: tuple[float, float]) -> Replay:
    return Replay(np.array(rows, np.float32))


def _ids(*ids: int) -> npt.NDArray[np.int64]:
    return np.array(ids, np.int64)


def test_equal_scores_are_the_same_classifier_in_every_format() -> None:
    run = _run((0.9, 0.1), (0.2, 0.8))
    comparison = compare("float32", run, run, _ids(0, 0))
    assert (comparison.agreement, comparison.difference, comparison.accuracy) == (1.0, 0.0, 0.5)
    assert all(comparison.problem(limits) is None for limits in LIMITS.values())


def test_one_other_label_is_one_too_many_for_float32() -> None:
    reference, run = _run((0.51, 0.49), (0.2, 0.8)), _run((0.49, 0.51), (0.2, 0.8))
    problem = compare("float32", run, reference).problem(LIMITS["float32"])
    assert problem == "only 50.0% of 2 samples get the same label, 100.0% are needed"


def test_a_score_that_differs_is_too_much_for_float32_but_not_for_float16() -> None:
    reference, run = _run((0.9, 0.1)), _run((0.902, 0.098))
    comparison = compare("x", run, reference)
    assert "a score differs by 0.002" in str(comparison.problem(LIMITS["float32"]))
    assert comparison.problem(LIMITS["float16"]) is None


def test_int8_may_not_lose_more_than_a_point_of_accuracy() -> None:
    right, wrong = (0.9, 0.1), (0.1, 0.9)
    reference = _run(*[right] * 100)
    two_lost = _run(*[right] * 98, *[wrong] * 2)
    problem = compare("int8", two_lost, reference, _ids(*[0] * 100)).problem(LIMITS["int8"])
    assert problem == "2.0% of accuracy is lost, 1.0% is allowed"
    one_lost = compare("int8", _run(*[right] * 99, wrong), reference, _ids(*[0] * 100))
    assert one_lost.problem(LIMITS["int8"]) is None
    two_won = compare("int8", two_lost, reference, _ids(*[0] * 98, 1, 1))
    assert two_won.problem(LIMITS["int8"]) is None


def test_a_file_that_calls_other_frames_unknown_is_not_the_same_classifier() -> None:
    scores = np.tile(np.array([0.9, 0.1], np.float32), (100, 1))
    reference = Replay(scores, np.zeros(100, bool))
    run = Replay(scores, np.arange(100) < 3)
    problem = compare("int8", run, reference).problem(LIMITS["int8"])
    assert problem == (
        'only 97.0% of 100 samples get the same verdict "unknown" or not, 98.0% are needed'
    )
    nearly = Replay(scores, np.arange(100) < 2)
    assert compare("int8", nearly, reference).problem(LIMITS["int8"]) is None


def test_scores_that_are_no_numbers_are_never_the_same_classifier() -> None:
    reference, run = _run((0.9, 0.1)), _run((float("nan"), float("nan")))
    for limits in LIMITS.values():
        assert "no numbers" in str(compare("x", run, reference).problem(limits))


def test_the_worst_samples_come_first() -> None:
    comparison = compare("x", _run((0.6, 0.4), (0.5, 0.5)), _run((0.5, 0.5), (0.2, 0.8)))
    assert comparison.worst == (1, 0)


def test_runs_over_other_samples_cannot_be_compared() -> None:
    with pytest.raises(InvalidValueError, match="same samples"):
        compare("x", _run((0.5, 0.5)), _run((0.5, 0.5), (0.2, 0.8)))


# Formats


@pytest.mark.parametrize("name", ["v3-small", "v3-large"])
def test_int8_is_refused_for_v3_with_the_reason(name: str) -> None:
    info = official(name).info("pooled", "ab")
    possible, left_out = possible_formats(chosen_formats("all"), info)
    assert "loses accuracy and speed in int8" in left_out["int8"]
    assert possible == ("float32", "float16", "dynamic")


def test_an_unknown_format_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidValueError, match=r"float32, float16, .* received 'onnx'"):
        chosen_formats("onnx")


# Which files stay


def _compared(name: str, size: int, ms: float) -> Comparison:
    run = Replay(np.array([[0.9, 0.1]], np.float32), bytes=size, ms=ms)
    return compare(name, run, run)


COMPARED = {
    "float32": _compared("float32", 4_000_000, 1.2),
    "float16": _compared("float16", 2_000_000, 1.2),
    "int8": _compared("int8", 1_000_000, 0.8),
}


def test_auto_takes_the_smallest_and_fastest_file_that_is_right() -> None:
    assert _kept("auto", COMPARED, {}) == ["int8"]
    assert _kept("auto", COMPARED, {"int8": "it differs"}) == ["float16"]


def test_all_keeps_what_is_right_and_begins_with_float32() -> None:
    assert _kept("all", COMPARED, {"float16": "it differs"}) == ["float32", "int8"]


def test_a_format_that_was_asked_for_and_is_not_right_is_an_error() -> None:
    with pytest.raises(ExportError, match="int8 is not the same classifier: it differs"):
        _kept("int8", {"int8": COMPARED["int8"]}, {"int8": "it differs"})


# Weights


def test_weights_that_are_nowhere_are_asked_for_by_name(tmp_path: Path) -> None:
    info = official("v1-0.25").info("pooled", "cd" * 32)
    folders = CacheFolders(tmp_path / "own", tmp_path / "keras")
    with pytest.raises(WeightsNotFoundError, match=r"v1-0.25 .*pass it with --weights FILE"):
        weights_file(info, folders=folders)


def test_other_weights_than_the_model_was_trained_on_are_refused(tmp_path: Path) -> None:
    given = tmp_path / "weights.h5"
    given.write_bytes(b"other")
    info = official("v1-0.25").info("pooled", "cd" * 32)
    with pytest.raises(WeightsMismatchError, match=r"weights\.h5 holds other weights"):
        weights_file(info, given)


# Folders


def _write(folder: Path, text: str) -> None:
    (folder / "spec.json").write_text(json.dumps({"format": BUNDLE_FORMAT, "text": text}))


def _write_half(folder: Path) -> None:
    _write(folder, "half")
    raise KeyboardInterrupt


def _text(folder: Path) -> str:
    return str(json.loads((folder / "spec.json").read_text())["text"])


def test_a_bundle_appears_whole(tmp_path: Path) -> None:
    with new_bundle(tmp_path / "a" / "bundle") as folder:
        _write(folder, "new")
        assert not (tmp_path / "a" / "bundle").exists()
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["bundle"]


def test_an_older_bundle_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with new_bundle(target) as folder:
        _write(folder, "first")
    with pytest.raises(KeyboardInterrupt), new_bundle(target) as folder:
        _write_half(folder)
    assert _text(target) == "first"
    with new_bundle(target) as folder:
        _write(folder, "second")
    assert _text(target) == "second"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_of_the_version_before_is_replaced_with_its_single_file(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with new_bundle(target) as folder:
        _write(folder, "before")
        (folder / "classify.py").write_text("# all in one file\n")
        (folder / "__pycache__").mkdir()
    with new_bundle(target) as folder:
        _write(folder, "now")
        write_device(folder)
    assert {p.name for p in target.iterdir()} == {"spec.json", "classify.py", "edge_device"}
    assert "edge_device" in (target / "classify.py").read_text()
    assert (target / "edge_device" / "sources" / "named.py").is_file()


def test_a_folder_with_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with (
        pytest.raises(ExportError, match="holds something else than a bundle"),
        new_bundle(tmp_path),
    ):
        pytest.fail("nothing may be written")
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_file_is_no_place_for_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="is a file"), new_bundle(tmp_path / "file"):
        pytest.fail("nothing may be written")


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(ExportError, match=r"cannot be written: "),
        new_bundle(tmp_path / "file" / "bundle"),
    ):
        pytest.fail("nothing may be written")


def test_what_somebody_put_into_a_bundle_is_there_after_the_next_export(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    for number in (1, 2):
        with new_bundle(target) as folder:
            (folder / "spec.json").write_text(json.dumps({"format": BUNDLE_FORMAT, "n": number}))
            if number == 1:
                (folder / "model-int8.tflite").write_bytes(b"old")
        if number == 1:
            (target / ".venv" / "bin").mkdir(parents=True)
            (target / ".venv" / "bin" / "python").write_text("mine")
            (target / "notes.txt").write_text("mine too")
    assert json.loads((target / "spec.json").read_text())["n"] == 2
    assert (target / ".venv" / "bin" / "python").read_text() == "mine"
    assert (target / "notes.txt").read_text() == "mine too"
    assert not (target / "model-int8.tflite").exists()


KILLED_AT_EACH_CHANGE = """
import json, os, signal, sys
from pathlib import Path
from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.export.bundle import new_bundle, write_device

def write(folder, text):
    content = json.dumps({"format": BUNDLE_FORMAT, "text": text})
    (folder / "spec.json").write_text(content)

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

left, killed, number = 0, True, 0
while killed:
    number += 1
    target = Path(sys.argv[1]) / str(number) / "bundle"
    with new_bundle(target) as folder:
        write(folder, "old")
    (target / "notes.txt").write_text("mine")
    pid = os.fork()
    if pid == 0:
        left = number
        sys.addaudithook(watch)
        with new_bundle(target) as folder:
            write(folder, "new")
        os._exit(0)
    killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
print(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="victims are forked")
def test_a_bundle_whose_replacement_was_killed_at_any_moment_is_old_new_or_brought_back(
    tmp_path: Path,
) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", KILLED_AT_EACH_CHANGE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > 5, "hardly anything was cut short"
    for place in tmp_path.iterdir():
        if (place / "bundle").exists():
            assert _text(place / "bundle") in ("old", "new")
        with new_bundle(place / "bundle") as folder:
            _write(folder, "newest")
        assert _text(place / "bundle") == "newest"
        assert (place / "bundle" / "notes.txt").read_text() == "mine"
        assert [p.name for p in place.iterdir()] == ["bundle"]
        assert not (place / "bundle" / ".lock").exists()


def test_a_bundle_that_another_program_is_writing_is_left_alone(tmp_path: Path) -> None:
    with new_bundle(tmp_path / "bundle") as first:
        _write(first, "first")
        with new_bundle(tmp_path / "bundle") as second:
            _write(second, "second")
        assert first.exists()
        assert _text(tmp_path / "bundle") == "second"
    assert _text(tmp_path / "bundle") == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]
