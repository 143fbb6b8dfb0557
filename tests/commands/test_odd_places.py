"""Commands where output goes nowhere, and where folders and settings of the system are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a shell's redirections", allow_module_level=True)

TIMEOUT_S = 120
FULL = b"edge-classifier: Cannot write the answers: the disk is full"


def run(*words: str | Path, place: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command by a shell, which makes the place that it runs in."""
    own = [sys.executable, "-m", "edge_classifier", *map(str, words)]
    return subprocess.run(  # noqa: S603 - our own command
        ["sh", "-c", place.replace("RUN", '"$@"'), "sh", *own],  # noqa: S607 - a POSIX system has it
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=TIMEOUT_S,
        check=False,
    )


HELP = (("--help",), ("--version",), ("train", "--help"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
@pytest.mark.parametrize("words", HELP, ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_cannot_be_written_is_told(words: tuple[str, ...], unbuffered: str) -> None:
    done = run(*words, place=f"PYTHONUNBUFFERED={unbuffered} RUN >/dev/full")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.partition(b";")[0]) == (1, FULL)


@pytest.mark.parametrize("place", ["RUN >&-", "RUN <&- >&- 2>&-", "RUN >/dev/null 2>&-"])
def test_closed_output_is_output_that_nobody_wants(taught_project: Path, place: str) -> None:
    for words in (HELP[0], ("predict", taught_project, next(taught_project.glob("samples/*/*")))):
        assert run(*words, place=place).returncode == 0


@pytest.mark.parametrize("place", ["RUN", "RUN 2>&-", "RUN >&- 2>&-", "RUN <&- >&- 2>&-"])
def test_what_is_wrong_is_in_the_exit_status_where_nobody_hears_it(place: str) -> None:
    for words in (("train",), ("train", "x", "--seed", "-1"), ("nonsense",)):
        done = run(*words, place=place)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == ("2>" not in place)


PLACES = {
    "a working folder that is gone": "mkdir gone && cd gone && rmdir ../gone && RUN",
    "no home": "unset HOME; RUN",
    "a home that is none": "HOME=/dev/null RUN",
    "a cache that cannot be": "XDG_CACHE_HOME=/dev/null RUN",
    "no folder for temporary files": "TMPDIR=/nowhere RUN",
    "an old locale": "LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 RUN",
    "no environment": "exec env -i PYTHONPATH=$PYTHONPATH RUN",
    "a terminal that nobody knows": "TERM=nonsense COLUMNS=x LINES=-1 RUN",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_a_command_does_not_need_may_be_missing(
    taught_project: Path, tmp_path: Path, place: str
) -> None:
    project = shutil.copytree(taught_project, tmp_path / "project")
    picture = next(project.glob("samples/*/*"))
    done = run("predict", project, picture, place=f"cd {tmp_path}; {place}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(os.fsencode(picture.name))


def test_what_lies_in_a_working_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    place = f"cd {tmp_path}; unset DISPLAY; {PLACES['a working folder that is gone']}"
    for words in (("predict", ".", "x.png"), ("export", "."), ("demo", "--no-window")):
        done = run(*words, place=place)
        assert done.returncode == 1
        assert [line[:17] for line in done.stderr.splitlines()] == [b"edge-classifier: "]
    assert done.stderr == b"edge-classifier: The working folder: it is not there.\n"
