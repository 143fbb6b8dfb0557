"""The main job from end to end, on nothing but what the package brings."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import cv2
import pytest

from edge_classifier.commands.cli import main
from edge_classifier.commands.demo import run_without_window
from edge_classifier.demo.scene import TAUGHT, UNTAUGHT
from edge_classifier.demo.script import NOTHING
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.project.store import ProjectStore


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Play the demo once, a little faster than a user sees it; returns project and table."""
    project = tmp_path_factory.mktemp("demo") / "project"
    with contextlib.redirect_stdout(io.StringIO()) as table:
        assert run_without_window(project, BackboneChoice("built-in"), seconds=1.0) == 0
    return project, table.getvalue()


def test_every_taught_object_was_recorded_in_one_burst(played: tuple[Path, str]) -> None:
    with ProjectStore.open(played[0], read_only=True) as store:
        bursts = {
            name: {s.burst_id for s in store.samples() if s.class_name == name} for name in TAUGHT
        }
    assert all(len(ids) == 1 for ids in bursts.values()), bursts


def shares(table: str) -> dict[str, dict[str, int]]:
    """Read how often each verdict was given, by what was shown."""
    rows = {}
    for line in table.splitlines():
        words = line.split(maxsplit=4)
        if words and words[0] in (*TAUGHT, UNTAUGHT, NOTHING):
            said = [part.rsplit(" ", 1) for part in words[4].split(", ")]
            rows[words[0]] = {verdict: int(count) for verdict, count in said}
    return rows


def test_what_was_taught_in_one_light_is_recognised_in_four_others(
    played: tuple[Path, str],
) -> None:
    said = {n: verdicts for n, verdicts in shares(played[1]).items() if n in TAUGHT}
    frames = sum(sum(verdicts.values()) for verdicts in said.values())
    unknown = sum(verdicts.get("unknown", 0) for verdicts in said.values())
    right = sum(verdicts.get(name, 0) for name, verdicts in said.items())
    assert frames > 150
    assert unknown <= 0.05 * frames, said
    assert right >= 0.95 * frames, said


@pytest.mark.parametrize("shown", [UNTAUGHT, NOTHING])
def test_what_was_never_taught_is_unknown(played: tuple[Path, str], shown: str) -> None:
    said = shares(played[1])[shown]
    assert said.get("unknown", 0) >= 0.95 * sum(said.values()), said


def test_the_export_agrees_with_the_graph(played: tuple[Path, str]) -> None:
    bundle = played[0].with_name("project-bundle")
    measured = json.loads((bundle / "spec.json").read_bytes())["measured"]["float32"]
    assert measured["agreement"] == 1.0
    assert measured["largest_score_difference"] < 1e-3
    assert str(bundle) in played[1]


def test_the_video_and_the_contact_sheet_can_be_looked_at(played: tuple[Path, str]) -> None:
    video = cv2.VideoCapture(str(played[0] / "demo.mp4"))
    ok, frame = video.read()
    video.release()
    assert ok
    assert frame.std() > 10
    sheet = cv2.imread(str(played[0] / "demo.jpg"))
    assert sheet is not None
    assert sheet.std() > 10


def test_live_without_a_screen_plays_the_demo_with_the_backbone_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    weights = tmp_path / "mine.h5"
    weights.write_bytes(b"no weights at all")
    ProjectStore.create(tmp_path / "projects" / "mugs", ["mug", "phone"]).close()
    assert main(["live", "--weights", str(weights), "--backbone", "v1-0.25"]) != 0
    said = capsys.readouterr().err
    assert "Playing the demo without a window" in said
    last = tmp_path / "projects" / "mugs"
    assert f"Your last project is {last} (2 classes, today " in said
    assert f"{weights} is no weights file" in said
