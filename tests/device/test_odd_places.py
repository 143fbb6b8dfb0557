"""The runner where output goes nowhere, names are no text, and folders are gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from support import exported_project

if sys.platform == "win32":
    pytest.skip("a shell's redirections, and names of any bytes", allow_module_level=True)

TIMEOUT_S = 60


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "photo.png"
    cv2.imwrite(str(path), exported_project.picture(0, 50))
    return path


def run(
    bundle: Path, *words: str | Path, where: str = "", before: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run the bundle's own file by a shell, which makes the place that it runs in."""
    no_screen = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
    own: list[str | bytes] = [
        sys.executable,
        "-I",
        str(bundle / "classify.py"),
        *map(os.fsencode, words),
    ]
    return subprocess.run(  # noqa: S603 - our own file
        ["sh", "-c", f'{before} "$@" {where}', "sh", *own],  # noqa: S607 - a POSIX system has it
        capture_output=True,
        env=no_screen,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize("where", [">&-", "<&- >&-", "<&- >&- 2>&-", ">/dev/null 2>&-"])
@pytest.mark.parametrize("option", ["--changes", "--verify", "--benchmark", "--help"])
def test_closed_output_is_output_that_nobody_wants(
    bundle: Path, picture: Path, where: str, option: str
) -> None:
    done = run(bundle, picture, option, where=where)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("word", ["--threads=0", "nowhere.png", "--nonsense"])
def test_what_is_wrong_is_in_the_exit_status_where_nobody_hears_it(bundle: Path, word: str) -> None:
    aloud = run(bundle, word)
    assert aloud.stderr.startswith(b"classify: ")
    assert aloud.stderr.count(b"\n") == 1
    for where in ("2>&-", ">&- 2>&-", "2>/dev/full"):
        silent = run(bundle, word, where=where)
        assert (silent.returncode, silent.stdout) == (aloud.returncode, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
@pytest.mark.parametrize("option", ["--no-smoothing", "--verify", "--benchmark", "--help"])
def test_output_that_is_full_is_told_in_one_line(bundle: Path, picture: Path, option: str) -> None:
    done = run(bundle, picture, option, where=">/dev/full")
    assert done.returncode == 1
    assert done.stderr == b"classify: No space left on device.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
def test_a_log_that_is_full_stops_nothing(bundle: Path, picture: Path) -> None:
    damaged = picture.with_name("damaged.png")
    damaged.write_bytes(b"no picture")
    done = run(bundle, picture.parent, where="2>/dev/full")
    damaged.unlink()
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 1


def test_who_reads_no_more_ends_it_without_a_word(bundle: Path, tmp_path: Path) -> None:
    video = exported_project.video(tmp_path / "clip.avi", 60)
    done = run(bundle, video, where="| head -n 1")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == b""


@pytest.mark.parametrize("word", ["{picture}", "nowhere.png", ".", "--verify", "--adapt=once"])
def test_a_working_folder_that_is_gone_matters_only_to_what_lies_in_it(
    bundle: Path, picture: Path, tmp_path: Path, word: str
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    source = word.format(picture=picture)
    before = f"cd {folder} && rmdir {folder} &&"
    done = run(bundle, source, before=before)
    lines = done.stderr.splitlines()
    if source == str(picture) or word == "--verify":
        assert (done.returncode, lines) == (0, [])
    else:
        assert done.returncode == 1
        assert [line[:10] for line in lines] == [b"classify: "]


NO_TEXT = "n\udcffame"
"""A name of bytes that are no UTF-8, as Python writes it."""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_picture_may_have_a_name_that_is_no_text(
    bundle: Path, picture: Path, tmp_path: Path
) -> None:
    shutil.copy(picture, tmp_path / f"{NO_TEXT}.png")
    done = run(bundle, tmp_path / f"{NO_TEXT}.png")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"].endswith("n\udcffame.png")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
@pytest.mark.parametrize("name", [f"{NO_TEXT}.avi", f"{NO_TEXT}/clip.avi", f"{NO_TEXT}/clip"])
def test_a_video_whose_path_is_no_text_is_played(bundle: Path, tmp_path: Path, name: str) -> None:
    """OpenCV by itself ends the process for such a name."""
    video = exported_project.video(tmp_path / "clip.avi", 10)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    video.rename(tmp_path / name)
    done = run(bundle, tmp_path / name)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 10


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_bundle_may_lie_in_a_folder_whose_name_is_no_text(
    bundle: Path, picture: Path, tmp_path: Path, screen: str
) -> None:
    there = Path(shutil.copytree(bundle, tmp_path / NO_TEXT))
    assert run(there, picture).returncode == 0
    video = exported_project.video(tmp_path / "clip.avi", 10)
    done = run(there, video, "--frames=3", before=f"DISPLAY={screen}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("threads", ["100000", "65", "0", "-1", "²", "9" * 5000, "nan", "1.5", ""])
def test_a_number_that_there_cannot_be_is_told_with_its_range(
    bundle: Path, picture: Path, threads: str
) -> None:
    done = run(bundle, picture, f"--threads={threads}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"classify: argument --threads: expected a whole number from 1 to 64")
    assert len(line) < 300
