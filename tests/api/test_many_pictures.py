"""What workers need of a classifier: see docs/many-pictures.md."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.disks import BLUE, RED, pictures

from edge_classifier import ImageClassifier
from edge_classifier.device.verdict import Prediction
from edge_classifier.errors import BackboneMismatchError, InvalidImageError, InvalidValueError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.project.picture_file import encode_image
from edge_classifier.protocols import Backbone

TFLITE = b"TFL3"
"""What the files of networks have near their beginning."""


def unpickled(pickled: bytes) -> ImageClassifier:
    again: ImageClassifier = pickle.loads(pickled)  # noqa: S301 - our own bytes
    return again


def fitted(backbone: str | Backbone = "built-in") -> ImageClassifier:
    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    return ImageClassifier(backbone).fit(images, labels)


@pytest.fixture(scope="module")
def classifier() -> ImageClassifier:
    return fitted()


@pytest.fixture(params=["by name", "an object"], scope="module")
def pickled(request: pytest.FixtureRequest, classifier: ImageClassifier) -> bytes:
    by_name = request.param == "by name"
    return pickle.dumps(classifier if by_name else fitted(load_backbone("built-in")))


def test_a_pickled_one_answers_the_same_to_the_last_bit(
    classifier: ImageClassifier, pickled: bytes
) -> None:
    fresh = pictures(RED, 2, seed=3)
    for here, there in zip(
        classifier.predictions(fresh), unpickled(pickled).predictions(fresh), strict=True
    ):
        np.testing.assert_array_equal(here.scores, there.scores)
        assert (here.label, here.similarity) == (there.label, there.similarity)


def test_all_that_a_process_unpickles_shares_one_network(pickled: bytes) -> None:
    assert unpickled(pickled)._backbone() is unpickled(pickled)._backbone()


def test_a_pickled_one_carries_no_network(classifier: ImageClassifier) -> None:
    backbone = classifier._backbone()
    assert TFLITE in pickle.dumps(backbone)
    assert TFLITE not in pickle.dumps(classifier)


def test_it_can_be_pickled_before_it_has_learned() -> None:
    assert repr(unpickled(pickle.dumps(ImageClassifier(penalty=1.0)))) == (
        "ImageClassifier(penalty=1.0)"
    )


def test_a_pickled_one_names_its_network_where_that_was_chosen_for_it(
    classifier: ImageClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_to_us = unpickled(pickle.dumps(classifier)).set_params(backbone="auto")
    monkeypatch.setattr(left_to_us, "_backbone", classifier._backbone)  # what `auto` was here
    del vars(left_to_us)["_weights_sha256"]
    state = left_to_us.__getstate__()
    assert (state["backbone"], len(state["_weights_sha256"])) == ("built-in", 64)
    assert left_to_us.backbone == "auto"


def test_where_the_network_has_other_weights_it_says_so_and_answers_nothing(
    classifier: ImageClassifier,
) -> None:
    elsewhere = unpickled(pickle.dumps(classifier))
    elsewhere._weights_sha256 = "0123456789abcdef" * 4  # as where it was pickled
    with pytest.raises(BackboneMismatchError, match=r"of built-in than are here \(0123456789ab, "):
        elsewhere.predict(pictures(RED, 1))
    with pytest.raises(BackboneMismatchError, match="install the same version"):
        list(elsewhere.predictions(pictures(RED, 1)))


def test_there_it_learns_nothing_more_and_is_not_handed_on_but_can_learn_anew(
    classifier: ImageClassifier,
) -> None:
    elsewhere = unpickled(pickle.dumps(classifier))
    elsewhere._weights_sha256 = "0123456789abcdef" * 4
    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    with pytest.raises(BackboneMismatchError):
        elsewhere.partial_fit(images, labels)
    with pytest.raises(BackboneMismatchError):
        pickle.dumps(elsewhere)
    with pytest.raises(InvalidValueError):
        elsewhere.fit(images, labels[:-1])
    with pytest.raises(BackboneMismatchError):
        elsewhere.predict(images)
    assert list(elsewhere.fit(images, labels).predict(images)) == labels


def test_a_broken_picture_is_named_and_the_others_are_answered(
    classifier: ImageClassifier, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{n}.jpg" for n in range(5)]
    for path, image in zip(paths, pictures(RED, 5, seed=1), strict=True):
        path.write_bytes(encode_image(np.ascontiguousarray(image[..., ::-1])).data)
    paths[1].write_bytes(b"nothing")
    paths[3].unlink()
    answers = list(classifier.predictions(paths, return_exceptions=True))
    assert [isinstance(answer, Prediction) for answer in answers] == [
        True,
        False,
        True,
        False,
        True,
    ]
    for n in (1, 3):
        again = pickle.loads(pickle.dumps(answers[n]))  # noqa: S301 - as a worker sends it
        assert str(again) == str(answers[n])
        assert str(paths[n]) in str(again)
    with pytest.raises(InvalidImageError, match=r"1\.jpg"):
        list(classifier.predictions(paths))


def test_pictures_are_taken_as_answers_are(classifier: ImageClassifier) -> None:
    taken = 0

    def endless() -> Iterator[object]:
        nonlocal taken
        while True:
            taken += 1
            yield "missing.jpg"

    answers = classifier.set_params(n_jobs=1).predictions(endless(), return_exceptions=True)
    for _ in range(100):
        assert isinstance(next(answers), Exception)
    assert taken < 200
