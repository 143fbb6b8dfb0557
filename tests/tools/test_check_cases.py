"""Files as people have them become what they are, or are told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from check_cases import KNOWN, Run, judged
from support.shared_data import shared_folder

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {"cat": (6, 3), "dog": (6, 3)}


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (Run(0, "", RIGHT), "right"),
        (Run(2, "refused: x/9.jpg: damaged\n", {"cat": (6, 2), "dog": (6, 3)}), "told"),
        (Run(2, "refused: x/9.jpg: damaged\n", {}), "told"),
        (Run(2, "refused: x/8.jpg: damaged\n", {"cat": (6, 2), "dog": (6, 3)}), "WRONG"),
        (Run(0, "refused: x/9.jpg: damaged\n", {"cat": (6, 2), "dog": (6, 3)}), "WRONG"),
        (Run(2, "nothing could be added\n", {}), "WRONG"),
        (Run(0, "", {"cat": (6, 2), "dog": (6, 3)}), "WRONG"),
        (Run(0, "Note: odd\n", {"train": (12, 0), "test": (6, 0)}), "WRONG"),
        (Run(0, "Note: odd\n", {"cat": (9, 0), "dog": (9, 0)}), "WRONG"),
        (Run(1, "Traceback (most recent call last):\n", {}), "WRONG"),
    ],
)
def test_what_is_missing_has_to_be_named_and_nothing_else_may_be_trained_on(
    run: Run, verdict: str
) -> None:
    assert judged("x", run, RIGHT, missing="9.jpg").verdict == verdict
    if verdict == "told":
        assert judged("x", run, RIGHT).verdict == "WRONG"


def test_of_each_case_a_function_says_what_is_right() -> None:
    folders = {path.name for path in shared_folder("cases").iterdir() if path.is_dir()}
    assert {case.__name__.replace("_", "-") for case in KNOWN} == folders - {"__pycache__"}


def test_a_case_of_which_nothing_says_what_is_right_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "cases" / "new-kind").mkdir(parents=True)
    done = check("new-kind", tmp_path)
    assert done.returncode == 1
    assert "no function says what is right" in done.stdout


def check(case: str, shared: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "tools", "check_cases", case],
        check=False,
        capture_output=True,
        cwd=ROOT,
        encoding="utf-8",
        env={**os.environ, "EDGE_CLASSIFIER_SHARED": str(shared)},
    )


@pytest.mark.long
@pytest.mark.parametrize("case", [case.__name__.replace("_", "-") for case in KNOWN])
def test_each_case_is_right_or_told(case: str) -> None:
    folder = shared_folder("cases", case)
    if (folder / "make.sh").exists() and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed, which makes these files")
    if case == "keys-layout" and not all(map(shutil.which, ("Xvfb", "xdotool", "setxkbmap"))):
        pytest.skip("Xvfb, xdotool or setxkbmap is not installed")
    done = check(case, folder.parents[1])
    assert done.returncode == 0, done.stdout + done.stderr
