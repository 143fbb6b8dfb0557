"""What a bundle looks at: one or several parts of a camera's picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture

from edge_classifier.commands.cli import main
from edge_classifier.device.frame import Frame
from edge_classifier.device.framing import Region
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.window import annotated_parts
from edge_classifier.device.verdict import Prediction

BALL, STRIPES = 0, 1
HALVES = ("--region", "left=0,0,.5,1", "--region", "right=.5,0,1,1")


@pytest.fixture
def beside_each_other(tmp_path: Path) -> Path:
    """A picture with a ball on its left, and stripes on its right."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    both = np.hstack([picture(BALL, 50), picture(STRIPES, 50)])
    cv2.imwrite(str(folder / "upright.png"), both)
    return folder


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_region_has_an_answer_of_its_own(
    bundle: Path, beside_each_other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(bundle), str(beside_each_other), *HALVES]) == 0
    said = capsys.readouterr()
    assert [(r["region"], r["label"]) for r in lines(said.out)] == [
        ("left", CLASSES[BALL]),
        ("right", CLASSES[STRIPES]),
    ]
    assert f"{beside_each_other.name} is looked at in left 0,0,0.5,1 and right" in said.err


def test_what_hangs_upside_down_is_turned_before_it_is_looked_at(
    bundle: Path, beside_each_other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upright = beside_each_other / "upright.png"
    image = cv2.imread(str(upright))
    assert image is not None
    cv2.imwrite(str(upright), cv2.rotate(cv2.flip(image, 1), cv2.ROTATE_90_COUNTERCLOCKWISE))
    turn = ("--rotate", "90", "--flip", "--region", "0,0,.5,1")
    assert main(["run", str(bundle), str(beside_each_other), *turn]) == 0
    said = capsys.readouterr()
    assert [record["label"] for record in lines(said.out)] == [CLASSES[BALL]]
    assert "region" not in lines(said.out)[0], "one has no name"
    assert "turned by 90 degrees, flipped, looked at in 0,0,0.5,1 only." in said.err


@pytest.fixture
def framed(copy: Path) -> Path:
    """A bundle that was taught on the left half of an upright camera's picture."""
    spec = json.loads((copy / "spec.json").read_text(encoding="utf-8"))
    spec["framing"] = {"region": [0.0, 0.0, 0.5, 1.0], "aspect": 4.0}
    (copy / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return copy


@pytest.mark.usefixtures("half_dark")
def test_a_camera_is_looked_at_as_it_was_taught_unless_one_says_otherwise(
    framed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(*more: str) -> tuple[float, str]:
        camera = ["picamera", "--frames", "1", "--no-window"]
        assert main(["run", str(framed), *camera, *more]) == 0
        said = capsys.readouterr()
        return lines(said.out)[0]["similarity"], said.err

    kept, told = asked()
    assert "the Pi camera is looked at in 0,0,0.5,1 only.\n" in told
    assert told.count("was chosen in pictures 4 times as wide as high") == 1
    whole, told = asked("--region", "whole")
    assert (
        "the Pi camera is looked at whole; where it was taught it was looked at in 0,0,0.5,1 only."
        in told
    )
    same, told = asked("--region", "0,0,.5,1")
    assert abs(kept - same) < abs(kept - whole) / 4  # no two frames have the same noise
    assert "was chosen" not in told


def test_pictures_are_looked_at_whole_and_that_is_told(
    framed: Path, beside_each_other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(framed), str(beside_each_other)]) == 0
    assert "pictures is looked at whole; where it was taught it was looked at" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "0,0,2,1"), "lies outside of the picture"),
        (("--region", "0.5,0,0.5,1"), "is empty"),
        (("--region", "türe=0,0,1,1"), "cannot be named 'türe'"),
        (("--region", "a=0,0,1,1", "--region", "a=whole"), "two regions are named a"),
        (("--region", "a=0,0,1,1", "--region", "0,0,.5,1"), "several regions need a name each"),
        (("--rotate", "45"), "--rotate"),
    ],
)
def test_what_cannot_be_looked_at_is_told_in_a_line(
    bundle: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["run", str(bundle), "no-such-source", *options])
    except SystemExit as end:  # as argparse does
        status = int(end.code or 0)
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("INFO")]
    assert status == 2
    assert len(told) == 1
    assert said in told[0]


def test_a_damaged_framing_is_a_damaged_bundle(
    framed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = json.loads((framed / "spec.json").read_text(encoding="utf-8"))
    spec["framing"]["region"][2] = 7
    (framed / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert main(["run", str(framed), "no-such-source"]) == 1
    assert "spec.json is damaged" in capsys.readouterr().err


def _answer(class_id: int) -> Prediction:
    return Prediction(CLASSES, np.eye(len(CLASSES), dtype=np.float32)[class_id])


class Told:
    """Who notes what is told."""

    name = "--told"
    retries = False

    def __init__(self) -> None:
        self.news: list[dict[str, Any]] = []

    def tell(self, news: dict[str, Any]) -> str:
        self.news.append(news)
        return ""

    def stop(self) -> None:
        """Nothing is held."""


def test_labels_hold_in_each_region_for_themselves() -> None:
    changes, newest = Told(), Told()
    outputs = (OnChange([changes], 2), EachFrame([newest], 2))
    image = np.zeros((4, 4, 3), np.uint8)
    for number in range(4):
        for region, class_id in (("left", 0), ("right", 1 if number < 2 else 2)):
            frame = Frame(image, number, float(number), region=region)
            for output in outputs:
                output.show(frame, _answer(class_id))
    for output in outputs:
        output.close()
    assert [(c["region"], c["label"], c["previous"]) for c in changes.news] == [
        ("left", CLASSES[0], None),
        ("right", CLASSES[1], None),
        ("right", CLASSES[2], CLASSES[1]),
    ]
    held = {news["region"]: news["held"] for news in newest.news}
    assert held == {"left": CLASSES[0], "right": CLASSES[2]}, "none gave way to another's"


def test_each_region_is_outlined_with_its_answer_in_it() -> None:
    image = np.full((240, 640, 3), 90, np.uint8)
    left, right = Region(0, 0, 0.5, 1, "left"), Region(0.5, 0, 1, 1, "right")
    drawn = annotated_parts(image, [(left, _answer(0)), (right, _answer(1))])
    assert (image == 90).all()
    assert drawn[100:102, 0].min() == 255
    assert (drawn[60:230, 10:310] == 90).all()
    bar = drawn[2:24, 4:316], drawn[2:24, 324:636]
    assert not np.array_equal(*bar)
    alone = annotated_parts(image, [(Region(0.25, 0, 0.75, 1), _answer(0))])
    assert alone[120, 160].min() == 255
    assert (alone[60:230, 170:470] == 90).all()
