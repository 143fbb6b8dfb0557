"""What a bundle was taught: read again as it was written, or refused in one line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES

from edge_classifier.device.adapter import Adapter
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.checks import verify
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import BundleError, InvalidValueError
from edge_classifier.device.npz import npz_bytes, read_arrays
from edge_classifier.device.taught import NAME, read_taught, taught_content


def change_spec(bundle: Path, **changes: Any) -> None:
    path = bundle / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(spec | changes), encoding="utf-8")


def change_taught(bundle: Path, **changes: Any) -> None:
    about = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))["taught"]
    change_spec(bundle, taught=about | changes)


def test_as_it_was_taught_it_says_what_the_graph_says(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    classifier, taught = Classifier(opened), read_taught(opened)
    for class_id in range(len(CLASSES)):
        image = exported_project.picture(class_id, 60)
        expected = classifier.predict(image)
        answer = taught.model.answer(classifier, image)
        np.testing.assert_allclose(answer.scores, expected.scores, atol=1e-5)
        assert answer.similarity == pytest.approx(expected.similarity, abs=1e-5)
        assert answer.threshold == expected.threshold
        assert not answer.adapted


def test_what_is_written_is_read_again_to_the_bit(copy: Path) -> None:
    before = read_taught(Bundle.open(copy))
    rows = before.taught.rows[:7]
    content, about = taught_content(before.model, rows)
    (copy / NAME).write_bytes(content)
    change_spec(copy, taught=about)
    after = read_taught(Bundle.open(copy))
    np.testing.assert_array_equal(after.model.weights, before.model.weights)
    np.testing.assert_array_equal(after.rows, rows)
    first, second = (
        replace(t.model.unknown, references=rows, scales=np.ones(7, np.float32), class_ids=None)
        for t in (before, after)
    )
    assert first.threshold == second.threshold
    assert first.floor == second.floor


def test_a_bundle_of_the_version_before_is_to_be_exported_again(copy: Path) -> None:
    path = copy / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    del spec["taught"]
    for reference in spec["references"]:
        del reference["adapted"]
    path.write_text(json.dumps(spec), encoding="utf-8")
    (copy / NAME).unlink()
    with pytest.raises(BundleError, match="exported by an older version; export it again"):
        read_taught(Bundle.open(copy))
    assert verify(Bundle.open(copy)) == 0


def test_a_head_that_is_not_linear_cannot_be_adapted(copy: Path) -> None:
    change_spec(copy, taught=None)
    with pytest.raises(BundleError, match="takes the linear head"):
        read_taught(Bundle.open(copy))
    with pytest.raises(BundleError, match="or it was trained by an older version: train it"):
        read_taught(Bundle.open(copy))


def test_a_file_that_is_missing_or_cut_is_told_only_where_it_is_needed(copy: Path) -> None:
    path = copy / NAME
    path.write_bytes(path.read_bytes()[:-100])
    bundle = Bundle.open(copy)
    with pytest.raises(BundleError, match="is not the file of this bundle"):
        read_taught(bundle)
    with pytest.raises(BundleError, match="is not the file of this bundle"):
        verify(bundle)
    path.unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        read_taught(bundle)
    assert Classifier(bundle).predict(exported_project.picture(0, 0)).class_id == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "../spec.json"},
        {"file": 3},
        {"measured_threshold": "x"},
        {"bursts": 0},
        {"stranger_level": [1]},
        {"steps": 1e9},
        {"hesitation_weight": float("nan")},
    ],
    ids=str,
)
def test_what_the_spec_says_of_it_is_checked(copy: Path, changes: dict[str, Any]) -> None:
    change_taught(copy, **changes)
    with pytest.raises(BundleError):
        read_taught(Bundle.open(copy))


@pytest.mark.parametrize("name", ["weights", "bias", "references", "scales", "reference_classes"])
def test_arrays_that_do_not_fit_together_are_refused(copy: Path, name: str) -> None:
    arrays = read_arrays((copy / NAME).read_bytes())
    for wrong in (
        arrays[name][:-1],
        arrays[name].astype(np.float64),
        np.full_like(arrays[name], 2**40),
        arrays[name][..., None],
        arrays[name].reshape(-1)[0],
    ):
        content = npz_bytes({**arrays, name: wrong})
        (copy / NAME).write_bytes(content)
        change_taught(copy, sha256=hashlib.sha256(content).hexdigest())
        with pytest.raises(BundleError, match="does not fit to spec"):
            read_taught(Bundle.open(copy))


def test_a_single_class_cannot_be_followed(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    classifier = Classifier(opened)
    classifier.bundle = replace(opened, class_names=("ball",))
    with pytest.raises(InvalidValueError, match="--adapt follow needs 2 classes"):
        Adapter(classifier, "follow", background=False)


def test_the_trial_is_adapted_and_right(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    trial = read_taught(opened).trial()
    assert trial is not None
    classifier = Classifier(opened)
    for class_id in range(len(CLASSES)):
        answer = trial.answer(classifier, exported_project.picture(class_id, 60))
        assert answer.adapted
        assert answer.class_id == class_id


def test_verify_fails_where_the_adapted_answers_are_others(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["references"][3]["adapted"]["float32"]["similarity"] -= 0.02
    path.write_text(json.dumps(spec), encoding="utf-8")
    assert verify(Bundle.open(copy), only="float32") == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "largest score difference 0;" in line
    assert "once adapted 8 equal, 0.02;" in line
    assert line.endswith("FAILED")


def test_verify_fails_where_the_adapted_answers_cannot_be_had(copy: Path) -> None:
    opened = Bundle.open(copy)
    model = read_taught(opened).model
    never_sure = replace(model, weights=0 * model.weights, bias=0 * model.bias)
    content, about = taught_content(never_sure, model.unknown.references[:0])
    (copy / NAME).write_bytes(content)
    change_spec(copy, taught=about)
    with pytest.raises(BundleError, match="cannot be adapted here as where it was exported"):
        verify(Bundle.open(copy))


def test_verify_takes_what_does_not_say_what_is_expected_for_damaged(copy: Path) -> None:
    path = copy / "spec.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["references"][3]["adapted"]["float32"] = {"scores": ["x"]}
    path.write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(BundleError, match="is damaged"):
        Bundle.open(copy)
