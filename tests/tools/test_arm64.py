"""The job that `check_arm64.sh` has done on both architectures, on this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from arm64.scenes import SCRIPT, VIDEO, render

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_job_teaches_by_keys_and_tells_what_each_frame_and_picture_is_called(
    tmp_path: Path,
) -> None:
    scenes, project = tmp_path / "scenes", tmp_path / "job"
    render(scenes)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "tools", "arm64.job", str(scenes), str(project), "float32"],
        check=False,
        capture_output=True,
        cwd=ROOT,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "recorded: 15 pictures" in done.stdout
    assert (tmp_path / "job-float32" / "classify.py").exists()
    asked = json.loads((scenes / SCRIPT).read_text("utf-8"))["asked"]
    said = dict(
        line.split("\t") for line in project.with_suffix(".tsv").read_text("utf-8").splitlines()
    )
    assert said[f"live frame {asked}"] == "mug"
    assert said["taught phone-0.png"] == said["adapted phone-3.png"] == "phone"
    assert (scenes / VIDEO).exists()
