"""A device that adapts, as the process that it is: stopped, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.mounts import read_only

from edge_classifier.commands.cli import main
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    pass

STATE = "adaptation-state.npz"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of all classes in another light, again and again."""
    path = tmp_path_factory.mktemp("evening") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for number in range(600):
        writer.write(exported_project.in_the_evening(number // 10 % len(CLASSES), 200 + number))
    writer.release()
    return path


def start(bundle: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", str(bundle / "classify.py"), *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def end(process: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Wait for the end; returns its answers, and what it said on standard error."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    answers = [json.loads(line) for line in out.splitlines() if line.endswith("}")]
    return answers, [line for line in err.splitlines() if not line.startswith("INFO:")]


def run(bundle: Path, *arguments: str | Path) -> tuple[list[dict[str, Any]], list[str], int]:
    process = start(bundle, *arguments)
    answers, told = end(process)
    return answers, told, process.returncode


def first_answers(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def test_without_being_asked_it_answers_as_exported_and_writes_nothing(
    copy: Path, evening: Path
) -> None:
    before = {path.name for path in copy.iterdir()}
    answers, told, status = run(copy, evening, "--frames", "60")
    assert (status, told) == (0, [])
    assert not any("adapted" in answer for answer in answers)
    assert {path.name for path in copy.iterdir()} == before


@pytest.mark.parametrize("model_format", ["float32", "int8"])
def test_it_says_when_it_has_adapted_and_the_evening_is_familiar_then(
    copy: Path, evening: Path, model_format: str
) -> None:
    plain, _, _ = run(copy, evening, "--format", model_format)
    answers, told, _ = run(copy, evening, "--adapt", "follow", "--format", model_format)
    assert told[0].startswith("adapted to ")
    assert answers[-1]["adapted"] is True
    assert "adapted" not in answers[0]
    last = slice(300, None)
    familiar, before = (
        float(np.mean([a["similarity"] for a in said[last]])) for said in (answers, plain)
    )
    assert familiar > before + 0.02
    right = [a["label"] == CLASSES[n // 10 % 3] for n, a in enumerate(answers)][last]
    assert (
        np.mean(right)
        > np.mean([a["label"] == CLASSES[n // 10 % 3] for n, a in enumerate(plain)][last]) - 0.01
    )


def test_a_video_says_the_same_in_every_run(copy: Path, evening: Path) -> None:
    first, _, _ = run(copy, evening, "--adapt", "follow", "--frames", "200")
    (copy / STATE).unlink()
    second, _, _ = run(copy, evening, "--adapt", "follow", "--frames", "200")
    assert first == second


def test_the_formats_agree_once_adapted(copy: Path, evening: Path) -> None:
    said = []
    for model_format in ("float32", "int8"):
        answers, _, _ = run(copy, evening, "--adapt", "follow", "--format", model_format)
        said.append([a["label"] for a in answers[200:]])
        (copy / STATE).unlink()
    assert np.mean([a == b for a, b in zip(*said, strict=True)]) > 0.95


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_what_it_has_adapted_to_survives_the_end_of_the_service(
    copy: Path, evening: Path, how: signal.Signals, status: int
) -> None:
    process = start(copy, evening, "--adapt", "follow")
    first_answers(process, 150)
    process.send_signal(how)
    end(process)
    assert process.returncode == status
    answers, told, _ = run(copy, evening, "--adapt", "follow", "--frames", "1")
    assert answers[0]["adapted"] is True
    assert len(told) == 1
    assert told[0].startswith("adapted to ")


def test_a_kill_at_any_time_leaves_a_state_that_is_whole_or_none(copy: Path, evening: Path) -> None:
    for count in (1, 2, 5, 20, 80):
        process = start(copy, evening, "--adapt", "follow")
        first_answers(process, count)
        process.kill()
        end(process)
        _, told, status = run(copy, evening, "--adapt", "follow", "--frames", "1")
        assert status == 0
        assert all(line.startswith(("adapted to ", "not adapted: ")) for line in told)


def test_frames_of_a_live_source_do_not_wait_for_it(copy: Path) -> None:
    page = LivePage("127.0.0.1:0")
    stop = threading.Event()
    prediction = Prediction(CLASSES, np.full(len(CLASSES), 1 / len(CLASSES), np.float32))

    def keep_showing() -> None:
        number = 0
        while not stop.wait(0.02):
            image = exported_project.in_the_evening(number // 10 % len(CLASSES), 200 + number)
            page.show(Frame(image, number, 0.0), prediction)
            number += 1

    thread = threading.Thread(target=keep_showing)
    thread.start()
    try:
        answers, told, status = run(
            copy, f"{page.url}stream", "--adapt", "follow", "--frames", "150"
        )
    finally:
        stop.set()
        thread.join(10)
        page.close()
    assert status == 0
    assert answers[-1]["adapted"] is True
    assert told[0].startswith("adapted to ")
    assert (copy / STATE).exists()


def test_a_damaged_state_is_said_in_one_line_and_begun_anew(copy: Path, evening: Path) -> None:
    (copy / STATE).write_bytes(b"PK\x03\x04 no archive")
    answers, told, status = run(copy, evening, "--adapt", "follow", "--frames", "100")
    assert status == 0
    assert "is damaged" in told[0]
    assert "adapting begins anew" in told[0]
    assert "adapted" not in answers[0]
    assert answers[-1]["adapted"] is True
    assert "adapted to" in told[-1]
    assert len(told) == 2


def test_a_bundle_in_a_folder_that_cannot_be_written_adapts_all_the_same(
    copy: Path, evening: Path
) -> None:
    with read_only(copy):
        answers, told, status = run(copy, evening, "--adapt", "follow", "--frames", "100")
    assert status == 0
    assert answers[-1]["adapted"] is True
    assert len([line for line in told if "cannot be written" in line]) == 1


def test_exporting_over_it_takes_the_state_away_and_keeps_what_is_not_ours(
    copy: Path, evening: Path, taught_project: Path
) -> None:
    run(copy, evening, "--adapt", "follow", "--frames", "60")
    (copy / "my-notes.txt").write_text("mine")
    (copy / ".tmp-0123456789abcdef").write_bytes(b"cut short")
    assert main(["export", str(taught_project), "-o", str(copy)]) == 0
    names = {path.name for path in copy.iterdir()}
    assert {"my-notes.txt", "taught.npz"} <= names
    assert not {STATE, ".tmp-0123456789abcdef"} & names


def test_the_benchmark_tells_what_adapting_costs(copy: Path, evening: Path) -> None:
    process = start(copy, evening, "--adapt", "follow", "--benchmark", "--frames", "100")
    out, _ = process.communicate(timeout=TIMEOUT_S)
    assert [line.split()[0] for line in out.splitlines()[1:5]] == [
        "capture",
        "preprocessing",
        "inference",
        "adapting",
    ]


def test_what_adapting_needs_is_missed_only_where_it_is_asked_for(
    copy: Path, evening: Path
) -> None:
    (copy / "taught.npz").unlink()
    assert run(copy, evening, "--frames", "1")[2] == 0
    for arguments in (("--adapt", "once"), ("--adapt", "follow"), ("--verify",)):
        answers, told, status = run(copy, evening, *arguments)
        assert (answers, status, len(told)) == ([], 1, 1)
        assert "taught.npz cannot be read" in told[0]
