"""Teaching and judging without a window, each as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import networks
from support.exported_project import BURSTS, CLASSES, PER_BURST, picture

from edge_classifier.commands.cli import main
from edge_classifier.features.catalogue import official
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

ALL = len(CLASSES) * BURSTS * PER_BURST


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


def test_evaluate_holds_out_bursts(
    taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(taught_project), "--json", "--cross-validate"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pictures"] == ALL
    assert found["accuracy"] > 0.8
    assert found["interval"][0] < found["accuracy"] <= found["interval"][1]
    assert sum(map(sum, found["confusion"])) == ALL
    assert [c["name"] for c in found["classes"]] == list(CLASSES)
    assert "cross-validation over bursts, 2 folds" in found["how"]


def test_evaluate_doubts_its_number_where_pictures_were_added_one_by_one(
    held_out: Path, tmp_path: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "added"
    pictures = held_out.rename(tmp_path / "pictures")
    assert main(["add", str(project), str(pictures)]) == 0
    assert main(["train", str(project), "--backbone", "built-in"]) == 0
    capsys.readouterr()
    main(["evaluate", str(project), "--cross-validate"])
    assert "this number is too good" in capsys.readouterr().out
    main(["evaluate", str(taught_project), "--cross-validate"])
    assert "this number is too good" not in capsys.readouterr().out


def test_evaluate_takes_a_folder_per_class(
    taught_project: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (held_out / "ball" / "broken.jpg").write_bytes(b"no picture")
    (held_out / "wood").mkdir()
    report = tmp_path / "report.html"
    said = main(["evaluate", str(taught_project), str(held_out), "--report", str(report)])
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
    taught_project: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in CLASSES:
        sample = min((taught_project / "samples" / name).iterdir())
        (held_out / name / f"copy{sample.suffix}").write_bytes(sample.read_bytes())
    report = tmp_path / "report.html"
    assert main(["evaluate", str(taught_project), str(held_out), "--report", str(report)]) == 0
    said = f"{len(CLASSES)} of these {4 * len(CLASSES)} pictures were trained on"
    assert said in capsys.readouterr().out
    page = report.read_text(encoding="utf-8")
    assert said in page
    assert "not trained on" not in page
    assert main(["evaluate", str(taught_project), str(taught_project), "--json"]) == 0
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
    taught_project: Path, held_out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (held_out / "ball").iterdir():
        file.unlink()
    report = tmp_path / "report.html"
    assert main(["evaluate", str(taught_project), str(held_out), "--report", str(report)]) == 0
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
    taught_project: Path, held_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(taught_project), "--json", str(held_out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 * len(CLASSES)
    assert main(["evaluate", str(taught_project), "--json", str(held_out)]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 3 * len(CLASSES)
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", str(taught_project), "--jsonn", str(held_out)])


def test_evaluating_changes_no_project_that_chose_no_backbone(fresh: Path) -> None:
    assert main(["evaluate", str(fresh), "--backbone", "built-in"]) == 0
    with ProjectStore.open(fresh) as store:
        assert store.backbone is None


def test_scripts_learn_from_the_exit_code_what_evaluate_found(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(taught_project), "--min-accuracy", "0.5"]) == 0
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


def test_less_than_the_wanted_accuracy_is_exit_code_4(taught_project: Path, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped"
    for class_id, name in ((1, "ball"), (0, "stripes")):
        (swapped / name).mkdir(parents=True)
        cv2.imwrite(str(swapped / name / "a.png"), picture(class_id, 60))
    assert main(["evaluate", str(taught_project), str(swapped), "--min-accuracy", "0.5"]) == 4


def test_a_folder_without_any_of_the_classes_is_refused(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cats").mkdir()
    assert main(["evaluate", str(taught_project), str(tmp_path)]) == 1
    assert "Expected folders called ball, stripes" in capsys.readouterr().err
    assert main(["evaluate", str(taught_project), str(tmp_path / "cats" / "missing")]) == 1
    assert "Expected a folder" in capsys.readouterr().err
