"""Where is my work: what the window offers at the start, and what is said and left at the end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.screen import virtual_screen

from edge_classifier.project.known import known_projects, opened_list
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.lost_screen import SCREEN_LOST

pytestmark = pytest.mark.window

PATIENCE_S = 60


class Live:
    """`edge-classifier live` in a folder, seen and touched from outside."""

    def __init__(self, folder: Path, screen: str, *words: str) -> None:
        self.environment = {**os.environ, "DISPLAY": screen}
        options = ("--source", "demo", "--backbone", "built-in", *words)
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "edge_classifier", "live", *options],
            env=self.environment,
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_called(self, title: str, *pressing: str) -> str:
        """Wait for a window whose title matches, pressing something until then; returns it."""
        pid, until = str(self.process.pid), time.monotonic() + PATIENCE_S
        while True:
            found = self.xdotool("search", "--sync", "--onlyvisible", "--pid", pid)
            window = found.split()[0]
            called = self.xdotool("getwindowname", window).strip()
            if re.fullmatch(title, called):
                self.xdotool("windowfocus", "--sync", window)
                return called
            assert time.monotonic() < until, called
            if pressing:
                self.xdotool(*pressing)
            time.sleep(0.3)

    def xdotool(self, *words: str) -> str:
        return subprocess.run(  # noqa: S603 - our own words
            ["xdotool", *words],  # noqa: S607 - from the PATH like any user's
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        ).stdout

    def end(self) -> list[str]:
        """Press Q and return what was said, but for what is missing on this machine."""
        self.xdotool("key", "q")
        _, said = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, said
        return [line for line in said.splitlines() if not line.startswith("edge-classifier: ")]


@pytest.fixture
def start() -> Iterator[Callable[..., Live]]:
    """Make a `Live`, which is ended after the test."""
    started: list[Live] = []

    def start(folder: Path, screen: str, *words: str) -> Live:
        started.append(Live(folder, screen, *words))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


@pytest.fixture
def folder(tmp_path: Path, taught_project: Path) -> Path:
    """A folder to work in, with a project of yesterday's."""
    opened_list().unlink(missing_ok=True)
    shutil.copytree(taught_project, tmp_path / "projects" / "my mugs")
    return tmp_path


def test_the_last_project_is_gone_on_with_and_what_comes_next_is_said(
    folder: Path, screen: str, start: Callable[..., Live]
) -> None:
    live = start(folder, screen)
    live.until_called("Edge Classifier")
    live.until_called("Edge Classifier · my mugs", "key", "Return")
    path, bundle = folder / "projects" / "my mugs", folder / "projects" / "my mugs-bundle"
    until = time.monotonic() + PATIENCE_S
    while not bundle.exists():  # it begins once the model is loaded
        assert time.monotonic() < until
        live.xdotool("key", "e")
        time.sleep(0.5)
    said = live.end()
    assert said[0] == f"Project: {path}"
    assert said[1].endswith(f" are in {path}; `edge-classifier live '{path}'` goes on.")
    bundle_line = f"The bundle is in {bundle}; copy it to the device and read its README.md."
    assert said[2:] == [bundle_line]


def test_a_new_project_in_which_nothing_was_done_leaves_no_folder(
    folder: Path, screen: str, start: Callable[..., Live]
) -> None:
    live = start(folder, screen)
    live.until_called("Edge Classifier")
    second_row = ("mousemove", "640", "410", "click", "1")
    title = live.until_called("Edge Classifier · 20.+", *second_row)
    assert (folder / "projects" / title.removeprefix("Edge Classifier · ")).is_dir()
    assert live.end()[1:] == ["Nothing was recorded, so no project was kept."]
    assert [path.name for path in (folder / "projects").iterdir()] == ["my mugs"]


def test_who_closes_the_window_at_the_start_has_begun_nothing(
    folder: Path, screen: str, start: Callable[..., Live]
) -> None:
    live = start(folder, screen)
    live.until_called("Edge Classifier")
    assert live.end() == []
    assert [path.name for path in (folder / "projects").iterdir()] == ["my mugs"]


def test_a_project_that_has_gone_since_it_was_offered_is_not_begun_anew(
    folder: Path, screen: str, start: Callable[..., Live]
) -> None:
    live = start(folder, screen)
    live.until_called("Edge Classifier")
    path = folder / "projects" / "my mugs"
    shutil.rmtree(path)
    live.xdotool("key", "Return")
    _, said = live.process.communicate(timeout=PATIENCE_S)
    assert live.process.returncode == 1
    assert said.splitlines()[-1].startswith(f"edge-classifier: There is no project at {path}")
    assert not path.exists()


def test_a_project_that_is_named_is_opened_without_a_question_and_offered_later(
    folder: Path, screen: str, start: Callable[..., Live]
) -> None:
    elsewhere = folder / "elsewhere"
    ProjectStore.create(elsewhere, ["leaf"]).close()
    live = start(folder, screen, "elsewhere")
    live.until_called("Edge Classifier · elsewhere")
    assert live.end()[0] == "Project: elsewhere"
    assert [each.name for each in known_projects(folder / "nowhere")] == ["elsewhere"]


def test_a_screen_that_goes_away_is_one_line_and_nothing_is_lost(
    tmp_path: Path, start: Callable[..., Live]
) -> None:
    samples = tmp_path / "p" / "samples"
    with virtual_screen() as screen:
        live = start(tmp_path, screen, "p")
        live.until_called("Edge Classifier · p")
        until = time.monotonic() + PATIENCE_S
        while not list(samples.rglob("*.jpg")):
            assert time.monotonic() < until
            live.xdotool("key", "1")
            time.sleep(0.3)
    _, said = live.process.communicate(timeout=PATIENCE_S)
    assert live.process.returncode == 1
    assert said.splitlines() == ["Project: p (new)", SCREEN_LOST]
    with ProjectStore.open(tmp_path / "p") as store:
        assert {sample.path for sample in store.samples()} == set(samples.rglob("*.jpg"))
