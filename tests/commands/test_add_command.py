"""`edge-classifier add` as a user runs it."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_pictures
from support.shared_data import shared_folder

from edge_classifier.commands.cli import main
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_pictures(tmp_path, "data/cat/1.jpg", "data/dog/1.jpg", "data/dog/2.jpg")
    return tmp_path / "data"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def test_a_new_project_is_made_and_said_and_the_counts_are_printed(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(data)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "class  added  held out  in the project",
        "cat        1         0               1",
        "dog        2         0               2",
    ]
    assert f"{data}: a folder per class" in err
    assert f"Project: {project} (new)" in err
    assert err.endswith("3 added.\n")
    assert "\r" not in err


def test_adding_again_adds_nothing_and_is_no_failure(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", str(project), str(data)])
    assert main(["add", str(project), str(data)]) == 0
    assert "0 added, 3 there already." in capsys.readouterr().err


def test_refused_files_are_listed_and_the_exit_code_says_so(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "dog" / "bad.jpg").write_text("hello")
    (data / "notes.txt").write_text("hello")
    assert main(["add", str(project), str(data), str(data / "gone")]) == 3
    err = capsys.readouterr().err
    assert f"refused: Cannot read {data}/gone: it is not there." in err
    assert f"refused: {data}/dog/bad.jpg is not a picture that can be read" in err
    assert f"Left alone, as they are no pictures: {data}/notes.txt" in err
    assert "3 added, 2 refused." in err


def test_where_nothing_can_be_done_no_project_is_made(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(data / "gone")]) == 1
    assert not project.exists()
    (data / "only").mkdir()
    (data / "only" / "x-1.jpg").write_text("hello")
    assert main(["add", str(project), str(data / "only")]) == 1
    assert not project.exists()
    assert capsys.readouterr().err.count("refused: ") == 2


def test_a_dry_run_makes_no_project(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "dog" / "bad.jpg").write_text("hello")
    assert main(["add", "--dry-run", str(project), str(data)]) == 3
    out, err = capsys.readouterr()
    assert "dog                 2         0               0" in out
    assert "3 would be added, 1 refused." in err
    assert not project.exists()


def test_a_dry_run_works_while_the_project_is_open_elsewhere(data: Path, project: Path) -> None:
    with ProjectStore.create(project):
        assert main(["add", "--dry-run", str(project), str(data)]) == 0
        assert main(["add", str(project), str(data)]) == 1


def test_a_class_can_be_said_for_everything(data: Path, project: Path) -> None:
    assert main(["add", str(project), str(data), "--class", "pet"]) == 0
    with ProjectStore.open(project) as store:
        assert store.class_names() == ("pet",)
        assert len(store.samples()) == 3


def test_pictures_can_be_named_one_by_one(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(data, "mug-1.jpg", "mug-2.jpg", "me.jpg")
    paths = [str(data / name) for name in ("mug-1.jpg", "mug-2.jpg", "me.jpg")]
    assert main(["add", str(project), *paths]) == 3
    err = capsys.readouterr().err
    assert "2 added, 1 refused." in err
    assert err.count("\n") == 3
    assert f"refused: {data}/me.jpg: neither a folder nor its name tells its class" in err


def test_a_stretch_of_a_video_becomes_one_burst(project: Path) -> None:
    video = shared_folder("data", "clips", "bottles.mp4")
    words = ["--class", "bottle", "--from", "1", "--to", "2", "--every", "5"]
    assert main(["add", str(project), str(video), *words]) == 0
    with ProjectStore.open(project) as store:
        assert len(store.samples()) in {5, 6}
        assert len({s.burst_id for s in store.samples()}) == 1


def test_options_of_videos_need_a_video(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(data), "--every", "3"]) == 1
    assert "no video is named" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["add", str(project), str(data), "--every", "0"])
    assert not project.exists()


def test_many_refused_for_one_reason_are_counted_and_a_few_are_named(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(300):
        (data / "dog" / f"bad{number}.jpg").write_bytes(b"x" * number)
    rows = [f"gone{number}.jpg,dog" for number in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows]))
    assert main(["add", str(tmp_path / "p"), str(data), str(tmp_path / "t.csv")]) == 3
    err = capsys.readouterr().err
    assert "500 refused." in err
    told = [line for line in err.splitlines() if line.startswith("refused")]
    assert len(told) <= 4
    assert f"there is no such file, 200 times: {tmp_path}/t.csv, row 2: gone0.jpg, " in "".join(
        told
    )
    assert "gone2.jpg and 197 more" in "".join(told)


def test_a_video_that_is_refused_is_not_said_to_be_missing(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    options = ["--class", "cat", "--every", "3"]
    assert main(["add", str(project), str(tmp_path / "bad.mp4"), *options]) == 1
    err = capsys.readouterr().err
    assert "is not a video that can be played" in err
    assert "no video is named" not in err


def test_project_and_path_exchanged_says_what_to_do(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(data), str(project)]) == 1
    err = capsys.readouterr().err
    assert f"Cannot read {project}" in err
    project.mkdir()
    write_pictures(project, "dog/1.jpg")
    assert main(["add", str(data), str(project)]) == 1
    assert f"`edge-classifier add NEW_PROJECT {data}`" in capsys.readouterr().err


def test_a_name_cannot_steer_the_terminal(
    data: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "dog" / "a\x1b[2J\n.jpg").write_text("hello")
    main(["add", str(project), str(data)])
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "a\\x1b[2J\\n.jpg" in err


def test_ctrl_c_ends_after_the_picture_in_hand_and_keeps_what_was_added(
    tmp_path: Path, project: Path
) -> None:
    if sys.platform == "win32":
        pytest.skip("there is no such terminal")
    folder = tmp_path / "many" / "dog"
    folder.mkdir(parents=True)
    (tmp_path / "many" / "cat").mkdir()
    for number in range(60):  # a big one each, so that it takes some seconds
        (folder / f"{number}.jpg").write_bytes(picture_bytes(number, size=(2400, 1800)))
    shutil.copy(folder / "0.jpg", tmp_path / "many" / "cat" / "0.jpg")
    command = [sys.executable, "-m", "edge_classifier", "add", str(project), str(tmp_path / "many")]
    terminal, side = os.openpty()
    running = subprocess.Popen(command, stderr=side, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    os.close(side)
    try:
        shown = _read_until(terminal, r"\s+[1-9][0-9]?%.*done")
        running.send_signal(signal.SIGINT)
        rest = _read_until(terminal, r"the same command goes on")
        out = running.communicate(timeout=30)[0]
    finally:
        running.kill()
        os.close(terminal)
    assert "━" in shown + rest
    assert running.returncode == 130
    with ProjectStore.open(project) as store:
        added = len(store.samples())
    assert 0 < added < 60
    counts = [int(line.split()[1]) for line in out.splitlines()[1:]]
    assert sum(counts) == added


def _read_until(terminal: int, pattern: str) -> str:
    text, deadline = "", time.monotonic() + 60
    while not re.search(pattern, text):
        ready = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]
        assert ready, text
        text += os.read(terminal, 4096).decode(errors="replace")
    return text
