"""Ctrl-C, as a terminal sends it, ends every command in one line, and leaves what it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import picture, teach
from support.picture_files import write_pictures

from edge_classifier.commands.cli import main
from edge_classifier.project.store import ProjectStore

if sys.platform == "win32":
    pytest.skip("a terminal is something else here", allow_module_level=True)
import pty

PICTURES = 300

BEFORE_ANYTHING = """
import builtins, signal, sys
from edge_classifier.__main__ import program

def interrupted(name, *rest):
    if name == "edge_classifier.commands.cli":
        signal.raise_signal(signal.SIGINT)
    return real(name, *rest)

real, builtins.__import__ = builtins.__import__, interrupted
sys.exit(program())
"""

_PATIENCE_S = 120.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours and movements of the cursor."""


class Terminal:
    """A command on a terminal of its own.

    Args:
        words: What is typed after `edge-classifier`.
        scratch: For what it keeps aside.
        screen: What `DISPLAY` is to name.
    """

    def __init__(self, *words: str, scratch: Path, screen: str = "") -> None:
        ours, its = pty.openpty()
        os.set_blocking(ours, False)
        self._ours = ours
        self._shown = ""
        self._scratch = scratch
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "edge_classifier", *words],
            stdout=its,
            stderr=its,
            stdin=its,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(scratch), "DISPLAY": screen},
        )
        os.close(its)

    @property
    def shown(self) -> str:
        """All that it has shown so far."""
        try:
            while chunk := os.read(self._ours, 1 << 16):
                self._shown += chunk.decode(errors="replace")
        except OSError:  # nothing more at present, or ever
            pass
        return self._shown

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + _PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, self.shown
            time.sleep(0.002)

    def interrupt(self, how: signal.Signals = signal.SIGINT) -> list[str]:
        """Press Ctrl-C; returns the lines shown, the last one last."""
        os.killpg(self.process.pid, how)
        return self.last_lines()

    def last_lines(self) -> list[str]:
        """Wait for the end; returns the lines shown, the last one last."""
        self.wait_for(lambda: bool(self.shown) and self.process.poll() is not None)
        with pytest.raises(ProcessLookupError):
            os.killpg(self.process.pid, 0)  # its children are gone too
        assert [path.name for path in self._scratch.iterdir()] == []
        lines = _CONTROL.sub("", self.shown).replace("\r", "\n").splitlines()
        os.close(self._ours)
        return [line for line in lines if line.strip()]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Teach a project."""
    made = teach(tmp_path_factory.mktemp("taught") / "project")
    made.store.close()
    return made.store.path


@pytest.fixture
def project(taught: Path, tmp_path: Path) -> Path:
    """Copy the project, with many pictures more whose features nobody has computed."""
    path = shutil.copytree(taught, tmp_path / "project")
    pixels = np.random.default_rng(1)
    for name in ("ball", "stripes"):
        for number in range(PICTURES):
            image = pixels.integers(0, 256, (48, 64, 3), np.uint8)
            cv2.imwrite(str(path / "samples" / name / f"{number}.jpg"), image)
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Make a folder for what commands keep aside."""
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def _added(shown: str) -> list[int]:
    return [int(number) for number in re.findall(r"adding, (\d+) done", shown)]


def model_of(path: Path) -> bytes:
    """Read a project's model."""
    return (path / "model" / "model.npz").read_bytes()


@pytest.mark.parametrize(
    ("words", "at", "said"),
    [
        (("train",), "opening the project", "the model is as it was"),
        (("train",), "computing features", "the model is as it was"),
        (("evaluate",), "computing features", "nothing was changed"),
        (("export",), "reading samples", "nothing was exported"),
    ],
)
def test_long_work_shows_how_far_it_is_and_ends_at_ctrl_c_with_all_as_it_was(
    words: tuple[str, ...], at: str, said: str, project: Path, scratch: Path
) -> None:
    model = model_of(project)
    if at == "opening the project":  # takes long where files are large
        large = np.random.default_rng(2).integers(0, 256, (90, 120, 3), np.uint8)
        for number in range(PICTURES // 2):
            path = project / "samples" / "ball" / f"{number}.jpg"
            cv2.imwrite(str(path), np.roll(large, number, axis=1))
            os.truncate(path, 8_000_000)
    terminal = Terminal(*words, str(project), scratch=scratch)
    terminal.wait_for(lambda: at in terminal.shown and "%" in terminal.shown)
    lines = terminal.interrupt()
    assert terminal.process.returncode == 130, lines
    assert lines[-1].startswith(f"edge-classifier: cancelled: {said}")
    assert not any("Traceback" in line for line in lines)
    if words != ("export",):  # which trains first where pictures were added
        assert model_of(project) == model
    assert sorted(path.name for path in project.parent.iterdir()) == [
        path.name for path in sorted((project, scratch))
    ]
    with ProjectStore.open(project) as store:
        assert len(store.samples()) == 2 * PICTURES + 30


def test_an_export_that_is_terminated_ends_in_one_line_too_and_leaves_nothing(
    taught: Path, tmp_path: Path, scratch: Path
) -> None:
    project = shutil.copytree(taught, tmp_path / "project")
    terminal = Terminal("export", str(project), "--format", "all", scratch=scratch)
    terminal.wait_for(lambda: any(tmp_path.glob(".project-bundle-*")))
    terminal.process.terminate()
    lines = terminal.last_lines()
    assert terminal.process.returncode == 143, lines
    assert lines[-1].startswith("edge-classifier: cancelled: nothing was exported")
    assert {path.name for path in tmp_path.iterdir()} == {"project", "scratch"}


def test_adding_goes_on_with_the_same_command_after_ctrl_c(project: Path, scratch: Path) -> None:
    new = scratch.parent / "new"
    words = ("add", str(new), str(project / "samples"))
    terminal = Terminal(*words, scratch=scratch)
    # The first class, and with it recordings to be told of, is in.
    terminal.wait_for(lambda: max(_added(terminal.shown), default=0) > PICTURES + 20)
    lines = terminal.interrupt()
    assert terminal.process.returncode == 130
    assert any("recordings" in line for line in lines)
    assert lines[-1] == (
        "edge-classifier: cancelled: what was added before stays; the same command goes on."
    )
    with ProjectStore.open(new) as store:
        before = {sample.image_sha256 for sample in store.samples()}
        assert len(before) < 2 * PICTURES
    assert main(list(words)) == 0
    with ProjectStore.open(new) as store, ProjectStore.open(project) as source:
        after = [sample.image_sha256 for sample in store.samples()]
        assert sorted(after) == sorted(sample.image_sha256 for sample in source.samples())
        assert before <= set(after)


def test_answers_given_before_ctrl_c_stand(project: Path, scratch: Path) -> None:
    words = ("predict", str(project), str(project / "samples"), "--csv")
    terminal = Terminal(*words, scratch=scratch)
    terminal.wait_for(lambda: terminal.shown.count(".jpg,") > 3)
    lines = terminal.interrupt()
    assert terminal.process.returncode == 130
    assert lines[-1].startswith("edge-classifier: cancelled: the answers so far stand")
    assert all(line.count(",") == 6 for line in lines if ".jpg," in line)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 100 s of two of the three classes, so that who waits for all of them goes on."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    shown = [picture(class_id, number) for number in range(60, 70) for class_id in range(2)]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (160, 120))
    for image in 150 * [cv2.resize(image, (160, 120)) for image in shown]:
        writer.write(image)
    writer.release()
    return path


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_what_a_camera_has_shown_until_it_is_stopped_is_adapted_to(
    taught: Path, clip: Path, tmp_path: Path, scratch: Path, how: signal.Signals
) -> None:
    project = shutil.copytree(taught, tmp_path / "project")
    terminal = Terminal("adapt", str(project), "--source", str(clip), scratch=scratch)
    terminal.wait_for(lambda: "8 of each are wanted" in terminal.shown)
    lines = terminal.interrupt(how)
    assert terminal.process.returncode == 0, lines
    assert any(line.endswith("2 of 3 classes seen") for line in lines)
    assert lines[-1].endswith("--undo` takes it back.")


@pytest.mark.window
def test_ctrl_c_in_the_terminal_closes_the_window_and_gives_the_project_back(
    project: Path, scratch: Path, screen: str
) -> None:
    words = ("live", str(project), "--source", "demo", "--backbone", "built-in")
    terminal = Terminal(*words, scratch=scratch, screen=screen)
    features = project / "cache"
    terminal.wait_for(lambda: any(path.stat().st_size > 100_000 for path in features.glob("*.bin")))
    lines = terminal.interrupt()
    assert terminal.process.returncode == 130, lines
    assert lines[-1] == (
        "edge-classifier: cancelled: everything that was captured is on disk; the same command "
        "goes on."
    )
    assert not any("Traceback" in line for line in lines)
    with ProjectStore.open(project) as store:
        assert len(store.samples()) == 2 * PICTURES + 30


def test_ctrl_c_before_anything_was_begun_says_so() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            sys.executable,
            "-c",
            BEFORE_ANYTHING,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        130,
        "edge-classifier: cancelled: nothing was begun.\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits a process as Linux does")
@pytest.mark.parametrize("threads", ["1", "8"], ids=["of ours", "of OpenBLAS"])
def test_where_no_more_threads_can_be_started_it_says_so(tmp_path: Path, threads: str) -> None:
    write_pictures(tmp_path / "set", "mug/1.jpg", "phone/2.jpg")
    # Each thread asks for a stack of 4 GB, and all together may have 3.
    limited = 'ulimit -s 4000000; ulimit -v 3000000; exec "$@"'
    paths = [str(tmp_path / "p"), str(tmp_path / "set")]
    command = [sys.executable, "-m", "edge_classifier", "add", *paths]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        ["/bin/bash", "-c", limited, "bash", *command],
        env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("edge-classifier: the system starts no more threads for this program;")
    assert "Traceback" not in done.stderr
