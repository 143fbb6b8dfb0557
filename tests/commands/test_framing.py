"""How a camera is framed where commands look at it: kept with the project, told, asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.live_session import scene

from edge_classifier.commands.cli import command_parser, main
from edge_classifier.commands.turning import framing_in_project
from edge_classifier.commands.unlabelled_frames import look_at_source
from edge_classifier.device.framing import NO_FRAMING, Framing, Region
from edge_classifier.project.framing import stored_framing
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

LEFT = Region(0.0, 0.0, 0.5, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> ProjectStore:
    return ProjectStore.create(tmp_path / "things", ["mug"])


def framed(store: ProjectStore, *options: str, is_camera: bool = True) -> Framing:
    """Say how a source is framed in the live window."""
    return framing_in_project(
        command_parser("live").parse_args([*options]), store, is_camera=is_camera
    )


def test_how_a_camera_hangs_is_said_once_and_then_true_of_cameras(store: ProjectStore) -> None:
    upside_down = Framing(rotate=180, flip=True)
    assert framed(store, "--rotate", "180", "--flip") == upside_down
    assert framed(store) == upside_down
    assert framed(store, is_camera=False) == NO_FRAMING, "a video lies as it was taken"
    assert framed(store, "--rotate", "180", is_camera=False) == upside_down
    assert framed(store, "--no-flip") == Framing(rotate=180)
    assert framed(store, "--rotate", "0") == NO_FRAMING
    assert stored_framing(store.settings) == NO_FRAMING


def test_a_region_and_pictures_of_before_are_told_where_it_is_turned_otherwise(
    store: ProjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.update_settings(framing=Framing(LEFT, aspect=4 / 3).as_json())
    store.add_sample(encode_image(scene(1)), "mug", store.next_burst_id())
    assert framed(store, "--rotate", "0").region == LEFT
    assert not capsys.readouterr().err
    assert framed(store, "--rotate", "90") == Framing(rotate=90)
    assert capsys.readouterr().err.splitlines() == [
        "The region was chosen in pictures that were turned otherwise: R chooses it anew.",
        "What was recorded before was turned otherwise: record it again.",
    ]


def test_a_project_that_cannot_be_written_is_turned_for_this_time(
    store: ProjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Framing(LEFT, aspect=4 / 3)
    store.update_settings(framing=kept.as_json())
    with ProjectStore.open(store.path, read_only=True) as other:
        assert framed(other, "--rotate", "90").rotate == 90
        assert stored_framing(other.settings) == kept, "and its region cannot be chosen anew"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("turned otherwise; it may show another part.")


def test_a_project_whose_framing_is_damaged_is_refused_in_a_line(
    store: ProjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.update_settings(framing={"region": [0, 0, 7, 1]})
    store.close()
    assert main(["train", str(store.path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "project.json is damaged (The setting framing is damaged: the region" in said[0]


class Taken:
    """Takes one frame; it and the backbone note what they are given."""

    enough = 1
    missing: tuple[str, ...] = ("mug",)

    def __init__(self) -> None:
        self.images: list[Any] = []

    def extract(self, images: list[Any]) -> list[Any]:
        self.images += images
        return [np.zeros(1)]

    def add(self, _features: object) -> None:
        self.missing = ()

    def __len__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "mug 1"


@pytest.mark.usefixtures("half_dark")
def test_adapting_looks_at_the_same_part_of_the_camera(capsys: pytest.CaptureFixture[str]) -> None:
    right, upright = Taken(), Taken()
    half = Framing(Region(0.5, 0.0, 1.0, 1.0), aspect=1.0)
    look_at_source("picamera", right, right, half)  # type: ignore[arg-type]  # all that is asked of them
    said = capsys.readouterr().err
    assert "the Pi camera is looked at in 0.5,0,1,1 only." in said
    assert said.count("the region 0.5,0,1,1 was chosen in pictures 1 times as wide as high") == 1
    look_at_source("picamera", upright, upright, Framing(rotate=180))  # type: ignore[arg-type]  # likewise
    (dark,), (whole,) = right.images, upright.images
    assert dark.mean() < 20
    assert dark.shape[1] * 2 == whole.shape[1]
    assert whole[:, : whole.shape[1] // 2].mean() < 20 < whole.mean(), "the right is left now"
