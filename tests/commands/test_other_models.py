"""Every command knows a model of another program, and `run` and `predict` run some."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import classifiers
from support.other_models import lobe, teachable_machine, written
from support.picamera import PICAMERA2

from edge_classifier.commands.cli import main
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.verdict import Prediction

BRIGHT_LEFT = np.zeros((40, 60, 3), np.uint8)
BRIGHT_LEFT[:, :30] = 255


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, colour in (("1", (9, 9, 200)), ("2", (9, 200, 9)), ("3", (200, 9, 9))):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((30, 40, 3), colour, np.uint8))
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return teachable_machine(tmp_path / "export", classifiers.colours())


def test_pictures_are_answered_with_what_cannot_be_known_in_a_line(
    export: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["predict", export, pictures, "--json"], ["run", export, pictures]):
        assert main(list(map(str, command))) == 0
        said = capsys.readouterr()
        answers = [json.loads(line) for line in said.out.splitlines()]
        names = [answer.get("label") or answer["class_name"] for answer in answers]
        assert names == ["red", "green", "blue"]
        assert {(answer["unknown"], answer["similarity"]) for answer in answers} == {(False, None)}
        assert said.err.count("it names one of them whatever it sees") == 1


def test_lobes_export_is_answered_likewise(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lobe(tmp_path / "lobe", classifiers.colours())
    assert main(["predict", str(path), str(pictures), "--csv"]) == 0
    assert [row.split(",")[1] for row in capsys.readouterr().out.splitlines()[1:]] == [
        "red",
        "green",
        "blue",
    ]


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    return teachable_machine(tmp_path / "sides", classifiers.sides(), "0 left\n1 right\n")


def test_what_a_camera_here_sees_is_mirrored_as_in_teachable_machine(sides: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "edge_classifier", "run", str(sides), "picamera"),
            *("--frames", "1", "--no-window"),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PICAMERA2), "PICAMERA2_BRIGHT_LEFT": "1"},
        timeout=60,
    )
    assert json.loads(done.stdout)["label"] == "right"


def test_what_is_in_a_picture_or_a_stream_is_not(
    sides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "left.png"), BRIGHT_LEFT)
    assert main(["run", str(sides), str(tmp_path / "left.png")]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == "left"
    page, stop = LivePage("127.0.0.1:0"), threading.Event()
    prediction = Prediction(("left",), np.ones(1, np.float32))

    def keep_showing() -> None:
        while not stop.wait(0.02):
            page.show(Frame(BRIGHT_LEFT, 0, 0.0), prediction)

    thread = threading.Thread(target=keep_showing)
    thread.start()
    try:
        command = ["run", str(sides), f"{page.url}stream", "--frames", "1", "--no-window"]
        assert main(command) == 0
    finally:
        stop.set()
        thread.join(10)
        page.close()
    assert json.loads(capsys.readouterr().out)["label"] == "left"


@pytest.mark.parametrize(
    "command",
    ["live", "train", "verify", "run", "predict", "evaluate", "export", "add NEW"],
)
def test_a_model_that_cannot_be_run_is_told_by_every_command(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    screen: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPLAY", screen)
    written(tmp_path / "keras", {"keras_model.h5": b"\x89HDF\r\n\x1a\n", "labels.txt": "0 a\n"})
    pictures = ["picture.png"] if command == "predict" else []
    assert main([*command.split(), "keras", *pictures]) == 1
    said = capsys.readouterr().err
    assert "keras is a Keras model of Teachable Machine" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "NEW").exists()


@pytest.mark.parametrize("option", ["--verify", "--heat", "--adapt=once"])
def test_what_only_a_bundle_can_is_refused(
    export: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(export), "picture.png", option]) == 1
    assert "needs what only a bundle" in capsys.readouterr().err


def test_numbers_that_are_none_are_told_and_what_was_written_stays_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = teachable_machine(tmp_path / "export", classifiers.dark_only())
    for name, grey in (("1", 120), ("2", 255)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((8, 8, 3), grey, np.uint8))
    assert main(["run", str(path), str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert [json.loads(line)["label"] for line in said.out.splitlines()] == ["red"]
    assert "gives scores that are no numbers from 0 to 1" in said.err


def test_a_video_is_pointed_to_what_takes_it(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    assert main(["predict", str(export), str(tmp_path / "clip.mp4")]) == 3
    said = capsys.readouterr().err
    assert f"`edge-classifier run {export} {tmp_path / 'clip.mp4'}` answers for each" in said


def test_one_answer_is_one(
    export: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["predict", str(export), str(pictures / "1.png")])
    assert "1 answer in" in capsys.readouterr().err
    main(["predict", str(export), str(pictures)])
    assert "3 answers in" in capsys.readouterr().err


@pytest.mark.parametrize("labels", [None, "red\ngreen\nblue\n"])
@pytest.mark.parametrize("signature", ["[" * 200_000, '{"format": ', "[]", "{}"])
def test_a_signature_of_lobe_that_is_damaged_is_told_as_such(
    tmp_path: Path,
    pictures: Path,
    capsys: pytest.CaptureFixture[str],
    signature: str,
    labels: str | None,
) -> None:
    path = lobe(tmp_path / "lobe", classifiers.colours())
    written(path, {"signature.json": signature, **({"labels.txt": labels} if labels else {})})
    assert main(["predict", str(path), str(pictures)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "signature.json beside saved_model.tflite is damaged, or not Lobe's" in line


@pytest.mark.parametrize(
    "option",
    ["--labels=nowhere.txt", "--weights=nowhere", "--features=pooled", "--backbone=v1-0.25"],
)
def test_an_option_that_makes_no_difference_is_refused(
    export: Path, pictures: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["predict", str(export), str(pictures), option]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{option.partition('=')[0]} is for " in line


@pytest.mark.parametrize(
    ("command", "part"),
    [("run", "spec.json"), *((c, "model.tflite") for c in ("run", "serve", "verify", "predict"))],
)
def test_a_part_of_a_bundle_is_told_by_the_folder_to_name(
    bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str], command: str, part: str
) -> None:
    name = next(path.name for path in bundle.glob("model*.tflite")) if "model" in part else part
    more = [str(pictures)] if command == "predict" else []
    assert main([command, str(bundle / name), *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{bundle / name} is a part of a bundle; name its folder, {bundle}." in line
