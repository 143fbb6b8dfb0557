"""TFLite models of Teachable Machine and Lobe answer as they do there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import classifiers
from support.other_models import LABELS, lobe, teachable_machine, written

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.errors import BundleError
from edge_classifier.export.other_models import open_other_model, what_is_not_known
from edge_classifier.project.importers.other_models import recognise

PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
BLUE, RED, WHITE = (np.full((20, 30, 3), bgr, np.uint8) for bgr in ((200, 9, 9), (9, 9, 200), 255))


def opened(path: Path) -> Bundle:
    found = recognise(path)
    assert found
    return open_other_model(found)


def test_pictures_become_numbers_as_teachable_machine_makes_them(tmp_path: Path) -> None:
    classifier = Classifier(opened(teachable_machine(tmp_path, classifiers.colours())))
    expected = PICTURE[..., ::-1].astype(np.float32) / 127 - 1
    np.testing.assert_allclose(classifier.prepare(PICTURE), expected, atol=1e-6)


def test_pictures_become_numbers_as_lobe_makes_them(tmp_path: Path) -> None:
    classifier = Classifier(opened(lobe(tmp_path, classifiers.colours())))
    expected = PICTURE[..., ::-1].astype(np.float32) / 255
    np.testing.assert_allclose(classifier.prepare(PICTURE), expected, atol=1e-6)


@pytest.mark.parametrize("write", [teachable_machine, lobe])
def test_the_class_is_named_and_nothing_is_unknown(
    tmp_path: Path, write: Callable[[Path, bytes], Path]
) -> None:
    bundle = opened(write(tmp_path, classifiers.colours()))
    classifier = Classifier(bundle)
    assert classifier.predict(BLUE).label == "blue"
    assert classifier.predict(RED).label == "red"
    assert not classifier.predict(WHITE).unknown
    assert "names one of them whatever it sees" in what_is_not_known(bundle)


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 127.5, 127), (1.2 / 255, 90)])
def test_rounded_files_say_the_same_whatever_their_scale(
    tmp_path: Path, scale: float, zero_point: int
) -> None:
    exact = Classifier(opened(teachable_machine(tmp_path / "a", classifiers.colours())))
    network = classifiers.quantised(scale=scale, zero_point=zero_point)
    rounded = Classifier(opened(teachable_machine(tmp_path / "b", network)))
    image = np.full((8, 8, 3), (80, 120, 100), np.uint8)
    assert rounded.quantised
    np.testing.assert_allclose(
        rounded.predict(image).scores, exact.predict(image).scores, atol=0.02
    )


@pytest.mark.parametrize(
    "labels",
    [
        "0 red\r\n1 green\r\n2 3 blue\r\n",
        "\ufeff0 red\n1 green\n2 3 blue",
        "0  red\n1  green\n2  3 blue\n\n",
        "0: red\n1: green\n2: 3 blue\n",
        "2 3 blue\n0 red\n1 green\n",
    ],
)
def test_labels_are_read_in_every_form_they_are_found_in(tmp_path: Path, labels: str) -> None:
    bundle = opened(teachable_machine(tmp_path, classifiers.colours(), labels))
    assert bundle.class_names == ("red", "green", "3 blue")


def test_classes_that_are_called_by_numbers_keep_their_names(tmp_path: Path) -> None:
    bundle = opened(teachable_machine(tmp_path, classifiers.colours(), "0 1\n1 2\n2 3\n"))
    assert bundle.class_names == ("1", "2", "3")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("", "has no labels"),
        ("red\ngreen\nblue\n", "does not number its classes from 0 on"),
        ("1 red\n2 green\n3 blue\n", "does not number its classes from 0 on"),
        ("0 red\n1 green\n", r"gives scores of shape \(1, 3\), but labels.txt names 2 classes"),
        ("0 red\n1 red\n2 blue\n", "two classes have the same name"),
        ("0 \n1 green\n2 blue\n", "'' is no class name"),
        ("0 red\n1 gr\x07een\n2 blue\n", "is no class name"),
    ],
)
def test_labels_that_do_not_fit_are_told_in_one_line(
    tmp_path: Path, labels: str, reason: str
) -> None:
    with pytest.raises(BundleError, match=reason) as told:
        opened(teachable_machine(tmp_path, classifiers.colours(), labels))
    assert "\n" not in str(told.value)
    assert str(tmp_path) in str(told.value)


def test_labels_in_another_encoding_and_missing_ones_are_told(tmp_path: Path) -> None:
    network = classifiers.colours()
    latin = written(tmp_path / "a", {"model.tflite": network, "labels.txt": b"0 K\xe4se\n1 b\n2 c"})
    with pytest.raises(BundleError, match="names of its classes cannot be used"):
        opened(latin)
    with pytest.raises(BundleError, match=r"put the labels\.txt of the same export beside it"):
        opened(written(tmp_path / "b", {"model.tflite": network}))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (classifiers.endless(), "the operator WHILE"),
        (classifiers.with_operator("edgetpu-custom-op"), "compiled for an Edge TPU"),
        (classifiers.of_shape((1, 8, 8, 1)), "takes grey pictures, for a microcontroller"),
        (classifiers.of_shape((1, 43)), r"takes an input of shape \(1, 43\)"),
        (classifiers.of_shape((1, 8, 4, 3)), r"takes an input of shape \(1, 8, 4, 3\)"),
        (b"TFL3", "its identifier is not TFL3"),
    ],
)
def test_a_file_that_is_no_classifier_of_pictures_is_told_in_one_line(
    tmp_path: Path, network: bytes, reason: str
) -> None:
    with pytest.raises(BundleError, match=reason) as told:
        opened(teachable_machine(tmp_path, network, LABELS))
    assert "\n" not in str(told.value)


def test_an_export_that_also_names_the_class_is_asked_for_its_scores(tmp_path: Path) -> None:
    network = classifiers.naming(["red", "green", "blue"])
    assert Classifier(opened(lobe(tmp_path, network))).predict(BLUE).label == "blue"


def test_files_may_be_called_as_the_programs_of_others_want_them(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "detect.tflite": classifiers.colours(),
        "labelmap.txt": LABELS,
    }
    assert opened(written(tmp_path, files)).class_names == ("red", "green", "blue")


def test_a_signature_without_classes_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="names of its classes cannot be used"):
        opened(lobe(tmp_path, classifiers.colours(), classes=None))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (classifiers.reaching_out(gain=2.5), r"fails on a picture \(gather index out of bounds"),
        (classifiers.dark_only(), "scores that are no numbers from 0 to 1"),
    ],
)
def test_what_only_some_pictures_bring_about_is_told_in_one_line(
    tmp_path: Path, network: bytes, reason: str
) -> None:
    classifier = Classifier(opened(teachable_machine(tmp_path, network)))
    classifier.predict(np.full((8, 8, 3), 130, np.uint8))
    with pytest.raises(BundleError, match=reason):
        classifier.predict(WHITE)
