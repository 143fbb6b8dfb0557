"""The three commands that need no window, each as a user calls it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import networks
from support.exported_project import BURSTS, CLASSES, PER_BURST, picture, teach

from edge_classifier.commands.cli import main
from edge_classifier.features.catalogue import official
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

ALL = len(CLASSES) * BURSTS * PER_BURST


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a trained project that no test changes."""
    path = tmp_path_factory.mktemp("projects") / "taught"
    teach(path).store.close()
    return path


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Give a project of its own, with pictures and without a model."""
    path = tmp_path / "fresh"
    with ProjectStore.create(path, CLASSES) as store:
        for class_id, name in enumerate(CLASSES):
            for burst in range(BURSTS):
                burst_id = store.next_burst_id()
                for number in range(PER_BURST):
                    image = picture(class_id, burst * PER_BURST + number)
                    store.add_sample(encode_image(image), name, burst_id)
    return path


def test_no_model_is_made_of_features_that_are_no_numbers(
    fresh: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    info = official("v1-0.25").info("pooled", "ab" * 32)
    network = networks.averaging_and_mixing(256, bias=np.nan)
    networks.keep_compiled(network, info.name, info.weights_sha256)
    with ProjectStore.open(fresh) as store:
        store.set_backbone(info)
    assert main(["train", str(fresh)]) == 1
    assert (
        "backbone v1-0.25 gives features that are NaN" in capsys.readouterr().err.splitlines()[-1]
    )
    assert not (fresh / "model" / "model.npz").exists()


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """Give a folder per class of pictures that no project has."""
    for class_id, name in enumerate(CLASSES):
        folder = tmp_path / "held out" / name
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"{number}.png").write_bytes(
                cv2.imencode(".png", picture(class_id, 50 + number))[1].tobytes()
            )
    return tmp_path / "held out"


def test_train_makes_a_model_that_predict_uses(
    fresh: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(fresh), str(held_out)]) == 1
    assert "has no trained model yet; `edge-classifier train" in capsys.readouterr().err
    assert main(["train", str(fresh), "--backbone", "built-in"]) == 0
    out = capsys.readouterr().out
    assert f"trained on {ALL} pictures of {len(CLASSES)} classes" in out
    assert "växt 🌱" in out
    assert main(["predict", str(fresh), str(held_out), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [a["class_name"] for a in answers] == [n for n in CLASSES for _ in range(3)]
    assert [Path(a["path"]).parent.name for a in answers] == [a["class_name"] for a in answers]


def test_training_again_computes_no_feature_twice(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", str(fresh), "--backbone", "built-in"])
    cached = next((fresh / "cache").glob("features-*.bin"))
    size = cached.stat().st_size
    main(["train", str(fresh), "--head", "dense", "--epochs", "2"])
    assert cached.stat().st_size == size
    with ProjectStore.open(fresh) as store:
        assert store.settings["head"]["kind"] == "dense"
    capsys.readouterr()


def test_a_damaged_sample_is_named_and_the_others_are_learned(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = min((fresh / "samples" / "ball").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:500])
    assert main(["train", str(fresh), "--backbone", "built-in"]) == 3
    said = capsys.readouterr()
    assert damaged.name in said.err
    assert f"trained on {ALL - 1} pictures" in said.out


def test_one_class_cannot_be_trained_or_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.create(tmp_path / "one", ["ball"]) as store:
        store.add_sample(encode_image(picture(0, 0)), "ball", store.next_burst_id())
    for command in ("train", "evaluate"):
        assert main([command, str(tmp_path / "one"), "--backbone", "built-in"]) == 1
        said = capsys.readouterr().err
        assert "class" in said
        assert "Traceback" not in said


def test_evaluate_holds_out_bursts(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(taught), "--json", "--cross-validate"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pictures"] == ALL
    assert found["accuracy"] > 0.8
    assert found["interval"][0] < found["accuracy"] <= found["interval"][1]
    assert sum(map(sum, found["confusion"])) == ALL
    assert [c["name"] for c in found["classes"]] == list(CLASSES)
    assert "cross-validation over bursts, 2 folds" in found["how"]


def test_evaluate_doubts_its_number_where_pictures_were_added_one_by_one(
    held_out: Path, tmp_path: Path, taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "added"
    pictures = held_out.rename(tmp_path / "pictures")
    assert main(["add", str(project), str(pictures)]) == 0
    assert main(["train", str(project), "--backbone", "built-in"]) == 0
    capsys.readouterr()
    main(["evaluate", str(project), "--cross-validate"])
    assert "this number is too good" in capsys.readouterr().out
    main(["evaluate", str(taught), "--cross-validate"])
    assert "this number is too good" not in capsys.readouterr().out


def test_evaluate_takes_a_folder_per_class(
    taught: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (held_out / "ball" / "broken.jpg").write_bytes(b"no picture")
    (held_out / "wood").mkdir()
    report = tmp_path / "report.html"
    said = main(["evaluate", str(taught), str(held_out), "--report", str(report)])
    told = capsys.readouterr()
    assert said == 3
    assert "9 of 9 right" in told.out
    assert "broken.jpg" in told.err
    assert "wood is of none of the classes" in told.err
    assert "100.0%" in report.read_text(encoding="utf-8")


def test_evaluate_uses_the_samples_that_a_project_holds_out(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(fresh) as store:
        for class_id, name in enumerate(CLASSES):
            encoded = encode_image(picture(class_id, 77))
            store.add_sample(encoded, name, store.next_burst_id(), held_out=True)
    assert main(["evaluate", str(fresh), "--backbone", "built-in", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == len(CLASSES)
    options = ["--backbone", "built-in", "--json", "--cross-validate"]
    assert main(["evaluate", str(fresh), *options]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == ALL


def test_evaluate_says_how_many_pictures_were_trained_on(
    taught: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in CLASSES:
        sample = min((taught / "samples" / name).iterdir())
        (held_out / name / f"copy{sample.suffix}").write_bytes(sample.read_bytes())
    report = tmp_path / "report.html"
    assert main(["evaluate", str(taught), str(held_out), "--report", str(report)]) == 0
    said = f"{len(CLASSES)} of these {4 * len(CLASSES)} pictures were trained on"
    assert said in capsys.readouterr().out
    page = report.read_text(encoding="utf-8")
    assert said in page
    assert "not trained on" not in page
    assert main(["evaluate", str(taught), str(taught), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained_on"] == ALL


def test_a_picture_that_was_converted_when_it_was_added_counts_as_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for class_id, name in enumerate(CLASSES[:2]):
        folder = tmp_path / "given" / name
        folder.mkdir(parents=True)
        clear = cv2.cvtColor(picture(class_id, 0), cv2.COLOR_BGR2BGRA)
        clear[:40, :, 3] = 60
        cv2.imwrite(str(folder / "clear.png"), clear)
        cv2.imwrite(str(folder / "small.webp"), picture(class_id, 1))
    project = str(tmp_path / "p")
    assert main(["add", project, str(tmp_path / "given")]) == 0
    assert main(["train", project, "--backbone", "built-in"]) == 0
    capsys.readouterr()
    assert main(["evaluate", project, str(tmp_path / "given"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained_on"] == 4


def test_held_out_samples_of_a_class_that_is_not_trained_on_are_told(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(fresh) as store:
        store.add_class("cup")
        for name in (CLASSES[0], "cup"):
            encoded = encode_image(picture(CLASSES.index("ball"), 77 + len(name)))
            store.add_sample(encoded, name, store.next_burst_id(), held_out=True)
    assert main(["evaluate", str(fresh), "--backbone", "built-in"]) == 3
    told = capsys.readouterr()
    assert "cup: 1 held-out picture" in told.err
    assert "1 of 1 right" in told.out


def test_a_class_without_a_picture_to_evaluate_on_needs_no_second_burst(
    taught: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (held_out / "ball").iterdir():
        file.unlink()
    report = tmp_path / "report.html"
    assert main(["evaluate", str(taught), str(held_out), "--report", str(report)]) == 0
    out = capsys.readouterr().out
    assert "ball: no picture to evaluate on" in out
    assert "burst" not in out + report.read_text(encoding="utf-8")


def test_evaluate_says_that_there_is_no_report_where_there_is_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.create(tmp_path / "p", CLASSES[:2]) as store:
        for class_id, name in enumerate(CLASSES[:2]):
            store.add_sample(encode_image(picture(class_id, 0)), name, store.next_burst_id())
    options = ["--backbone", "built-in", "--report", str(tmp_path / "r.html")]
    assert main(["evaluate", str(tmp_path / "p"), *options]) == 5
    assert "no report" in capsys.readouterr().err


def test_options_may_stand_between_the_project_and_the_pictures(
    taught: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(taught), "--json", str(held_out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 * len(CLASSES)
    assert main(["evaluate", str(taught), "--json", str(held_out)]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 3 * len(CLASSES)
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", str(taught), "--jsonn", str(held_out)])


@pytest.mark.parametrize("words", [["train"], ["evaluate", "--json"]])
def test_a_reader_that_has_gone_ends_every_command_in_silence(
    fresh: Path, words: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", *words, fresh, "--backbone", "built-in"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(writing)
    assert said.returncode == 141
    assert "Traceback" not in said.stderr
    assert "BrokenPipe" not in said.stderr


@pytest.mark.parametrize("name", ["train", "evaluate", "predict"])
def test_names_that_the_output_cannot_spell_are_no_failure(
    taught: Path, held_out: Path, name: str
) -> None:
    words = [str(taught), str(held_out), "--json"] if name == "predict" else [str(taught)]
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", name, *words],
        capture_output=True,
        encoding="cp1252",
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONIOENCODING": "cp1252",  # what Windows gives a program whose output is piped
        },
    )
    assert said.returncode == 0, said.stderr
    assert "\\U0001f331" in said.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /dev/full")
def test_answers_that_cannot_be_written_are_one_line(taught: Path, held_out: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(  # noqa: S603 - this very package
            [sys.executable, "-m", "edge_classifier", "predict", taught, held_out],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert said.returncode == 1
    assert "edge-classifier: Cannot write the answers: the disk is full" in said.stderr
    assert "Error" not in said.stderr


def test_evaluating_changes_no_project_that_chose_no_backbone(fresh: Path) -> None:
    assert main(["evaluate", str(fresh), "--backbone", "built-in"]) == 0
    with ProjectStore.open(fresh) as store:
        assert store.backbone is None


def test_scripts_learn_from_the_exit_code_what_evaluate_found(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(taught), "--min-accuracy", "0.5"]) == 0
    report = tmp_path / "r.html"
    with ProjectStore.create(tmp_path / "p", CLASSES[:2]) as store:
        for class_id, name in enumerate(CLASSES[:2]):
            burst_id = store.next_burst_id()
            for number in range(4):
                store.add_sample(encode_image(picture(class_id, number)), name, burst_id)
    single = ["evaluate", str(tmp_path / "p"), "--backbone", "built-in", "--report", str(report)]
    assert main(single) == 5
    assert "ball, stripes: needs a second burst" in capsys.readouterr().out
    assert not report.exists()


def test_less_than_the_wanted_accuracy_is_exit_code_4(taught: Path, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped"
    for class_id, name in ((1, "ball"), (0, "stripes")):
        (swapped / name).mkdir(parents=True)
        cv2.imwrite(str(swapped / name / "a.png"), picture(class_id, 60))
    assert main(["evaluate", str(taught), str(swapped), "--min-accuracy", "0.5"]) == 4


def test_a_folder_without_any_of_the_classes_is_refused(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cats").mkdir()
    assert main(["evaluate", str(taught), str(tmp_path)]) == 1
    assert "Expected folders called ball, stripes" in capsys.readouterr().err
    assert main(["evaluate", str(taught), str(tmp_path / "cats" / "missing")]) == 1
    assert "Expected a folder" in capsys.readouterr().err


def test_predict_names_what_it_refuses_and_goes_on(
    taught: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (held_out / "broken.jpg").write_bytes(b"")
    missing = held_out / "missing.png"
    said = main(["predict", str(taught), str(held_out), str(missing), "--csv", "--top-k", "2"])
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert said == 3
    assert len(rows) == 11
    assert sum(bool(row["error"]) for row in rows) == 2
    assert told.err.count("refused: ") == 2
    assert "9 answers" in told.err
    right = [row for row in rows if row["class_name"]]
    assert all(float(row["score"]) >= float(row["score_2"]) for row in right)


def test_predict_calls_a_stranger_unknown(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    assert main(["predict", str(taught), str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("unknown")
    assert "1 unknown" in told.err


def test_predict_says_when_the_project_has_changed_since(
    fresh: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", str(fresh), "--backbone", "built-in"])
    with ProjectStore.open(fresh) as store:
        store.add_sample(encode_image(picture(0, 99)), "ball", store.next_burst_id())
    assert main(["predict", str(fresh), str(held_out)]) == 0
    assert "has changed since it was trained" in capsys.readouterr().err


def test_another_backbone_is_refused_where_nothing_may_change(
    taught: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--backbone", "built-in", "--features", "spatial"]
    assert main(["predict", str(taught), str(held_out), *options]) == 1
    assert "was trained on the backbone built-in with pooled features" in capsys.readouterr().err


def test_other_weights_of_the_same_backbone_are_refused_with_what_helps(
    fresh: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", str(fresh), "--backbone", "built-in"])
    with ProjectStore.open(fresh) as store:
        assert store.backbone is not None
        store.set_backbone(replace(store.backbone, weights_sha256="0" * 64), replace=True)
    helps = ["train", str(fresh), "--backbone", "built-in"]
    for words in ([], ["--backbone", "built-in"]):
        capsys.readouterr()
        assert main(["predict", str(fresh), str(held_out), *words]) == 1
        said = capsys.readouterr().err
        assert "other weights of built-in" in said
        assert f"`edge-classifier {' '.join(helps)}`" in said
    assert main(helps) == 0
    assert main(["predict", str(fresh), str(held_out)]) == 0


def test_predict_reads_beside_a_program_that_has_the_project_open(
    taught: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.open(taught):
        assert main(["predict", str(taught), str(held_out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 9


def test_nothing_to_predict_is_said(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(taught)]) == 2
    assert "Expected pictures" in capsys.readouterr().err


def test_a_reader_that_has_enough_ends_predict_in_silence(taught: Path, held_out: Path) -> None:
    program = subprocess.Popen(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", "predict", taught, *[held_out] * 200],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline()
    program.stdout.close()
    told = program.stderr.read()
    program.stderr.close()
    assert program.wait(60) == 141
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_a_file_name_that_is_no_utf8_goes_out_as_it_came_in(taught: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(cv2.imencode(".png", picture(0, 0))[1].tobytes())
    said = subprocess.run(  # noqa: S603 - this very package
        [sys.executable, "-m", "edge_classifier", "predict", taught, tmp_path, "--csv"],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert name in said.stdout
