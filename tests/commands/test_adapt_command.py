"""`edge-classifier adapt` as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, in_other_light, picture, teach
from support.mounts import read_only

from edge_classifier.commands.cli import main
from edge_classifier.commands.unlabelled_frames import Unlabelled, thinned
from edge_classifier.learning.adaptation_file import NAME
from edge_classifier.learning.familiar_frames import MOST_LOOKED_AT
from edge_classifier.project.store import ProjectStore

_EACH = 10


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("projects") / "taught"
    teach(path).store.close()
    assert main(["train", str(path)]) == 0
    return path


@pytest.fixture
def project(taught: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taught, tmp_path / "things"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of pictures in another light, of all classes, without labels."""
    return write(tmp_path_factory.mktemp("shown"), range(len(CLASSES)))


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give others of that light, one folder a class."""
    folder = tmp_path_factory.mktemp("later")
    for class_id, name in enumerate(CLASSES):
        (folder / name).mkdir()
        write(folder / name, [class_id], first=80)
    return folder


def write(folder: Path, class_ids: Sequence[int], first: int = 60) -> Path:
    for class_id in class_ids:
        for number in range(first, first + _EACH):
            image = in_other_light(picture(class_id, number))
            cv2.imwrite(str(folder / f"{class_id}-{number}.png"), image)
    return folder


def unknown_of(project: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    assert main(["predict", str(project), str(folder), "--json"]) == 0
    return sum(json.loads(line)["unknown"] for line in capsys.readouterr().out.splitlines())


def refusal(words: list[str], capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    """Run what is refused; returns the only line, or the last one, that was said."""
    capsys.readouterr()
    assert main(words) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.splitlines()[-1]


def test_what_is_known_is_known_again_in_another_light_until_that_is_taken_back(
    project: Path, shown: Path, later: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = unknown_of(project, later, capsys)
    model = (project / "model" / "model.npz").read_bytes()
    assert main(["adapt", str(project), str(shown)]) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"familiar 0\.\d\d → (0\.\d\d|1\.00); 3 of 3 classes seen\n", said.out)
    assert "Adapted to 30 of 30 pictures" in said.err
    assert f"ball {_EACH}, stripes {_EACH}, växt 🌱 {_EACH}" in said.err
    assert said.err.endswith(f"`edge-classifier adapt {project} --undo` takes it back.\n")
    adapted = unknown_of(project, later, capsys)
    assert before >= 12
    assert adapted <= before / 2
    assert main(["evaluate", str(project), str(later)]) == 0
    assert f"on {later}, adapted" in capsys.readouterr().out
    assert (project / "model" / "model.npz").read_bytes() == model
    assert main(["adapt", str(project), "--undo"]) == 0
    assert "things answers again as it was taught" in capsys.readouterr().err
    assert unknown_of(project, later, capsys) == before


def test_no_sample_is_touched(project: Path, shown: Path) -> None:
    before = {path: path.read_bytes() for path in (project / "samples").rglob("*.*")}
    assert main(["adapt", str(project), str(shown)]) == 0
    after = {path: path.read_bytes() for path in (project / "samples").rglob("*.*")}
    assert after == before


def test_adapting_again_begins_anew(
    project: Path, shown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for folder in (shown, project / "samples", shown):
        assert main(["adapt", str(project), str(folder)]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[2] != said[1]


def test_training_again_keeps_it(
    project: Path, shown: Path, later: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(project), str(shown)]) == 0
    adapted = unknown_of(project, later, capsys)
    assert main(["train", str(project)]) == 0
    assert unknown_of(project, later, capsys) == adapted


def test_undoing_where_nothing_was_done_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(project), "--undo"]) == 0
    assert "things is not adapted; there is nothing to take back" in capsys.readouterr().err


def test_what_cannot_be_read_is_named_and_the_others_are_used(
    project: Path, shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(shown, tmp_path / "some"))
    broken = folder / "broken.png"
    broken.write_bytes((folder / "0-60.png").read_bytes()[:300])
    missing = tmp_path / "missing.jpg"
    assert main(["adapt", str(project), str(folder), str(missing)]) == 3
    said = capsys.readouterr()
    assert "3 of 3 classes seen" in said.out
    assert said.err.count("refused: ") == 2
    assert broken.name in said.err
    assert missing.name in said.err


def test_what_is_not_possible_changes_nothing_and_is_one_line(
    project: Path, shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(project), str(shown)]) == 0
    kept = (project / "model" / NAME).read_bytes()
    for name in ("empty", "one class", "strangers"):
        (tmp_path / name).mkdir()
    write(tmp_path / "one class", [0])
    for number in range(9):
        noise = np.random.default_rng(number).integers(0, 256, (90, 120, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "strangers" / f"{number}.png"), noise)
    words = ["adapt", str(project)]
    expected = "Expected one of these: pictures of the classes as they look now, --source, or"
    for more, told in (
        ([str(tmp_path / "empty")], "There is no picture to adapt to."),
        ([str(tmp_path / "one class")], "of 2 classes; recognised were ball ("),
        ([str(tmp_path / "strangers")], "None of the 9 pictures resembles what was taught"),
        ([], expected),
        (["--undo", str(shown)], expected),
        (["--source", "0", str(shown)], expected),
        (["--source", str(tmp_path / "none.avi")], "There is no file"),
        (["--source", str(shown)], "is a folder; name a video file in it"),
    ):
        assert told in refusal([*words, *more], capsys, 2 if told is expected else 1)
        assert (project / "model" / NAME).read_bytes() == kept


def test_a_project_that_cannot_be_adapted_says_why(
    project: Path, shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["adapt", str(project), str(shown)]
    shutil.copytree(project, tmp_path / "dense")
    assert main(["train", str(tmp_path / "dense"), "--head", "dense", "--epochs", "1"]) == 0
    dense = ["adapt", str(tmp_path / "dense"), str(shown)]
    assert "Only the linear head" in refusal(dense, capsys)
    assert not (tmp_path / "dense" / "model" / NAME).exists()
    (project / "model" / "model.npz").unlink()
    assert f"no trained model yet; `edge-classifier train {project}`" in refusal(words, capsys)
    assert "is not a project" in refusal(["adapt", str(tmp_path), str(shown)], capsys)


def test_a_project_that_has_changed_since_is_adapted_as_it_was_trained(
    project: Path, shown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(project) as store:
        store.remove_samples(store.samples()[:1])
    assert main(["adapt", str(project), str(shown)]) == 0
    said = capsys.readouterr().err
    assert "things has changed since it was trained; adapting the model as it is." in said


def test_a_project_that_may_not_be_written_is_refused_before_anything_is_looked_at(
    project: Path, shown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with read_only(project):
        for words in ([str(shown)], ["--undo"]):
            said = refusal(["adapt", str(project), *words], capsys)
            assert str(project) in said
    with ProjectStore.open(project):
        assert "open" in refusal(["adapt", str(project), str(shown)], capsys)
    assert not (project / "model" / NAME).exists()


def video(path: Path, class_ids: Sequence[int]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for class_id in class_ids:
        for number in range(60, 60 + _EACH):
            writer.write(in_other_light(picture(class_id, number)))
    writer.release()
    return path


def test_a_video_is_pictures_too(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = video(tmp_path / "clip.avi", (0, 1, 2))
    assert main(["adapt", str(project), str(clip)]) == 0
    assert "of 30 pictures" in capsys.readouterr().err
    (tmp_path / "none.mp4").write_bytes(b"no video")
    assert main(["adapt", str(project), str(clip), str(tmp_path / "none.mp4")]) == 3
    assert "none.mp4" in capsys.readouterr().err


def test_a_source_is_watched_until_there_is_enough_of_each_class(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = video(tmp_path / "clip.avi", (0, 1, 2, 0, 0, 0))
    assert main(["adapt", str(project), "--source", str(clip)]) == 0
    said = capsys.readouterr()
    assert "3 of 3 classes seen" in said.out
    assert "ball 10, stripes 10, växt 🌱 8: enough" in said.err
    assert "of 28 pictures" in said.err


def test_at_the_end_of_a_source_what_there_is_counts(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(project), "--source", str(video(tmp_path / "a.avi", (0, 1)))]) == 0
    assert "2 of 3 classes seen" in capsys.readouterr().out
    words = ["adapt", str(project), "--source", str(video(tmp_path / "b.avi", (0,)))]
    assert "of 2 classes; recognised were ball" in refusal(words, capsys)


def test_of_a_hundred_thousand_pictures_a_bounded_number_is_taken_evenly(
    project: Path, shown: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = sorted(shown.iterdir())
    for number in range(5000):  # a hundred thousand take a minute to link
        folder = tmp_path / "many" / str(number // 500)
        folder.mkdir(parents=True, exist_ok=True)
        os.link(pictures[number * len(pictures) // 5000], folder / f"{number:05}.png")
    unlabelled = Unlabelled([tmp_path / "many"])
    assert (unlabelled.found, unlabelled.refused) == (5000, [])
    assert MOST_LOOKED_AT / 2 < unlabelled.taken <= MOST_LOOKED_AT
    assert main(["adapt", str(project), str(tmp_path / "many")]) == 0
    said = capsys.readouterr()
    assert f"5,000 pictures found; {unlabelled.taken:,} were taken, evenly." in said.err
    assert "3 of 3 classes seen" in said.out
    assert "ball 10, stripes 10, växt 🌱 10" in said.err


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 2048, 3000, 100_000])
def test_thinning_out_leaves_no_gap_and_no_more_than_it_may(count: int) -> None:
    paths = (Path(f"{n}.png") for n in range(count))
    kept, found = thinned(paths, MOST_LOOKED_AT)
    numbers = [int(path.stem) for path in kept]
    assert found == count
    assert min(count, MOST_LOOKED_AT // 2) <= len(numbers) <= MOST_LOOKED_AT
    steps = {after - before for before, after in pairwise(numbers)}
    assert len(steps) <= 1
    assert not numbers or (numbers[0], count - numbers[-1]) <= (0, max(steps, default=1))
