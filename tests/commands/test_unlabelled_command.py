"""`add --unlabelled`: what a device has kept becomes samples; what makes no sense is refused."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support import exported_project
from support.fakes import FakeDisplay

from edge_classifier.commands.cli import main
from edge_classifier.commands.unlabelled import Pictures, ask
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.unsure_frames import UnsureFrames
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.project.sample_files import recording_of
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.live.view import View


@pytest.fixture
def kept(bundle: Path, tmp_path: Path) -> Path:
    """Frames that a device was unsure of, in two runs."""
    classifier = Classifier(Bundle.open(bundle))
    for run in range(2):
        with closing(UnsureFrames(tmp_path / "kept", classifier, 50, live=False)) as output:
            for number in range(6):
                image = exported_project.in_other_light(
                    exported_project.picture(number % 3, 300 + 10 * run + number)
                )
                image = image[::-1] if number > 2 else image
                image = image[..., ::-1] if run else image
                output.consider(Frame(image, number, float(number)), classifier.predict(image))
    assert len(list((tmp_path / "kept").glob("*.jpg"))) >= 4
    return tmp_path / "kept"


class Person:
    """Answers for all groups there are, and closes."""

    def __init__(self) -> None:
        self.display = FakeDisplay(self._keys())

    def _keys(self) -> Iterator[str | None]:
        for _ in range(3000):
            view = self._view
            if view and view.gallery and view.gallery.title == "nothing is left to name":
                yield "escape"
            elif view and view.gallery and view.gallery.rows:
                yield "1"
            else:
                yield None

    @property
    def _view(self) -> View | None:
        return self.display.views[-1] if self.display.views else None


def test_frames_that_a_device_kept_become_samples_and_a_run_is_one_recording(
    taught_project: Path, tmp_path: Path, kept: Path
) -> None:
    with ProjectStore.open(taught_project, read_only=True) as store:
        store.save_as(tmp_path / "project")
    count = len(list(kept.glob("*.jpg")))
    with ProjectStore.open(tmp_path / "project") as store:
        before = set(store.samples())
        problem = ask(Pictures([kept]), store, BackboneChoice("built-in"), Person().display)
        assert not problem
        added = [s for s in store.samples() if s not in before]
        assert len(added) == count
        notes = (store.path / "sources.jsonl").read_text("utf-8").splitlines()
        records = [json.loads(line) for line in notes]
        runs = {
            record["sample"]: json.loads(
                (kept / record["source"]).with_suffix(".json").read_text("utf-8")
            )["run"]
            for record in records
        }
        assert len(set(runs.values())) == 2
        recordings = {s.path.name: recording_of(s.burst_id) for s in added}
        assert len({(runs[n], r) for n, r in recordings.items()}) == len(set(runs.values()))
    assert len(list(kept.glob("*.jpg"))) == count


def test_without_a_screen_a_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9, 9, 3), np.uint8))
    assert main(["add", str(tmp_path / "p"), str(tmp_path / "a.png"), "--unlabelled"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("asks what they are; add --browser for a page.")
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--unlabelled", "--class", "mug"], "leave out --class"),
        (["--unlabelled", "--dry-run"], "leave out --dry-run"),
        (["--unlabelled", "--every", "3"], "leave out --every"),
        (["--browser"], "--browser is for --unlabelled"),
        (["--language", "de"], "--language is for --unlabelled"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(tmp_path / "p"), str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err


def test_what_is_named_and_is_no_picture_is_refused_before_a_window_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"\0\0\0\x18ftypmp42")
    (tmp_path / "notes.txt").write_bytes(b"mugs")
    named = [tmp_path / "notes.jpg", tmp_path / "notes.txt", tmp_path / "away"]
    assert main(["add", str(tmp_path / "p"), *map(str, named), "--unlabelled"]) == 1
    video, text, away, line = capsys.readouterr().err.splitlines()
    assert video == f"refused: {named[0]} is a video (MP4), not a picture."
    assert text.startswith(f"refused: {named[1]} is not a picture that can be read")
    assert away == f"refused: {named[2]}: it is not there"
    assert "There are no pictures in" in line
    assert not (tmp_path / "p").exists()


def test_a_folder_without_pictures_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(tmp_path / "p"), str(tmp_path), "--unlabelled"]) == 1
    assert f"There are no pictures in {tmp_path}." in capsys.readouterr().err
