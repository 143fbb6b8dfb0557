"""What the article that this project began with does, on its own pictures.

The article's settings: MobileNet v1 0.25 of 224 px, its layer `conv_pw_13_relu` as features, a
dense layer of 100 units with relu and a softmax without a bias on top, Adam with a rate of 1e-4,
20 epochs, batches of 0.4 of the samples.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared_folder

from edge_classifier import ImageClassifier
from edge_classifier.commands.cli import main
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone
from edge_classifier.features.catalogue import official
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

DRUM = 541
"""ImageNet's class "drum, membranophone, tympan"."""

RUGBY_BALL = 768


def pictures(*parts: str) -> tuple[list[Path], list[str]]:
    """Return the pictures below a folder per class, and their classes."""
    paths = sorted(p for p in shared_folder("data", "article", *parts).rglob("*.*") if p.is_file())
    return paths, [path.parent.name for path in paths]


@pytest.fixture(scope="module")
def v1_weights() -> Path:
    return shared_folder("weights", "mobilenet_2_5_224_tf_no_top.h5")


@pytest.fixture(scope="module")
def v1_spatial(v1_weights: Path) -> LiteRTBackbone:
    """Load the article's network; takes TensorFlow ten seconds the first time, then none."""
    return load_backbone("v1-0.25", weights=v1_weights, feature_kind="spatial")


@pytest.fixture(scope="module")
def article_head(v1_weights: Path) -> Callable[[], ImageClassifier]:
    return lambda: ImageClassifier("v1-0.25", weights=v1_weights, features="spatial", head="dense")


def test_the_articles_tensor_is_the_centre_crop_resized_bilinearly_to_minus_one_to_one() -> None:
    """Computed here once more, in floating point and pixel by pixel, as the article says it."""
    image = read_image(shared_folder("data", "article", "pretrained-model-data", "drum.jpg"))
    tensor = official("v1-0.25").preprocessing.apply(image)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side, ::-1].astype(np.float64)
    places = np.clip((np.arange(224) + 0.5) * side / 224 - 0.5, 0, side - 1)
    low = places.astype(int)
    high, part = np.minimum(low + 1, side - 1), places - low
    rows = square[low] * (1 - part)[:, None, None] + square[high] * part[:, None, None]
    cells = rows[:, low] * (1 - part)[None, :, None] + rows[:, high] * part[None, :, None]
    expected = cells / 127.5 - 1
    assert tensor.shape == (224, 224, 3)
    assert side < 2 * 224  # from twice the size on it is halved first, against aliasing
    assert np.abs(tensor - expected).max() <= 1.01 / 127.5  # one grey level, by rounding
    assert -1 <= tensor.min() < tensor.max() <= 1


def test_spatial_features_have_the_shape_of_the_articles_layer(v1_spatial: LiteRTBackbone) -> None:
    image = read_image(shared_folder("data", "article", "pretrained-model-data", "drum.jpg"))
    assert official("v1-0.25").layer == "conv_pw_13_relu"
    assert v1_spatial.info.feature_shape == (7, 7, 256)
    features = v1_spatial.extract([image])
    assert features.shape == (1, 7 * 7 * 256)
    assert features.min() == 0.0  # behind a relu6
    assert features.max() <= 6.0


def test_imagenet_knows_the_drum_on_the_usual_crop_and_not_on_the_full_square(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drum = shared_folder("data", "article", "pretrained-model-data", "drum.jpg")
    model = shared_folder("weights", "mobilenet_v1_0.25_224_1_default_1.tflite")
    labels = shared_folder("data", "article", "imagenet_labels.json")
    options = ["--imagenet", str(model), "--labels", str(labels), "--json", "--top-k", "2"]
    said = main(["predict", *options, str(drum)])
    usual, full = map(json.loads, capsys.readouterr().out.splitlines())
    assert said == 0
    assert (usual["crop"], usual["class_name"]) == (0.875, f"{DRUM} drum, membranophone, tympan")
    assert usual["score"] > 0.2
    assert (full["crop"], full["class_name"]) == (1.0, f"{RUGBY_BALL} rugby ball")
    assert full["top"][1]["class_name"].startswith(f"{DRUM} drum")


def test_colours_are_all_right_with_the_articles_head_and_settings(
    article_head: Callable[[], ImageClassifier],
) -> None:
    images, labels = pictures("colors", "training")
    classifier = article_head().fit(images, labels)
    assert classifier.score(images, labels) == 1.0
    assert classifier.score(*pictures("colors", "validation")) == 1.0


def test_all_five_pexel_pictures_are_right(
    article_head: Callable[[], ImageClassifier], capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = pictures("pexel-images", "training")
    held_out, expected = pictures("pexel-images", "validation")
    assert (len(images), len(held_out)) == (27, 5)
    classifier = article_head()
    started = time.perf_counter()
    classifier.fit(images, labels)
    passed = time.perf_counter() - started
    accuracy = classifier.score(held_out, expected)
    with capsys.disabled():
        print(f"\npexel-images, the article's head: {accuracy:.0%} of 5 in {passed:.2f} s")  # noqa: T201 - asked for
    assert accuracy == 1.0


def test_the_commands_train_and_evaluate_the_pexel_pictures(
    tmp_path: Path, v1_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = shared_folder("data", "article", "pexel-images", "training")
    validation = shared_folder("data", "article", "pexel-images", "validation")
    project = tmp_path / "pexel"
    ProjectStore.create(project).close()
    shutil.copytree(training, project / "samples")
    weights = ["--weights", str(v1_weights)]
    assert main(["train", str(project), "--backbone", "v1-0.25", *weights]) == 0
    assert "trained on 27 pictures of 3 classes" in capsys.readouterr().out
    assert main(["evaluate", str(project), str(validation), "--min-accuracy", "1", *weights]) == 0
    assert "5 of 5 right" in capsys.readouterr().out
