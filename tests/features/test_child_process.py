"""Child processes: what they say, and that they do not outlive the program that started them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_classifier.errors import BackboneError, ExportError, WeightsMismatchError
from edge_classifier.features.child_process import Failure, run_child

_CHILD = """
import sys, time
from edge_classifier.features.child_process import say_step, serve
def work(_arguments):
    say_step(0.0, "working")
    time.sleep(60)
sys.exit(serve(work))
"""

_REFUSING = """
import sys
from edge_classifier.errors import BackboneError
from edge_classifier.features.child_process import serve
def work(arguments):
    (path,) = arguments
    raise BackboneError(f"{path} is no TFLite model.")
sys.exit(serve(work))
"""


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - a fixed program
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"step 0.000 working\n"
    return process


def test_a_child_ends_when_nobody_holds_its_standard_input_any_more(
    child: subprocess.Popen[bytes],
) -> None:
    """As after `kill` or `kill -9` of the parent: the system closes what it had open."""
    with child:
        assert child.poll() is None
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=30) == 1


def ignore(_done: float, _what: str | None = None, /) -> None:
    """Show no progress."""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a program that refuses its only argument."""
    (tmp_path / "refusing.py").write_text(_REFUSING, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "refusing"


def test_what_a_child_says_of_its_failure_is_what_its_parent_raises(module: str) -> None:
    failure = run_child(
        module,
        ["junk.tflite"],
        progress=ignore,
        cancelled=lambda: False,
        stopped="",
    )
    assert failure is not None
    assert (failure.kind, failure.status) == ("failed", 1)
    error = failure.as_error("TensorFlow could not convert it", ExportError)
    assert type(error) is ExportError
    assert "no TFLite model" in str(error)


def test_a_child_that_ends_without_a_word_is_told_by_its_last_complaint(module: str) -> None:
    failure = run_child(
        module,
        [],  # too few
        progress=ignore,
        cancelled=lambda: False,
        stopped="",
    )
    assert failure is not None
    assert failure.kind == ""
    error = failure.as_error("TensorFlow could not compile v2-0.35")
    assert type(error) is BackboneError
    assert str(error).startswith("TensorFlow could not compile v2-0.35: ValueError: ")


def test_weights_that_do_not_fit_are_an_error_of_their_own() -> None:
    error = Failure("mismatch", "w.h5 is damaged.", 1).as_error("It failed", ExportError)
    assert type(error) is WeightsMismatchError
    assert str(error) == "w.h5 is damaged."


def test_no_program_of_the_folder_that_one_works_in_is_run(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "from a stranger"
    folder.mkdir()
    trap = "from pathlib import Path\nPath('caught').touch()\n"
    for name in ("numpy", "json", "edge_classifier", "tempfile"):
        (folder / f"{name}.py").write_text(trap)
    monkeypatch.chdir(folder)
    failure = run_child(
        module, ["model"], progress=ignore, cancelled=lambda: False, stopped="stopped"
    )
    assert failure == Failure("failed", "model is no TFLite model.", 1)
    assert not (folder / "caught").exists()
