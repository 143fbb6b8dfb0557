from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support import networks
from support.mounts import named_pipe

from edge_classifier.errors import BackboneError, InvalidValueError
from edge_classifier.features.built_in import built_in_folder
from edge_classifier.features.imagenet import ImageNetClassifier, central, read_labels, read_network

NAMES = [f"thing {n}" for n in range(1000)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(NAMES) + "\n",
        "background\n" + "\n".join(NAMES),
        json.dumps(NAMES),
        json.dumps({str(n): name for n, name in enumerate(NAMES)}),
        repr(dict(enumerate(NAMES))),
    ],
)
def test_labels_are_read_in_every_form_they_are_found_in(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == tuple(NAMES)


@pytest.mark.parametrize("text", ["one\ntwo\n", "{1: __import__('os')}", "[" * 5000, "{}"])
def test_other_files_are_no_labels(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidValueError, match="Expected the names of 1000 classes"):
        read_labels(path)


def test_names_without_numbers_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"cat": "cat"}', encoding="utf-8")
    with pytest.raises(InvalidValueError, match="numbers of classes"):
        read_labels(path)


def test_a_central_crop_takes_its_part_of_the_shorter_side() -> None:
    image = np.zeros((100, 400, 3), np.uint8)
    image[6:94, 156:244] = 255
    assert central(image, 0.88).shape == (88, 88, 3)
    assert central(image, 0.88).min() == 255
    with pytest.raises(InvalidValueError, match=r"in \(0, 1\], received 1.5"):
        central(image, 1.5)


def test_a_network_without_its_top_is_no_classifier_of_imagenet(tmp_path: Path) -> None:
    folder = built_in_folder()
    assert folder is not None
    with pytest.raises(BackboneError, match="1000 or 1001 outputs"):
        ImageNetClassifier(folder / "built-in.tflite")
    (tmp_path / "junk.tflite").write_bytes(b"junk")
    with pytest.raises(BackboneError, match=r"junk\.tflite"):
        ImageNetClassifier(tmp_path / "junk.tflite")


@pytest.fixture
def network() -> bytes:
    folder = built_in_folder()
    assert folder is not None
    return (folder / "built-in.tflite").read_bytes()


def test_a_network_that_runs_is_given_as_it_is(network: bytes, tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(network)
    assert read_network(path) == network


@pytest.mark.parametrize("bias", [np.nan, np.inf])
def test_a_network_that_answers_no_numbers_is_refused_by_name(tmp_path: Path, bias: float) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(networks.averaging_and_mixing(8, bias=bias))
    with pytest.raises(BackboneError, match=r"network\.tflite cannot be run: .* no finite numbers"):
        read_network(path)


def test_a_network_that_would_end_the_process_ends_another_one(
    network: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "network.tflite"
    told = []
    for spoilt in networks.with_one_word_spoilt(network):
        path.write_bytes(spoilt)
        try:
            read_network(path)
        except BackboneError as error:
            told.append(str(error))
        if any("made the TFLite runtime crash" in line for line in told):
            return
    pytest.fail(f"nothing crashed: {told}")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" * 9])
def test_what_is_no_network_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(content)
    with pytest.raises(BackboneError, match=r"network\.tflite"):
        ImageNetClassifier(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    named_pipe(tmp_path / "network.tflite")
    with pytest.raises(BackboneError, match="not a regular file"):
        read_network(tmp_path / "network.tflite")


def test_a_network_of_another_kind_is_refused_by_the_number_of_its_outputs(
    network: bytes, tmp_path: Path
) -> None:
    (tmp_path / "network.tflite").write_bytes(network)
    with pytest.raises(BackboneError, match="1000 or 1001 outputs"):
        ImageNetClassifier(tmp_path / "network.tflite")
