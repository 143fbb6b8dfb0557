"""Fine-tuning a project's backbone: what comes of it, who uses it, and the way back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture, teach

from edge_classifier import ImageClassifier
from edge_classifier.commands.cli import main
from edge_classifier.errors import (
    BackboneMismatchError,
    CancelledError,
    InvalidValueError,
    NotEnoughSamplesError,
    WeightsMismatchError,
)
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.tuned import tuned_weights
from edge_classifier.learning.fine_tuning import fine_tune, measure_gain
from edge_classifier.learning.project_backbone import (
    BackboneChoice,
    LoadedBackbone,
    backbone_loader,
)
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

UNTUNED = "built-in"


def ignore(_done: float, _what: str | None = None, /) -> None:
    """Show no progress."""


def load(project: Path) -> LoadedBackbone:
    with ProjectStore.open(project, read_only=True) as store:
        return backbone_loader(store, BackboneChoice())(ignore, lambda: False)


def is_fine_tuned(store: ProjectStore) -> bool:
    return store.backbone is not None and tuned_weights(store.path, store.backbone) is not None


@pytest.fixture
def project(fine_tuned: Path, tmp_path: Path) -> Path:
    """Give a copy of it that a test may change."""
    return Path(shutil.copytree(fine_tuned, tmp_path / "things"))


@pytest.mark.slow
def test_half_of_the_features_are_tuned_and_half_are_as_they_were(fine_tuned: Path) -> None:
    tuned, base = load(fine_tuned).backbone, load_backbone(UNTUNED)
    images = [picture(class_id, 70) for class_id in range(len(CLASSES))]
    features, before = tuned.extract(images), base.extract(images)
    changed, kept = np.split(features, 2, axis=1)
    np.testing.assert_allclose(kept, before, atol=1e-4)
    assert np.abs(changed - before).max() > 0.05
    assert tuned.info.name == base.info.name


@pytest.mark.slow
def test_on_new_pictures_the_tuned_features_are_what_tuning_aims_at(fine_tuned: Path) -> None:
    """The loss of `fine_tune` itself, on pictures that it has not seen."""

    def loss(features: np.ndarray) -> float:
        units = features / np.linalg.norm(features, axis=1, keepdims=True)
        per_class = units.reshape(len(CLASSES), -1, units.shape[1])
        means = per_class[:, :6].mean(axis=1)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        logits = 16.0 * per_class[:, 6:] @ means.T
        logs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        wanted = np.eye(len(CLASSES)) * 0.9 + 0.1 / len(CLASSES)
        return -float((wanted[:, None] * logs).sum(axis=2).mean())

    images = [picture(c, number) for c in range(len(CLASSES)) for number in range(70, 82)]
    tuned, kept = np.split(load(fine_tuned).backbone.extract(images), 2, axis=1)
    assert loss(tuned) < 0.8 * loss(kept)


@pytest.mark.slow
def test_what_is_exported_is_what_the_tuned_project_answers(
    fine_tuned: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    assert main(["export", str(fine_tuned), "-o", str(bundle)]) == 0
    assert main(["verify", str(bundle), str(fine_tuned)]) == 0


@pytest.mark.slow
def test_evaluate_predict_and_the_api_use_the_tuned_backbone(
    fine_tuned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(fine_tuned)]) == 0
    assert "100.0%" in capsys.readouterr().out
    image = tmp_path / "new.png"
    cv2.imwrite(str(image), picture(1, 77))
    assert main(["predict", str(fine_tuned), str(image)]) == 0
    assert CLASSES[1] in capsys.readouterr().out
    classifier = ImageClassifier.load(fine_tuned)
    classifier.save(tmp_path / "saved")
    again = ImageClassifier.load(tmp_path / "saved")
    assert again.predict([image]).tolist() == classifier.predict([image]).tolist() == [CLASSES[1]]


@pytest.mark.slow
def test_undoing_goes_back_to_the_backbone_as_it_came(project: Path) -> None:
    assert main(["train", str(project), "--undo-fine-tuning"]) == 0
    with ProjectStore.open(project, read_only=True) as store:
        assert store.backbone == load_backbone(UNTUNED).info
        assert not is_fine_tuned(store)
    assert not (project / "backbone").exists()


@pytest.mark.slow
def test_without_its_folder_the_project_says_how_to_go_on(project: Path) -> None:
    shutil.rmtree(project / "backbone")
    with pytest.raises(BackboneMismatchError, match="--backbone built-in"):
        load(project)
    assert main(["train", str(project), "--backbone", UNTUNED]) == 0
    assert load(project).backbone.info == load_backbone(UNTUNED).info


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tuned.tflite", "tuned.weights.npz", "tuned.json"])
def test_a_damaged_tuned_backbone_is_refused_in_one_line(project: Path, name: str) -> None:
    (file,) = project.glob(f"backbone/*/{name}")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(WeightsMismatchError, match="--undo-fine-tuning"):
        load(project)
    assert main(["train", str(project), "--shallow"]) == 0  # as version 0.1 calls it


@pytest.mark.slow
def test_what_was_tuned_is_tuned_again_from_the_backbone_as_it_came(project: Path) -> None:
    jobs: list[dict[str, object]] = []

    def until_the_child_has_its_job() -> bool:
        jobs.extend(json.loads(path.read_text()) for path in project.glob("backbone/*/job.json"))
        return bool(jobs)

    with ProjectStore.open(project) as store, pytest.raises(CancelledError):
        fine_tune(store, BackboneChoice(), ignore, until_the_child_has_its_job)
    weights = Path(str(jobs[0]["weights"]))
    assert not weights.is_relative_to(project)
    assert weights.name == "built-in.weights.npz"


@pytest.mark.slow
@pytest.mark.long
def test_the_same_samples_give_the_same_kind_of_backbone_again(project: Path) -> None:
    """Tuning starts from the backbone as it came, so what was tuned before leaves no trace."""
    assert main(["train", str(project), "--deep"]) == 0  # as version 0.1 calls it
    tuned = load(project).backbone
    assert tuned.info.feature_dim == 2 * load_backbone(UNTUNED).info.feature_dim
    assert len(list((project / "backbone").iterdir())) == 1


def test_cancelling_leaves_the_project_as_it_was(tmp_path: Path) -> None:
    with teach(tmp_path / "p").store as store:
        before = store.backbone
        with pytest.raises(CancelledError):
            fine_tune(store, BackboneChoice(), ignore, lambda: True)
        assert store.backbone == before
        assert not is_fine_tuned(store)
        assert not list((tmp_path / "p" / "backbone").iterdir())


@pytest.mark.slow
@pytest.mark.long
def test_what_it_gains_is_measured_on_rounds_that_it_did_not_see(tmp_path: Path) -> None:
    with teach(tmp_path / "p").store as store:
        before = store.backbone
        gain = measure_gain(store, BackboneChoice(), ignore, lambda: False, store.samples())
        assert gain is not None
        assert gain.bursts == len(CLASSES)
        assert gain.after >= gain.before > 0.9
        assert store.backbone == before
        assert not list((tmp_path / "p" / "backbone").iterdir())


def test_cancelling_its_measurement_leaves_the_project_as_it_was(tmp_path: Path) -> None:
    with teach(tmp_path / "p").store as store:
        with pytest.raises(CancelledError):
            measure_gain(store, BackboneChoice(), ignore, lambda: True, store.samples())
        assert not list((tmp_path / "p" / "backbone").iterdir())


def test_one_class_cannot_be_told_from_anything(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p", ["ball"]) as store:
        store.add_sample(encode_image(picture(0, 0)), "ball", store.next_burst_id())
        with pytest.raises(NotEnoughSamplesError):
            fine_tune(store, BackboneChoice(UNTUNED), ignore, lambda: False)


def test_a_backbone_that_cannot_be_tuned_is_named(tmp_path: Path) -> None:
    with (
        ProjectStore.create(tmp_path / "p") as store,
        pytest.raises(InvalidValueError, match="v3-small cannot be fine-tuned"),
    ):
        fine_tune(store, BackboneChoice("v3-small"), ignore, lambda: False)


def test_a_project_without_a_backbone_of_its_own_has_none(tmp_path: Path) -> None:
    with teach(tmp_path / "p").store as store:
        assert store.backbone is not None
        assert tuned_weights(store.path, store.backbone) is None


def test_only_the_names_that_say_what_they_do_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    assert "--fine-tune" in shown
    assert "--undo-fine-tuning" in shown
    assert "--deep" not in shown
    assert "--shallow" not in shown
