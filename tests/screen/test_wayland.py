"""The window on Wayland: by Weston, without a screen of its own, and without X."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.answers import wait_until
from support.views import REGIONS, drawn, view

from edge_classifier.live.display import CLOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(
        shutil.which("weston") is None, reason="Weston is not installed (apt install weston)"
    ),
]

SOCKET = "wayland-of-a-test"
DEADLINE_S = 60.0
_OF_ANOTHER_SCREEN = {"DISPLAY", "SDL_FRAMEBUFFER_ACCELERATION", "SDL_VIDEODRIVER"}

PROGRAM = f"""
import time
from support.views import view
from edge_classifier.screen.sdl import pygame
from edge_classifier.screen.window import Window

window = Window("Wayland")
print(pygame.display.get_driver(), flush=True)
while not any(event.name == "{CLOSE}" for event in window.events()):
    window.show(view())
    time.sleep(0.02)
window.close()
"""


@pytest.fixture
def desktop() -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """Start a compositor; gives the environment of its programs, and its process."""
    with tempfile.TemporaryDirectory(prefix="way") as folder:  # a socket's path must be short
        kept = {key: os.environ[key] for key in os.environ.keys() - _OF_ANOTHER_SCREEN}
        environment = kept | {
            "XDG_RUNTIME_DIR": folder,
            "WAYLAND_DISPLAY": SOCKET,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        words = ["weston", "--backend=headless-backend.so", "--use-pixman", f"--socket={SOCKET}"]
        words += ["--width=1280", "--height=800", "--idle-time=0", "--no-config", "--debug"]
        with subprocess.Popen(  # noqa: S603 - a fixed program, found on the PATH
            words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as weston:
            try:
                wait_until((Path(folder) / SOCKET).exists, DEADLINE_S)
                yield environment, weston
            finally:
                weston.terminate()


@contextmanager
def shown(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Show a view until the window is closed."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, this file's program
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def screenshot(environment: dict[str, str], folder: Path) -> npt.NDArray[np.uint8]:
    """Take a picture of the whole screen, `(800, 1280, 3)` BGR."""
    folder.mkdir(exist_ok=True)
    subprocess.run(  # noqa: S603 - a fixed program, found on the PATH
        [shutil.which("weston-screenshooter") or ""], cwd=folder, env=environment, check=True
    )
    (path,) = folder.iterdir()
    picture = cv2.imread(str(path))
    path.unlink()
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_a_view_is_seen_and_the_end_of_the_desktop_closes_the_window(
    desktop: tuple[dict[str, str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    environment, weston = desktop
    wanted = REGIONS.video.inner(40).of(drawn(view()))

    def is_seen() -> bool:
        seen = screenshot(environment, tmp_path / "seen")
        return bool(cv2.matchTemplate(seen, wanted, cv2.TM_SQDIFF_NORMED).min() < 0.001)

    with shown(environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "wayland\n"
        wait_until(is_seen, DEADLINE_S)
        weston.terminate()
        assert process.wait(DEADLINE_S) == 0


def test_where_nothing_can_be_drawn_one_line_says_so(
    desktop: tuple[dict[str, str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """As where SDL finds no OpenGL, which is its only way to draw on Wayland."""
    environment = {**desktop[0], "SDL_FRAMEBUFFER_ACCELERATION": "0"}
    words = ["live", str(tmp_path / "project"), "--source", "demo"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "edge_classifier", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("edge-classifier: There is no screen: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "project").exists()
