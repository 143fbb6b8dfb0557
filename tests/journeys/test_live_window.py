"""The whole thing: a real window, real key events, a video of real hands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.shared_data import shared_folder

from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

pytestmark = pytest.mark.window

FPS = 30
SEGMENT_S = 5
PATIENCE_S = 60
PROGRAM = Path(__file__).with_name("live_window_program.py")


def hands(sign: str, first: int, last: int) -> list[Path]:
    folder = shared_folder("data", "sign_digits", sign)
    return sorted(folder.iterdir())[first:last]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Show one sign, the other, then both again as other people make them."""
    path = tmp_path / "hands.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
    for sign, first, last in (("0", 0, 20), ("5", 0, 20), ("0", 20, 40), ("5", 20, 40)):
        pictures = [read_image(p) for p in hands(sign, first, last)]
        for n in range(SEGMENT_S * FPS):
            picture = pictures[n * len(pictures) // (SEGMENT_S * FPS)]
            canvas = np.full((480, 640, 3), 127, np.uint8)
            canvas[:, 80:560] = cv2.resize(picture, (480, 480), interpolation=cv2.INTER_LINEAR)
            writer.write(canvas)
    writer.release()
    return path


@dataclass
class Window:
    """The running program, seen and touched from outside."""

    process: subprocess.Popen[str]
    environment: dict[str, str]

    def xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self.environment, check=True, timeout=20)  # noqa: S603, S607 - our own words, from the PATH like any user's

    def until_frame(self, index: int) -> dict[str, Any]:
        """Read what is shown until so many frames have passed."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE_S
        for line in self.process.stdout:
            shown: dict[str, Any] = json.loads(line)
            if shown["frame"] >= index:
                return shown
            assert time.monotonic() < deadline, f"frame {index} was never shown, last: {shown}"
        raise AssertionError(f"the program ended before frame {index} was shown")

    def until(self, shows: Callable[[dict[str, Any]], bool]) -> None:
        """Read what is shown until that is so."""
        shown: dict[str, Any] = {}
        while not shown or not shows(shown):
            shown = self.until_frame(0)

    def labels_from(self, first: int, last: int) -> list[str | None]:
        """Collect the labels shown over some frames."""
        labels, shown = [], self.until_frame(first)
        while shown["frame"] < last:
            labels.append(shown["label"])
            shown = self.until_frame(0)
        return labels


@pytest.fixture
def window(screen: str, video: Path, tmp_path: Path) -> Iterator[Window]:
    environment = {**os.environ, "DISPLAY": screen}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(PROGRAM), str(tmp_path / "project"), str(video)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Window(process, environment)
    process.kill()
    process.communicate(timeout=20)


def test_two_signs_are_captured_learned_and_told_apart_live(window: Window, tmp_path: Path) -> None:
    second = FPS
    window.until_frame(second)
    window.xdotool("keydown", "1")
    window.until_frame(4 * second)
    window.xdotool("keyup", "1")

    window.until_frame((SEGMENT_S + 1) * second)
    window.xdotool("keydown", "2")
    window.until_frame((SEGMENT_S + 4) * second)
    window.xdotool("keyup", "2")

    zeros = window.labels_from((2 * SEGMENT_S + 1) * second, (3 * SEGMENT_S - 1) * second)
    fives = window.labels_from((3 * SEGMENT_S + 1) * second, (4 * SEGMENT_S - 1) * second)
    window.xdotool("key", "bracketright")
    window.until(lambda shown: "stricter than measured" in str(shown["message"]))
    window.xdotool("key", "w")
    window.until(lambda shown: shown["mode"] == "correcting")
    window.xdotool("key", "2")
    window.until(lambda shown: str(shown["message"]).startswith(("corrected", "added as five")))
    window.xdotool("key", "q")
    assert window.process.wait(timeout=20) == 0

    # Other people's hands than those that were recorded: some may be unknown, few mistaken.
    assert _share(zeros, "zero") > 4 * _share(zeros, "five"), zeros
    assert _share(fives, "five") > 4 * _share(fives, "zero"), fives
    with ProjectStore.open(tmp_path / "project") as store:
        *samples, corrected = sorted(store.samples(), key=lambda s: s.burst_id)
        assert len({s.burst_id for s in samples}) == 2
        assert corrected.burst_id > samples[-1].burst_id
        assert corrected.class_name == "five"
        assert store.settings["unknown_steps"] == 1
        per_class = [sum(s.class_name == name for s in samples) for name in ("zero", "five")]
        # Three seconds at fifteen a second, less what a busy machine may lose at the ends.
        assert all(25 <= count <= 50 for count in per_class), per_class


def test_a_window_that_is_closed_ends_the_program(window: Window) -> None:
    window.until_frame(5)
    window.xdotool("key", "q")
    assert window.process.wait(timeout=20) == 0


def _share(labels: list[str | None], label: str) -> float:
    assert labels
    return sum(each == label for each in labels) / len(labels)
