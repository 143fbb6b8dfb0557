"""A bundle carries the model as it was taught, and the device adapts it as the window does."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES

from edge_classifier.commands.cli import main
from edge_classifier.device.adaptation import SHOWN
from edge_classifier.device.adaptation_state import NAME as STATE
from edge_classifier.device.adapter import Adapter
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.taught import NAME, read_taught, taught_content
from edge_classifier.device.verdict import normalise
from edge_classifier.export.bundle import write_spec
from edge_classifier.export.taught import write_taught
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.model import Model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.values import Features


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> exported_project.Taught:
    return exported_project.teach(tmp_path_factory.mktemp("taught") / "things")


@pytest.fixture(scope="module")
def evening(taught: exported_project.Taught) -> Features:
    images = [
        exported_project.in_the_evening(c, n) for n in range(200, 212) for c in range(len(CLASSES))
    ]
    return taught.backbone.extract(images)


def with_taught(bundle: Path, model: Model) -> Bundle:
    """Put another model beside a bundle's files, as it was taught."""
    spec = Bundle.open(bundle).spec | {"taught": write_taught(bundle, model)}
    write_spec(bundle, spec)
    return Bundle.open(bundle)


def test_what_the_window_says_adapted_the_device_says_adapted(
    taught: exported_project.Taught, evening: Features, copy: Path
) -> None:
    window = adapt_model(taught.model, evening).model
    opened = with_taught(copy, taught.model)
    assert window.unadapted is not None
    found = read_taught(opened).adapted(window.unadapted.rows, SHOWN)
    assert found is not None
    device, classifier = found[0], Classifier(opened)
    for class_id in range(len(CLASSES)):
        image = exported_project.in_the_evening(class_id, 300)
        (expected,) = window.predict(taught.backbone.extract([image]))
        answer = device.answer(classifier, image)
        np.testing.assert_allclose(answer.scores, expected.scores, atol=1e-4)
        assert answer.similarity == pytest.approx(expected.similarity, abs=1e-4)
        assert answer.threshold == pytest.approx(expected.threshold, abs=1e-6)
        assert answer.label == expected.label


def test_of_an_adapted_model_what_was_taught_and_the_frames_go_into_the_bundle(
    taught: exported_project.Taught, evening: Features, copy: Path
) -> None:
    adapted = adapt_model(taught.model, evening).model.adjusted(3)
    found = read_taught(with_taught(copy, adapted))
    plain = read_taught(with_taught(copy, taught.model))
    np.testing.assert_array_equal(found.model.weights, plain.model.weights)
    np.testing.assert_array_equal(found.model.unknown.references, plain.model.unknown.references)
    assert adapted.unadapted is not None
    np.testing.assert_array_equal(found.rows, adapted.unadapted.rows)
    assert len(plain.rows) == 0
    assert found.model.unknown.steps == 3


def test_following_goes_on_from_the_frames_of_the_export_and_once_begins_anew(
    taught: exported_project.Taught, evening: Features, copy: Path
) -> None:
    opened = with_taught(copy, adapt_model(taught.model, evening).model)
    classifier = Classifier(opened)
    image = exported_project.in_the_evening(0, 300)
    with closing(Adapter(classifier, "follow", background=False)) as follow:
        assert follow.update(classifier.predict(image)).adapted
    with closing(Adapter(classifier, "once", background=False)) as once:
        assert not once.update(classifier.predict(image)).adapted


def test_what_has_changed_is_told_alike_by_device_and_window(
    taught: exported_project.Taught, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = with_taught(copy, taught.model)
    classifier = Classifier(opened)
    with closing(Adapter(classifier, "once", background=False)) as once:
        for number, light in enumerate(np.linspace(0.8, 1.6, 16), start=200):
            for class_id in range(len(CLASSES)):
                image = (exported_project.in_the_evening(class_id, number) * light).astype(np.uint8)
                once.update(classifier.predict(image))
    told = capsys.readouterr().err.splitlines()[-1]
    rows = np.load(copy / STATE)["rows"]
    assert told.endswith(f"adapted to {len(rows)} frames: {adapt_model(taught.model, rows)}.")


def test_more_frames_than_a_device_keeps_are_thinned_out(
    taught: exported_project.Taught, evening: Features, copy: Path
) -> None:
    adapted = adapt_model(taught.model, evening).model
    assert adapted.unadapted is not None
    many = np.tile(normalise(evening), (20, 1))
    assert len(many) > 256
    adapted = replace(adapted, unadapted=replace(adapted.unadapted, rows=many))
    assert len(read_taught(with_taught(copy, adapted)).rows) == 256


def test_what_cannot_be_adapted_has_nothing_to_adapt(
    taught: exported_project.Taught, tmp_path: Path
) -> None:
    dense = exported_project.teach(tmp_path / "dense", settings=HeadSettings(kind="dense"))
    dense.store.close()
    unknown = taught.model.unknown
    assert unknown is not None
    of_old = replace(taught.model, unknown=replace(unknown, class_ids=None))
    for model in (dense.model, Model(taught.model.head), of_old):
        assert write_taught(tmp_path, model) is None
    assert not (tmp_path / NAME).exists()


def test_verify_compares_window_and_files_once_adapted(
    bundle: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(bundle), str(taught_project)]) == 0
    rows = {
        line.split("  ")[0]: line.split()
        for line in capsys.readouterr().out.splitlines()
        if ", adapted  " in line
    }
    assert list(rows) == [
        f"{name}, adapted" for name in ("live path", "float32", "float16", "dynamic", "int8")
    ]
    agreement, difference = rows["float32, adapted"][2:4]
    assert agreement == "100.0%"
    assert float(difference) < 1e-4


def test_verify_finds_a_device_that_cannot_adapt(
    copy: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Bundle.open(copy)
    taught = read_taught(opened).model
    never_sure = replace(taught, weights=0 * taught.weights, bias=0 * taught.bias)
    content, about = taught_content(never_sure, taught.unknown.references[:0])
    (copy / NAME).write_bytes(content)
    write_spec(copy, opened.spec | {"taught": about})
    assert main(["verify", str(copy), str(taught_project)]) != 0
    assert "can be adapted in the project, not on a device" in capsys.readouterr().err


def test_verify_finds_a_device_that_adapts_otherwise(
    copy: Path, taught_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Bundle.open(copy)
    taught = read_taught(opened)
    wrong = replace(taught.model.unknown, class_ids=np.roll(taught.model.unknown.reference_ids, 7))
    content, about = taught_content(replace(taught.model, unknown=wrong), taught.rows)
    (copy / NAME).write_bytes(content)
    write_spec(copy, opened.spec | {"taught": about})
    assert main(["verify", str(copy), str(taught_project)]) == 4
    assert "float32, adapted is not the same classifier" in capsys.readouterr().err
