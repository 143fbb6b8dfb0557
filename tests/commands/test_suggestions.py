from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.commands.cli import main
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def project(taught_project: Path, tmp_path: Path) -> Path:
    """The taught project, which may be changed."""
    return Path(shutil.copytree(taught_project, tmp_path / "things"))


def evaluated(
    project: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> dict[str, object]:
    capsys.readouterr()
    main(["evaluate", str(project), "--json", "--cross-validate", *options])
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_evaluate_names_the_pair_most_confused_with_a_picture_of_each(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swapped = tmp_path / "swapped"
    with ProjectStore.open(project) as store:
        for sample in store.samples():
            if sample.class_name == "ball":
                (swapped / "stripes").mkdir(parents=True, exist_ok=True)
                shutil.copy(sample.path, swapped / "stripes" / f"new-{sample.path.name}")
    capsys.readouterr()
    assert main(["evaluate", str(project), str(swapped), "--json"]) in (0, 3)
    confused = json.loads(capsys.readouterr().out)["coaching"]["confused"]
    assert confused["classes"] == ["stripes", "ball"]
    assert confused["examples"][0].startswith(str(swapped))


def test_evaluate_lists_suspects_by_path_and_says_what_classes_lack(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(project) as store:
        burst = store.samples()[0].burst_id
        white = encode_image(np.full((240, 320, 3), 255, np.uint8))
        added = store.add_sample(white, "ball", burst)
    coaching = evaluated(project, capsys)["coaching"]
    assert isinstance(coaching, dict)
    suspects = {s["path"]: s["reason"] for s in coaching["suspects"]}
    assert suspects[str(added.path)] == "over-exposed"
    advice = {one["name"]: one["advice"] for one in coaching["classes"]}
    assert "11 pictures (9 more would help)" in advice["ball"]
    report = tmp_path / "report.html"
    main(["evaluate", str(project), "--cross-validate", "--report", str(report)])
    said = capsys.readouterr().out
    assert f"too bright: {added.path}" in said
    page = report.read_text("utf-8")
    assert "What would help" in page
    assert "too bright" in page


def test_there_is_no_number_where_one_class_alone_could_be_held_out(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        ProjectStore.open(project) as store,
        ProjectStore.create(tmp_path / "one", store.class_names()) as one,
    ):
        single = {name: one.next_burst_id() for name in store.class_names()}
        second = one.next_burst_id()
        for n, sample in enumerate(store.samples()):
            burst = second if sample.class_name == "ball" and n % 2 else single[sample.class_name]
            one.add_sample(encode_image(read_image(sample.path)), sample.class_name, burst)
    options = ["--backbone", "built-in"]
    found = evaluated(tmp_path / "one", capsys, *options)
    assert found["accuracy"] is None
    assert found["untested"] == ["stripes", "växt 🌱"]
    assert main(["evaluate", str(tmp_path / "one"), *options]) == 5
    said = capsys.readouterr().out
    assert "no number: stripes, växt 🌱: needs a second burst" in said
    assert "one burst only" in said


def test_pictures_of_one_class_alone_are_said_to_be_no_measure_of_answers(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(project) as store:
        held_out = [s.path for s in store.held_out() if s.class_name == "ball"]
    (tmp_path / "new" / "ball").mkdir(parents=True)
    for path in held_out:
        shutil.copy(path, tmp_path / "new" / "ball")
    capsys.readouterr()
    assert main(["evaluate", str(project), str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert "of 1 of 3 classes" in said
    assert "all of them are of ball: this says how often it is found" in said


def test_frames_of_the_empty_scene_are_listed_and_left_out_of_training(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    empty = [rng.normal(120, 4, (240, 320, 3)).astype(np.uint8) for _ in range(12)]
    with ProjectStore.open(project) as store:
        balls = [s for s in store.samples() if s.class_name == "ball"][:8]
        store.add_class("background")
        room, burst = store.next_burst_id(), store.next_burst_id()
        for picture in empty[:8]:
            store.add_sample(encode_image(picture), "background", room)
        early = [store.add_sample(encode_image(p), "ball", burst) for p in empty[8:]]
        for ball in balls:
            shifted = np.roll(read_image(ball.path), 3, axis=1)
            store.add_sample(encode_image(shifted), "ball", burst)
    coaching = evaluated(project, capsys)["coaching"]
    assert isinstance(coaching, dict)
    found = [s["path"] for s in coaching["suspects"] if s["reason"] == "empty"]
    assert sorted(found) == sorted(str(sample.path) for sample in early)
    line = (
        "4 pictures of ball look empty and are left out until they were reviewed: V in the window"
    )
    assert coaching["general"] == [line]
    capsys.readouterr()
    assert main(["train", str(project)]) == 0
    assert line in capsys.readouterr().err
    assert main(["evaluate", str(project)]) == 0
    said = capsys.readouterr().out
    assert line in said
    assert f"looks empty: {early[0].path}" in said
