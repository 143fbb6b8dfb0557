"""A folder of frames that were recorded one after the other, from `add` to `evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from edge_classifier.commands.cli import main
from edge_classifier.demo.scene import DemoScene
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.project.store import ProjectStore

FRAMES = 12


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a take of two things each, five frames a second, numbered from 0."""
    folder, scene = tmp_path_factory.mktemp("frames"), DemoScene(0)
    for thing in ("mug", "phone"):
        (folder / thing).mkdir()
        for number in range(FRAMES):
            path = folder / thing / f"frame{number}.jpg"
            cv2.imwrite(str(path), scene.image(thing, 1 + number / 5))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"


def bursts(project: Path) -> int:
    with ProjectStore.open(project, read_only=True) as store:
        return len({sample.burst_id for sample in store.samples()})


def test_what_was_found_is_said_from_the_beginning(
    frames: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "--dry-run", str(project), str(frames)]) == 0
    assert "24 pictures: 2 recordings, by the look of them" in capsys.readouterr().err
    assert main(["add", str(project), str(frames)]) == 0
    assert "24 pictures: 2 recordings, by the look of them" in capsys.readouterr().err
    assert main(["train", str(project), "--backbone", "built-in"]) == 0
    out, err = capsys.readouterr()
    assert "24 pictures: 2 recordings (--bursts single: each is single)" in err
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == ["1", "1"]


def test_pictures_stay_single_on_disk_so_that_undoing_takes_one(
    frames: Path, project: Path
) -> None:
    main(["add", str(project), str(frames)])
    main(["train", str(project), "--backbone", "built-in"])
    assert bursts(project) == 2 * FRAMES


def test_evaluate_promises_nothing_of_another_light_after_one_recording(
    frames: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", str(project), str(frames)])
    capsys.readouterr()
    assert main(["evaluate", str(project), "--backbone", "built-in"]) == 5
    out = capsys.readouterr().out
    assert "24 pictures: 2 recordings, found by how alike they are" in out
    assert "how well it does in another light or place is not measured" in out
    assert "mug: one burst only (a second one, from another side, helps most)" in out
    assert main(["evaluate", str(project), "--backbone", "built-in", "--json"]) == 5
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] is None
    assert found["added"] == {"pictures": 24, "recordings": 2, "singles": 0}


def test_it_can_be_overruled_and_that_is_kept_and_said(
    frames: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(frames), "--bursts", "single"]) == 0
    assert "recordings" not in capsys.readouterr().err
    with ProjectStore.open(project) as store:
        assert project_head_settings(store).bursts == "single"
    assert main(["evaluate", str(project), "--backbone", "built-in"]) == 0
    out = capsys.readouterr().out
    assert "24 single pictures that came one by one (as --bursts single has it)" in out
    assert "accuracy 100.0%" in out  # which is why this is not the default
    assert main(["train", str(project), "--backbone", "built-in", "--bursts", "found"]) == 0
    assert "24 pictures: 2 recordings" in capsys.readouterr().err


def test_a_folder_can_be_said_to_be_a_recording(
    frames: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(project), str(frames), "--bursts", "folder"]) == 0
    assert bursts(project) == 2
    assert "recordings" not in capsys.readouterr().err


def test_a_project_of_another_tool_is_read_in_the_order_of_its_numbers(
    frames: Path, project: Path
) -> None:
    ProjectStore.create(project, ["mug"]).close()
    (project / "samples" / "mug").mkdir(parents=True, exist_ok=True)
    for path in (frames / "mug").iterdir():
        (project / "samples" / "mug" / path.name).write_bytes(path.read_bytes())
    with ProjectStore.open(project) as store:
        names = [sample.path.name for sample in store.samples()]
    assert names == [f"frame{number}.jpg" for number in range(FRAMES)]
