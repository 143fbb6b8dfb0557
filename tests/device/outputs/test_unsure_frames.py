"""Frames that teach most are kept in a folder: which, how, and on disks as they are."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support import exported_project
from support.answers import Said, wait_until
from support.exported_project import CLASSES
from support.mounts import read_only, small_disk

from edge_classifier.commands.cli import main
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import BundleError, InvalidValueError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.unsure_frames import UnsureFrames

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    return Classifier(Bundle.open(bundle))


def stranger(number: int) -> Image:
    """What no class resembles, each unlike the others."""
    generator = np.random.default_rng(number)
    coarse = generator.integers(0, 256, (3 + number % 5, 4 + number % 7, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_NEAREST), np.uint8)


def look(output: UnsureFrames, classifier: Classifier, images: Iterable[Image]) -> None:
    for number, image in enumerate(images):
        frame = Frame(image, number, float(number), name="camera 0")
        output.consider(frame, classifier.predict(image))


def keep(folder: Path, classifier: Classifier, images: Iterable[Image], *, most: int = 200) -> None:
    """Look at all of them, as at pictures of a folder."""
    with closing(UnsureFrames(folder, classifier, most, live=False)) as output:
        look(output, classifier, images)


def pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.with_suffix(".json").read_bytes()) for path in pictures(folder)]


def test_what_it_is_unsure_of_is_kept_as_the_camera_gave_it_with_what_it_said(
    classifier: Classifier, tmp_path: Path
) -> None:
    known = [exported_project.picture(c, 40) for c in range(len(CLASSES))]
    keep(tmp_path / "a" / "b", classifier, [*known, stranger(0), stranger(0), stranger(1)])
    first, second = records(tmp_path / "a" / "b")
    assert [first["frame"], second["frame"]] == [3, 5]
    assert first["label"] == "unknown"
    assert set(first["scores"]) == set(CLASSES)
    assert first["model"] == classifier.bundle.spec["models"]["float32"]["sha256"]
    assert first["run"] == second["run"]
    kept = cv2.imread(str(pictures(tmp_path / "a" / "b")[0]))
    assert kept is not None
    assert np.abs(kept.astype(int) - stranger(0)).mean() < 8
    assert len(list((tmp_path / "a" / "b").iterdir())) == 4


def test_the_next_run_goes_on_with_what_is_there(classifier: Classifier, tmp_path: Path) -> None:
    keep(tmp_path, classifier, [stranger(0)])
    (tmp_path / ".tmp-0000").write_bytes(b"a write that was killed")
    first = pictures(tmp_path)
    (tmp_path / "unsure-20260101-000000000-abcd.jpg").write_bytes(b"killed before its verdict")
    (tmp_path / "unsure-20260101-000000000-ef01.json").write_bytes(b"{}")  # its picture was taken
    (tmp_path / "mine.json").write_bytes(b"{}")
    keep(tmp_path, classifier, [stranger(0), stranger(1)], most=2)
    assert first[0] in pictures(tmp_path)
    assert len(pictures(tmp_path)) == 2
    assert len(records(tmp_path)) == 2
    names = {path.name for path in tmp_path.iterdir()}
    assert "mine.json" in names
    assert not any("20260101" in name for name in names)


def test_there_are_never_more_than_asked_for(classifier: Classifier, tmp_path: Path) -> None:
    keep(tmp_path, classifier, (stranger(n) for n in range(40)), most=5)
    assert len(records(tmp_path)) == 5
    assert len(list(tmp_path.iterdir())) == 10


def test_black_pictures_and_the_first_second_of_a_camera_teach_nothing(
    classifier: Classifier, tmp_path: Path
) -> None:
    black = np.zeros((240, 320, 3), np.uint8)
    keep(tmp_path / "black", classifier, [black])
    assert not pictures(tmp_path / "black")
    with closing(UnsureFrames(tmp_path / "live", classifier, 9, live=True)) as output:
        for number in range(40):  # at 10 pictures a second
            if number == 20:
                assert output.wait("camera 0 is lost")
            image = stranger(number)
            frame = Frame(image, number, number / 10)
            before = output._courier._waiting.copy()
            output.consider(frame, classifier.predict(image))
            early = number < 10 or 20 <= number < 30
            assert not early or output._courier._waiting in (before, type(before)())
    numbers = {record["frame"] for record in records(tmp_path / "live")}
    assert numbers
    assert numbers <= {*range(10, 20), *range(30, 40)}


def test_what_is_at_rest_before_the_first_second_is_over_is_kept_after_it(
    classifier: Classifier, tmp_path: Path
) -> None:
    known = exported_project.picture(0, 1)
    scenes = {
        **dict.fromkeys(range(8), stranger(0)),  # it rests from then on
        **dict.fromkeys(range(20, 28), stranger(1)),
        40: stranger(2),
        41: known,  # it was gone at once
        72: stranger(3),  # after a camera was back that showed what it did before
    }
    with closing(UnsureFrames(tmp_path, classifier, 9, live=True)) as output:
        for number in range(80):  # at 10 pictures a second
            if number in (20, 40, 60):
                assert output.wait("camera 0 is lost")
            frame = Frame(scenes.get(number, known), number, number / 10)
            prediction = classifier.predict(frame.image)
            if number in scenes:
                output.consider(frame, prediction)
            output.show(frame, prediction)
            wait_until(lambda: not output._courier._waiting)
    assert [record["frame"] for record in records(tmp_path)] == [7, 27, 72]


def test_run_keeps_them_and_answers_as_it_does_without(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), stranger(number))
    command = ["run", str(bundle), str(tmp_path / "in")]
    assert main(command) == 0
    without = capsys.readouterr().out
    assert main([*command, "--keep-unsure", str(tmp_path / "out"), "--most", "2"]) == 0
    assert capsys.readouterr().out == without
    assert {r["source"] for r in records(tmp_path / "out")} < {
        str(path) for path in (tmp_path / "in").iterdir()
    }
    assert len(records(tmp_path / "out")) == 2


def test_a_folder_that_cannot_be_written_in_is_said_once_and_gone_on_with_later(
    classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys)
    folder = tmp_path / "kept"
    output = UnsureFrames(folder, classifier, 9, live=False)
    with read_only(tmp_path):
        look(output, classifier, [stranger(0), stranger(1)])
        wait_until(lambda: said.lines)
    look(output, classifier, [stranger(2)])
    wait_until(lambda: len(pictures(folder)) == 1 and not output._courier._waiting)
    shutil.rmtree(folder)  # which is not made again: it may have been on a disk that is gone
    look(output, classifier, [stranger(3), stranger(4)])
    wait_until(lambda: len(said.lines) > 1)
    folder.mkdir()
    look(output, classifier, [stranger(2)])
    output.close()
    assert len(pictures(folder)) == 1
    first, second = (line for line in said.lines)
    assert first.startswith(f"--keep-unsure: {folder} cannot be written to (Read-only file")
    assert second == (
        f"--keep-unsure: {folder} cannot be written to (No such file or directory); nothing is "
        "kept there."
    )


def test_on_a_full_disk_what_is_kept_is_whole(
    classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 96) as disk:
        keep(disk, classifier, (stranger(n) for n in range(40)))
        assert len(pictures(disk)) > 1
        assert len(records(disk)) == len(pictures(disk)) == len(list(disk.iterdir())) / 2
        assert all(cv2.imread(str(path)) is not None for path in pictures(disk))
    (line,) = capsys.readouterr().err.splitlines()
    assert "No space left on device" in line


def test_what_can_never_be_is_refused_at_once(
    bundle: Path, classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidValueError, match="is not a folder; name another one"):
        UnsureFrames(tmp_path / "file", classifier, 9, live=True)
    older = Classifier(classifier.bundle)
    older._outputs = {name: n for name, n in older._outputs.items() if name != "features"}
    with pytest.raises(BundleError, match="exported by an older version; export it again"):
        UnsureFrames(tmp_path, older, 9, live=True)
    with pytest.raises(SystemExit, match="2"):
        main(["run", str(bundle), "--keep-unsure", str(tmp_path), "--most", "0"])
    assert "argument --most: expected a whole number from 1" in capsys.readouterr().err


def test_other_features_of_the_same_backbone_are_nothing_to_compare_with_either(
    classifier: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, classifier, [stranger(0)])
    file = pictures(tmp_path)[0].with_suffix(".json")
    about = json.loads(file.read_bytes())
    file.write_text(json.dumps({**about, "features": about["features"][:64]}), "utf-8")
    keep(tmp_path, classifier, [stranger(1), stranger(2)])
    assert not capsys.readouterr().err
    assert len(records(tmp_path)) == 3


def test_frames_of_another_backbone_are_nothing_to_compare_with(
    classifier: Classifier, tmp_path: Path
) -> None:
    keep(tmp_path, classifier, [stranger(0)])
    spec = {**classifier.bundle.spec, "backbone": {"weights_sha256": "another"}}
    other = Classifier(replace(classifier.bundle, spec=spec))
    keep(tmp_path, other, [stranger(0)])
    assert len(records(tmp_path)) == 2
