"""The whole thing: a real window, real key events, a video of real hands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.shared_data import shared_folder

from edge_classifier.commands.cli import main
from edge_classifier.device.framing import Region
from edge_classifier.project.picture_file import encode_image, read_image
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

    def until(self, shows: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read what is shown until that is so."""
        shown: dict[str, Any] = {}
        while not shown or not shows(shown):
            shown = self.until_frame(0)
        return shown

    def click(self, what: str) -> None:
        """Press something that is shown, once it is."""
        at = self.until(lambda shown: what in shown["places"])["places"][what]
        self.xdotool("mousemove", "--window", self.id, *map(str, at), "click", "1")

    @cached_property
    def id(self) -> str:
        """The window's, for X."""
        search = ["xdotool", "search", "--sync", "--pid", str(self.process.pid)]
        found = subprocess.run(  # noqa: S603 - likewise
            search, env=self.environment, check=True, timeout=20, capture_output=True, text=True
        )
        return found.stdout.split()[0]

    def labels_from(self, first: int, last: int) -> list[str | None]:
        """Collect the labels shown over some frames."""
        labels, shown = [], self.until_frame(first)
        while shown["frame"] < last:
            labels.append(shown["label"])
            shown = self.until_frame(0)
        return labels


@contextmanager
def started(screen: str, project: Path, video: Path) -> Iterator[Window]:
    environment = {**os.environ, "DISPLAY": screen}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(PROGRAM), str(project), str(video)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Window(process, environment)
    process.kill()
    process.communicate(timeout=20)


@pytest.fixture
def window(screen: str, video: Path, tmp_path: Path) -> Iterator[Window]:
    with started(screen, tmp_path / "project", video) as window:
        yield window


@pytest.fixture
def taught(screen: str, tmp_path: Path) -> Iterator[Window]:
    """A window before a project with two rounds of one class and one of another."""
    with ProjectStore.create(tmp_path / "project", ["zero", "five"]) as store:
        for name, count in (("zero", 5), ("zero", 3), ("five", 4)):
            burst_id = store.next_burst_id()
            for number in range(count):
                picture = np.full((240, 320, 3), 20 * number + 40, np.uint8)
                picture[:, : 30 * number + 30] = 255 if name == "zero" else 0
                store.add_sample(encode_image(picture), name, burst_id)
    video = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (320, 240))
    for _ in range(FPS):
        writer.write(np.full((240, 320, 3), 127, np.uint8))
    writer.release()
    with started(screen, tmp_path / "project", video) as window:
        yield window


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


def test_pictures_are_looked_at_and_cleaned_up_by_key_and_by_mouse(
    taught: Window, tmp_path: Path
) -> None:
    taught.until(lambda shown: shown["counts"] == {"zero": 8, "five": 4})
    taught.xdotool("key", "g")
    taught.until(lambda shown: shown["gallery"] == "zero: 8 pictures" and shown["read"] == 8)
    taught.xdotool("key", "space", "x")  # the newest round
    taught.until(lambda shown: shown["counts"]["zero"] == 5)
    taught.xdotool("key", "u")
    taught.until(lambda shown: shown["counts"]["zero"] == 8)
    for width, height in ((480, 320), (480, 780), (1200, 700)):
        taught.xdotool("windowsize", taught.id, str(width), str(height))
        taught.until(lambda shown: shown["size"] == [width, height])  # noqa: B023 - before the next
        if width == 480 and height == 320:
            wheel(taught, "5", until=lambda shown: shown["chosen"] == [])
            wheel(taught, "4", until=lambda shown: shown["chosen"] == ["zero/b0000002-0000.jpg"])
    taught.click("choose:zero/b0000002-0001.jpg")
    taught.until(lambda shown: shown["chosen"] == ["zero/b0000002-0001.jpg"])
    taught.click("record:five")
    taught.until(lambda shown: shown["counts"] == {"zero": 7, "five": 5})
    taught.click("look:five")
    taught.until(lambda shown: shown["gallery"] == "five: 5 pictures")
    taught.click("round:five/b0000003-0000.jpg")
    taught.until(lambda shown: len(shown["chosen"]) == 4)
    taught.click("x")
    taught.until(lambda shown: shown["counts"] == {"zero": 7, "five": 1})
    taught.click("escape")
    taught.until(lambda shown: shown["gallery"] is None)
    taught.xdotool("key", "q")
    assert taught.process.wait(timeout=20) == 0
    with ProjectStore.open(tmp_path / "project") as store:
        assert [sample.path.name for sample in store.samples() if sample.class_name == "five"] == [
            "b0000002-0001.jpg"
        ]


def wheel(window: Window, button: str, until: Callable[[dict[str, Any]], bool]) -> None:
    """Turn the wheel a few times over the window."""
    window.xdotool("mousemove", "--window", window.id, "100", "100")
    window.xdotool("click", "--repeat", "3", button)
    window.until(until)


def _share(labels: list[str | None], label: str) -> float:
    assert labels
    return sum(each == label for each in labels) / len(labels)


@pytest.mark.usefixtures("half_dark")
def test_a_region_is_dragged_recorded_kept_and_looked_at_by_the_bundle(
    screen: str, taught: Window, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, bundle = tmp_path / "project", tmp_path / "bundle"
    taught.until(lambda shown: shown["counts"] == {"zero": 8, "five": 4})
    taught.xdotool("key", "r")
    left, top, width, height = taught.until(lambda shown: shown["picture"])["picture"]
    at = [
        (str(left + int(x * width)), str(top + int(y * height))) for x, y in ((0.5, 0.2), (1, 0.8))
    ]
    taught.xdotool("mousemove", "--window", taught.id, *at[0], "mousedown", "1")
    taught.xdotool("mousemove", "--window", taught.id, *at[1], "mouseup", "1")
    dragged = taught.until(lambda shown: shown["region"] not in (None, [0, 0, 1, 1]))["region"]
    assert dragged == pytest.approx([0.5, 0.2, 1.0, 0.8], abs=0.02)
    taught.xdotool("key", "Return")
    taught.until(lambda shown: shown["mode"] == "live" and "record" in str(shown["message"]))
    taught.xdotool("key", "w")
    taught.xdotool("key", "2")
    taught.until(lambda shown: shown["counts"]["five"] == 5)
    taught.xdotool("key", "q")
    assert taught.process.wait(timeout=20) == 0

    with ProjectStore.open(project) as store:
        newest = max(store.samples(), key=lambda sample: sample.burst_id)
        assert read_image(newest.path).shape == pytest.approx((144, 160, 3), abs=6)
    with started(screen, project, tmp_path / "grey.avi") as again:
        assert again.until_frame(0)["region"] == dragged
    assert main(["export", str(project), "-o", str(bundle)]) == 0
    capsys.readouterr()
    assert main(["run", str(bundle), "picamera", "--frames", "1", "--no-window"]) == 0
    part = Region(*dragged)
    assert f"the Pi camera is looked at in {part} only." in capsys.readouterr().err
