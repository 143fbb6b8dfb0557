"""Model files that somebody else made: looked at, tried once in another process, or refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import classifiers

from edge_classifier.device.operators import check_operators
from edge_classifier.device.trial import check_model, remember
from edge_classifier.features.built_in import built_in_folder


@pytest.fixture(autouse=True)
def _nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


@pytest.mark.parametrize("make", [classifiers.colours, classifiers.sides, classifiers.quantised])
def test_a_classifier_passes(make: Callable[[], bytes]) -> None:
    check_model(make())


def test_the_built_in_network_passes() -> None:
    folder = built_in_folder()
    assert folder is not None
    check_model((folder / "built-in.tflite").read_bytes())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (classifiers.endless(), "the operator WHILE, which no classifier of pictures needs"),
        (classifiers.growing(), "operator 69 computes how large its output is"),
        (classifiers.with_operator("edgetpu-custom-op"), "compiled for an Edge TPU"),
        (classifiers.with_operator("FlexErf"), r"needs TensorFlow itself \(FlexErf\)"),
        (classifiers.with_operator("MaxUnpooling2D"), "an operator of its own, 'MaxUnpooling2D'"),
        (classifiers.with_operator("IF"), "the operator IF"),
        (classifiers.with_operator("CALL_ONCE"), "the operator CALL_ONCE"),
        (classifiers.with_operator("STABLEHLO_WHILE"), "the operator STABLEHLO_WHILE"),
        (classifiers.with_operator("DELEGATE"), "the operator DELEGATE"),
        (classifiers.with_operator("RANDOM_UNIFORM"), "the operator 148"),
        (b"", "its identifier is not TFL3"),
        (b"\x1c\0\0\0TFL3", "its tables are damaged"),
        (b"\xff\xff\xff\x7fTFL3" * 9, "its tables are damaged"),
    ],
)
def test_what_no_classifier_does_is_refused_before_it_runs(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_operators(content)


def test_looking_at_a_file_takes_no_longer_than_the_file_is_long() -> None:
    content = classifiers.sharing_one_shape(50_000, 50_000)
    started = time.process_time()
    with pytest.raises(ValueError, match="its tables are damaged"):
        check_operators(content)
    assert time.process_time() - started < 5


def test_scores_that_are_no_numbers_and_entries_out_of_range_are_found_by_the_trial() -> None:
    with pytest.raises(ValueError, match="gather index out of bounds"):
        check_model(classifiers.reaching_out())
    with pytest.raises(ValueError, match="no finite numbers"):
        check_model(classifiers.colours(np.full((3, 3), np.nan, np.float32)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory so")
def test_a_network_that_takes_more_than_a_gigabyte_ends_the_trial_alone() -> None:
    with pytest.raises(ValueError, match="failed to prepare"):
        check_model(classifiers.many_convolutions(8, kept=True))
    with pytest.raises(ValueError, match="more memory than the gigabyte"):
        check_model(classifiers.of_shape((1, 4700, 4700, 3)))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows bounds it by the clock only")
def test_a_network_that_takes_more_than_seconds_is_ended() -> None:
    with pytest.raises(
        ValueError, match=r"a run of it (takes more than 5 s|does not end within 60 s)"
    ):
        check_model(classifiers.many_convolutions(300))


def test_a_file_is_tried_once_and_then_costs_nothing() -> None:
    content = classifiers.colours()
    check_model(content)
    started = time.process_time(), time.perf_counter()
    for _ in range(100):
        check_model(content)
    assert time.perf_counter() - started[1] < 0.1 * 100
    assert (time.process_time() - started[0]) / 100 < 0.01


def test_what_was_made_here_is_not_tried() -> None:
    content = classifiers.reaching_out()  # would be refused
    remember(hashlib.sha256(content).hexdigest())
    check_model(content)


def test_files_are_tried_again_where_nothing_can_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    for _ in range(2):
        with pytest.raises(ValueError, match="gather index"):
            check_model(classifiers.reaching_out())


def test_a_module_in_the_current_folder_is_not_taken_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "ran"
    for name in ("numpy.py", "importlib.py", "ai_edge_litert.py"):
        (tmp_path / name).write_text(f"open({str(mark)!r}, 'w')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    check_model(classifiers.colours())
    assert not mark.exists()


def test_no_more_is_remembered_than_is_of_use(tmp_path: Path) -> None:
    remember("0" * 64)
    (noted,) = (tmp_path / "cache" / "edge-classifier").rglob("0*")
    for number in range(999):
        (noted.parent / f"{number}").touch()
    for name in "abc":
        remember(name * 64)
    names = {path.name for path in noted.parent.iterdir()}
    assert len(names) == 1000
    assert {name * 64 for name in "abc"} <= names


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (classifiers.endless, "it holds the operator WHILE"),
        (classifiers.growing, "computes how large its output is"),
        (classifiers.reaching_out, "gather index out of bounds"),
    ],
)
def test_a_strangers_bundle_is_refused_on_the_device_in_one_line(
    bundle: Path, tmp_path: Path, make: Callable[[int], bytes], reason: str
) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    spec = json.loads((copy / "spec.json").read_text(encoding="utf-8"))
    network = make(spec["preprocessing"]["input_size"])
    first = next(iter(spec["models"].values()))
    (copy / first["file"]).write_bytes(network)
    first["sha256"] = hashlib.sha256(network).hexdigest()
    (copy / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(copy / "classify.py"), str(copy / "reference"), "--no-window"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
