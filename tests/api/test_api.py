from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from support.disks import BLUE, GREEN, RED, pictures
from support.fakes import FakeBackbone

import edge_classifier
from edge_classifier import ImageClassifier
from edge_classifier.api.extraction import as_image
from edge_classifier.demo.scene import DemoScene
from edge_classifier.errors import (
    BackboneMismatchError,
    EdgeClassifierError,
    InvalidImageError,
    InvalidValueError,
    NotEnoughSamplesError,
    NotTrainedError,
    ProjectFormatError,
)
from edge_classifier.features.variants import MOST_VARIED, VARIANTS
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


def fitted(**params: Any) -> ImageClassifier:
    classifier = ImageClassifier("built-in", **params)
    return classifier.fit(pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6)


def test_it_learns_and_answers_with_the_labels_it_was_given() -> None:
    classifier = fitted()
    assert classifier.classes_.tolist() == ["blue", "red"]
    assert classifier.predict(pictures(RED, 2, seed=1)).tolist() == ["red", "red"]
    assert classifier.score(pictures(BLUE, 3, seed=2), ["blue"] * 3) == 1.0
    scores = classifier.predict_proba(pictures(RED, 3, seed=3))
    assert scores.shape == (3, 2)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_frames_of_the_empty_scene_at_the_ends_of_groups_are_left_out() -> None:
    generator = np.random.default_rng(0)
    empty = [np.full((90, 120, 3), 120 + n, np.uint8) for n in range(6)]
    disks = [generator.permutation(np.array(pictures(colour, 10))) for colour in (RED, BLUE)]
    images = [*empty[:3], *disks[0], *empty[3:], *disks[1]]
    classifier = ImageClassifier("built-in").fit(images, [0] * 13 + [1] * 13, [1] * 13 + [2] * 13)
    assert np.flatnonzero(classifier.left_out_).tolist() == [0, 1, 2, 13, 14, 15]
    assert classifier.is_unknown(empty).all()
    assert not fitted().left_out_.any()


def test_what_was_called_right_in_a_project_stays_so_in_a_file_and_with_more_pictures(
    tmp_path: Path,
) -> None:
    from edge_classifier.commands.cli import main  # noqa: PLC0415 - few tests need all commands

    with ProjectStore.create(tmp_path / "things", ("red", "blue")) as store:
        for name, colour in (("red", RED), ("blue", BLUE)):
            burst = store.next_burst_id()
            for n in range(13):
                shown = pictures(colour, 10)[n - 3] if n >= 3 else np.full((90, 120, 3), 120 + n)
                image = np.ascontiguousarray(shown[..., ::-1].astype(np.uint8))
                store.add_sample(encode_image(image), name, burst)
        right = [s.image_sha256 for s in store.samples() if s.path.name.endswith("-0000.jpg")]
        store.update_settings(reviewed=right)
    main(["train", str(tmp_path / "things"), "--backbone", "built-in"])
    classifier = ImageClassifier.load(tmp_path / "things")
    left_out = [1, 2, 14, 15]
    assert np.flatnonzero(classifier.left_out_).tolist() == left_out
    classifier.save(tmp_path / "things.npz")
    loaded = ImageClassifier.load(tmp_path / "things.npz")
    assert np.flatnonzero(loaded.left_out_).tolist() == left_out
    loaded.partial_fit(pictures(RED, 2, seed=4), ["red"] * 2)
    assert np.flatnonzero(loaded.left_out_).tolist() == left_out


@pytest.mark.parametrize("labels", [[7, -2], [True, False], ["ü", "犬"], [2.0, 1.0]])
def test_labels_keep_their_type(labels: list[Any]) -> None:
    classifier = ImageClassifier(FakeBackbone())
    classifier.fit(pictures(RED) + pictures(BLUE), np.repeat(labels, 6))
    assert classifier.predict(pictures(RED, 1)).tolist() == [labels[0]]


def test_arrays_are_rgb_unless_it_is_said_that_they_are_bgr(tmp_path: Path) -> None:
    red = pictures(RED, 1)[0]
    path = tmp_path / "red.png"
    PillowImage.fromarray(red).save(path)
    of_file = as_image(path)
    np.testing.assert_array_equal(as_image(red), of_file)
    np.testing.assert_array_equal(as_image(red[..., ::-1], "bgr"), of_file)
    np.testing.assert_array_equal(as_image(PillowImage.open(path)), of_file)
    np.testing.assert_array_equal(of_file, red[..., ::-1])


def test_grey_and_transparent_pictures_are_pictures_on_white() -> None:
    grey = np.full((10, 12), 77, np.uint8)
    assert as_image(grey).tolist() == as_image(grey[..., None]).tolist() == [[[77] * 3] * 12] * 10
    clear = np.zeros((4, 4, 4), np.uint8)
    assert (as_image(clear) == 255).all()
    opaque = np.dstack([pictures(RED, 1)[0], np.full((90, 120), 255, np.uint8)])
    assert as_image(opaque)[45, 60].tolist()[2] > 150
    np.testing.assert_array_equal(as_image(opaque[..., [2, 1, 0, 3]], "bgr"), as_image(opaque))


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros(9, np.uint8), 5],
)
def test_what_is_no_picture_is_refused_with_its_shape(picture: object) -> None:
    with pytest.raises(InvalidImageError, match=r"dtype uint8 .* received shape"):
        as_image(picture)


def test_paths_pil_images_and_arrays_may_be_mixed(tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    red, blue = pictures(RED, 2), pictures(BLUE, 2)
    PillowImage.fromarray(red[0]).save(path)
    mixed = [str(path), PillowImage.fromarray(red[1]), *blue]
    classifier = ImageClassifier(FakeBackbone()).fit(mixed, ["r", "r", "b", "b"])
    expected = ImageClassifier(FakeBackbone()).fit([*red, *blue], ["r", "r", "b", "b"])
    np.testing.assert_array_equal(classifier.feature_set_.features, expected.feature_set_.features)
    batch = np.stack(blue)
    assert classifier.predict(batch).tolist() == ["b", "b"]


def test_partial_fit_adds_and_never_replaces() -> None:
    classifier = fitted()
    classifier.partial_fit(pictures(GREEN), ["green"] * 6)
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    assert len(classifier.feature_set_) == 18
    everything = [(p, c) for c, p in (("red", RED), ("blue", BLUE), ("green", GREEN))]
    for colour, name in everything:
        assert classifier.predict(pictures(colour, 1, seed=5)).tolist() == [name]


def test_parts_give_the_same_classifier_as_the_whole() -> None:
    whole = ImageClassifier(FakeBackbone()).fit(
        pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    )
    parts = ImageClassifier(FakeBackbone())
    red, blue = pictures(RED), pictures(BLUE)
    parts.partial_fit(red[:3] + blue[:3], ["red"] * 3 + ["blue"] * 3)
    parts.partial_fit(red[3:] + blue[3:], ["red"] * 3 + ["blue"] * 3)
    fresh = pictures(RED, 3, seed=9)
    np.testing.assert_allclose(parts.predict_proba(fresh), whole.predict_proba(fresh), atol=1e-3)


def test_few_pictures_are_varied_and_many_are_not() -> None:
    few = ImageClassifier(FakeBackbone()).fit(pictures(RED) + pictures(BLUE), ["r"] * 6 + ["b"] * 6)
    variants = few.feature_set_.variants
    assert variants is not None
    assert variants.rows.tolist() == np.repeat(np.arange(12), VARIANTS).tolist()
    few.partial_fit(pictures(GREEN, 2), ["g"] * 2)
    variants = few.feature_set_.variants
    assert variants is not None
    assert variants.rows.tolist() == np.repeat(np.arange(14), VARIANTS).tolist()
    few.partial_fit(pictures(GREEN, 1) * MOST_VARIED, ["g"] * MOST_VARIED)
    assert few.feature_set_.variants is None


def test_variants_are_saved_with_the_samples(tmp_path: Path) -> None:
    classifier = fitted()
    classifier.save(tmp_path / "c.npz")
    before = classifier.feature_set_.variants
    after = ImageClassifier.load(tmp_path / "c.npz").feature_set_.variants
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(after.features, before.features)
    np.testing.assert_array_equal(after.rows, before.rows)


def test_the_dense_head_is_trained_on_pictures_as_they_are() -> None:
    assert fitted(head="dense").feature_set_.variants is None


def test_fit_begins_anew() -> None:
    classifier = fitted()
    classifier.fit(pictures(GREEN) + pictures(BLUE), ["green"] * 6 + ["blue"] * 6)
    assert classifier.classes_.tolist() == ["blue", "green"]


def test_a_failed_fit_leaves_what_was_learned() -> None:
    classifier = fitted()
    with pytest.raises(NotEnoughSamplesError, match="at least 5 of red are needed, there are 4"):
        classifier.fit(pictures(RED)[:4], ["red"] * 4)
    with pytest.raises(InvalidValueError, match="same type as before"):
        classifier.partial_fit(pictures(RED), [1] * 6)
    assert classifier.classes_.tolist() == ["blue", "red"]
    assert len(classifier.feature_set_) == 12


def test_a_fit_that_is_interrupted_leaves_what_was_learned() -> None:
    classifier = fitted()
    model = classifier.model_

    def interrupted() -> Iterator[np.ndarray]:
        yield from pictures((0, 200, 0))
        raise KeyboardInterrupt

    for learn in (classifier.fit, classifier.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            learn(interrupted(), ["green"] * 7)
        assert classifier.model_ is model


def test_groups_are_the_bursts_of_unknown_and_evaluation() -> None:
    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    classifier = ImageClassifier(FakeBackbone())
    classifier.fit(images, labels, groups=[1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4])
    assert len(np.unique(classifier.feature_set_.burst_ids)) == 4
    classifier.partial_fit(images[:1], ["red"], groups=[1])
    assert len(np.unique(classifier.feature_set_.burst_ids)) == 4
    with pytest.raises(InvalidValueError, match=r"groups of shape \(12,\)"):
        classifier.fit(images, labels, groups=[1, 2])


def test_without_groups_recordings_are_found_over_all_calls(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = DemoScene(0)
    images = [scene.image(thing, 1 + n / 5) for n in range(10) for thing in ("mug", "phone")]
    labels = ["mug", "phone"] * 10
    classifier = ImageClassifier("built-in", colour_order="bgr")
    with caplog.at_level("INFO"):
        classifier.fit(images[:10], labels[:10])
        classifier.partial_fit(images[10:], labels[10:])
    assert len(set(classifier.feature_set_.burst_ids.tolist())) == 2
    assert "20 pictures: 2 recordings." in caplog.text
    classifier.fit(images, labels, groups=range(20))
    assert len(set(classifier.feature_set_.burst_ids.tolist())) == 20


def test_a_stranger_is_unknown() -> None:
    classifier = fitted()
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    assert classifier.is_unknown([noise]).tolist() == [True]
    assert classifier.predict([noise])[0] in ("red", "blue")


def test_predictions_are_given_one_by_one() -> None:
    classifier = fitted(n_jobs=1)
    taken = []

    def endless() -> Any:
        for n in range(10**6):
            taken.append(n)
            yield pictures(RED, 1)[0]

    predictions = classifier.predictions(endless())
    assert next(predictions).class_name == "red"
    predictions.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(taken) < 50


@pytest.mark.parametrize("head", ["linear", "dense"])
def test_what_was_saved_answers_the_same_and_goes_on_learning(tmp_path: Path, head: Any) -> None:
    classifier = fitted(head=head, penalty=1e-3)
    classifier.save(tmp_path / "colours.npz")
    loaded = ImageClassifier.load(tmp_path / "colours.npz")
    fresh = pictures(RED, 2, seed=1) + pictures(BLUE, 2, seed=1)
    np.testing.assert_array_equal(loaded.predict_proba(fresh), classifier.predict_proba(fresh))
    np.testing.assert_array_equal(loaded.is_unknown(fresh), classifier.is_unknown(fresh))
    assert loaded.get_params() == classifier.get_params()
    loaded.partial_fit(pictures(GREEN), ["green"] * 6)
    assert loaded.classes_.tolist() == ["blue", "green", "red"]


def test_a_trained_project_is_a_classifier(tmp_path: Path) -> None:
    from edge_classifier.commands.cli import main  # noqa: PLC0415 - only this test needs all commands

    with ProjectStore.create(tmp_path / "p", ["red", "blue"]) as store:
        for name, colour in (("red", RED), ("blue", BLUE)):
            for image in pictures(colour):
                encoded = encode_image(np.ascontiguousarray(image[..., ::-1]))
                store.add_sample(encoded, name, store.next_burst_id())
    with pytest.raises(NotTrainedError, match="has no trained model yet"):
        ImageClassifier.load(tmp_path / "p")
    assert main(["train", str(tmp_path / "p"), "--backbone", "built-in"]) == 0
    classifier = ImageClassifier.load(tmp_path / "p")
    assert classifier.classes_.tolist() == ["red", "blue"]
    assert classifier.predict(pictures(BLUE, 1, seed=4)).tolist() == ["blue"]


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 half a zip"])
def test_a_file_that_is_no_classifier_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.npz"
    path.write_bytes(content)
    with pytest.raises(ProjectFormatError, match=r"c\.npz is no classifier") as caught:
        ImageClassifier.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ProjectFormatError, match="it is not there"):
        ImageClassifier.load(tmp_path / "missing.npz")


def test_other_weights_than_it_was_trained_on_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    fitted().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    meta = arrays["meta"].tobytes().replace(b'"weights_sha256": "', b'"weights_sha256": "f00')
    arrays["meta"] = np.frombuffer(meta, np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(BackboneMismatchError, match="other weights of built-in") as caught:
        ImageClassifier.load(path)
    assert "train and save it again" in str(caught.value)


def test_nothing_is_answered_before_fit() -> None:
    for ask in ("predict", "predict_proba", "is_unknown"):
        with pytest.raises(NotTrainedError, match="call `fit` first"):
            getattr(ImageClassifier(), ask)(pictures(RED, 1))


def test_a_label_that_is_said_of_what_resembles_no_class_is_not_learned() -> None:
    with pytest.raises(InvalidValueError, match="received 'Unknown', which is said of pictures"):
        ImageClassifier(FakeBackbone()).fit(pictures(RED), ["Unknown"] * 3 + ["red"] * 3)


def test_as_many_labels_as_pictures_are_expected() -> None:
    with pytest.raises(InvalidValueError, match="6 pictures and 5 labels"):
        ImageClassifier(FakeBackbone()).fit(pictures(RED), ["red"] * 5)
    with pytest.raises(InvalidValueError, match="6 pictures and 5 labels"):
        ImageClassifier(FakeBackbone()).fit(iter(pictures(RED)), ["red"] * 5)
    with pytest.raises(InvalidValueError, match="one label a picture"):
        ImageClassifier(FakeBackbone()).fit(pictures(RED), [["red"], ["red", "blue"]] * 3)
    labels: Any
    for labels in ([0.5] * 6, [None] * 6, [["red"]] * 6):
        with pytest.raises(InvalidValueError, match="text, booleans or whole numbers"):
            ImageClassifier(FakeBackbone()).fit(pictures(RED), labels)


def test_one_path_in_place_of_many_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="put it in a list"):
        fitted().predict("a.jpg")


def test_hyperparameters_are_checked_when_they_are_used() -> None:
    images, labels = pictures(RED, 1) + pictures(BLUE, 1), [0, 1]
    bad: dict[str, Any]
    for bad in ({"head": "forest"}, {"penalty": -1}, {"colour_order": "hsv"}, {"n_jobs": 0}):
        with pytest.raises(InvalidValueError):
            ImageClassifier("built-in", **bad).fit(images, labels)


def test_unknown_parameters_are_refused_and_none_is_changed() -> None:
    classifier = ImageClassifier()
    with pytest.raises(InvalidValueError, match="Invalid parameter 'depth'"):
        classifier.set_params(penalty=1.0, depth=3)
    assert classifier.penalty == 1e-4
    assert repr(classifier.set_params(penalty=1.0)) == "ImageClassifier(penalty=1.0)"


def test_importing_the_package_stays_light() -> None:
    code = (
        "import sys, edge_classifier; "
        "print([m for m in ('numpy', 'cv2', 'PIL', 'scipy', 'ai_edge_litert') if m in sys.modules])"
    )
    said = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = edge_classifier.nothing
    assert issubclass(InvalidValueError, EdgeClassifierError)


def test_one_class_is_told_from_anything_else(tmp_path: Path) -> None:
    own, other = pictures(RED, 20), pictures(BLUE, 5, seed=4)
    classifier = ImageClassifier("built-in").fit(own, ["red"] * 20)
    assert classifier.predict_proba(other).tolist() == [[1.0]] * 5
    assert classifier.is_unknown(other).all()
    assert classifier.is_unknown(own).mean() < 0.2
    assert classifier.score(other, ["blue"] * 5) == 1.0
    assert classifier.score(other, ["red"] * 5) == 0.0
    for prediction in classifier.predictions(other):
        assert prediction.confidence == pytest.approx(prediction.similarity)
    classifier.save(tmp_path / "red.npz")
    again = ImageClassifier.load(tmp_path / "red.npz")
    assert again.is_unknown(other).all()
    again.partial_fit(other, ["blue"] * 5)
    assert again.predict(own[:2] + other[:2]).tolist() == ["red"] * 2 + ["blue"] * 2
