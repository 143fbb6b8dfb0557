"""A bundle on a device: its window, and what happens when the Pi's own camera fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import exported_project
from support.picamera import PICAMERA2
from support.screen import press_close_button

TIMEOUT_S = 60


def test_with_a_screen_a_window_shows_the_video(bundle: Path, tmp_path: Path, screen: str) -> None:
    video = exported_project.video(tmp_path / "clip.avi", 10)
    result = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(bundle / "classify.py"), str(video), "--frames", "5"],
        env={**os.environ, "DISPLAY": screen},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 5


@pytest.mark.window
def test_the_close_button_of_the_window_ends_it(bundle: Path, screen: str) -> None:
    environment = {**os.environ, "DISPLAY": screen, "PYTHONPATH": str(PICAMERA2)}
    with subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, str(bundle / "classify.py"), "picamera"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # its first picture is shown
        found = subprocess.run(
            ["xdotool", "search", "--sync", "--name", " on the Pi camera$"],  # noqa: S607 - found on the PATH like any user's
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        press_close_button(screen, int(found.stdout.split()[0]))
        process.stdout.read()
        assert process.wait(TIMEOUT_S) == 0


def run_pi_camera(bundle: Path, frames: int, **behaviour: str) -> subprocess.CompletedProcess[str]:
    """Run on the stand-in for Picamera2, which behaves as its variables say."""
    command = [str(bundle / "classify.py"), "picamera", "--frames", str(frames), "--no-window"]
    return subprocess.run(  # noqa: S603 - our own file
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(PICAMERA2), **behaviour},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_the_pi_camera_is_used_through_picamera2(bundle: Path) -> None:
    result = run_pi_camera(bundle, 3)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["source"] for line in result.stdout.splitlines()] == [
        "the Pi camera"
    ] * 3


def test_a_camera_that_breaks_off_is_opened_again_and_again(bundle: Path) -> None:
    result = run_pi_camera(bundle, 8, PICAMERA2_LASTS="3")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 8
    assert "the Pi camera is gone; waiting for it to come back." in result.stderr


def test_a_camera_that_hangs_is_opened_again_and_stops_nothing_at_the_end(bundle: Path) -> None:
    result = run_pi_camera(bundle, 8, PICAMERA2_HANGS_AFTER="5")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 8
    assert "the Pi camera has not answered for 5 s; waiting for it to come back." in result.stderr


def test_nothing_is_said_of_the_pictures_of_a_covered_camera(bundle: Path) -> None:
    result = run_pi_camera(bundle, 3, PICAMERA2_BLACK_S="4")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3
    assert "the Pi camera gives black pictures: " in result.stderr


def test_a_camera_whose_driver_fails_at_first_is_waited_for(bundle: Path) -> None:
    result = run_pi_camera(bundle, 3, PICAMERA2_SILENT_S="4")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3
    assert "the Pi camera has stopped working (OSError: dma heap" in result.stderr


def test_without_picamera2_it_says_how_to_get_it(bundle: Path) -> None:
    result = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(bundle / "classify.py"), "picamera", "--no-window"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 1
    assert "sudo apt install python3-picamera2" in result.stderr


def test_a_camera_that_hangs_does_not_keep_the_process_from_its_end(bundle: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, str(bundle / "classify.py"), "picamera", "--no-window"],
        env={**os.environ, "PYTHONPATH": str(PICAMERA2), "PICAMERA2_HANGS_AFTER": "2"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert [bool(process.stdout.readline()) for _ in range(2)] == [True, True]
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
