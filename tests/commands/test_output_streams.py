"""What readers of the commands find: that went, with other encodings, on full disks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from support.exported_project import picture


@pytest.mark.parametrize("words", [["train"], ["evaluate", "--json"]])
def test_a_reader_that_has_gone_ends_every_command_in_silence(
    fresh: Path, words: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", *words, fresh, "--backbone", "built-in"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(writing)
    assert said.returncode == 141
    assert "Traceback" not in said.stderr
    assert "BrokenPipe" not in said.stderr


@pytest.mark.parametrize("name", ["train", "evaluate", "predict"])
def test_names_that_the_output_cannot_spell_are_no_failure(
    taught_project: Path, tmp_path: Path, held_out: Path, name: str
) -> None:
    project = str(shutil.copytree(taught_project, tmp_path / "own"))
    words = [project, str(held_out), "--json"] if name == "predict" else [project]
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", name, *words],
        capture_output=True,
        encoding="cp1252",
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONIOENCODING": "cp1252",  # what Windows gives a program whose output is piped
        },
    )
    assert said.returncode == 0, said.stderr
    assert "\\U0001f331" in said.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
def test_answers_that_cannot_be_written_are_one_line(taught_project: Path, held_out: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(  # noqa: S603 - this very package
            [sys.executable, "-m", "edge_classifier", "predict", taught_project, held_out],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert said.returncode == 1
    assert "edge-classifier: Cannot write the answers: the disk is full" in said.stderr
    assert "Error" not in said.stderr


def test_a_reader_that_has_enough_ends_predict_in_silence(
    taught_project: Path, held_out: Path
) -> None:
    program = subprocess.Popen(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", "predict", taught_project, *[held_out] * 200],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline()
    program.stdout.close()
    told = program.stderr.read()
    program.stderr.close()
    assert program.wait(60) == 141
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_file_name_that_is_no_utf8_goes_out_as_it_came_in(
    taught_project: Path, tmp_path: Path
) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(cv2.imencode(".png", picture(0, 0))[1].tobytes())
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", "predict", taught_project, tmp_path, "--csv"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert name in said.stdout
