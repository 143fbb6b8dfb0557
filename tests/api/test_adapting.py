from __future__ import annotations

import io
import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, in_other_light, picture

from edge_classifier import ImageClassifier
from edge_classifier.commands.cli import main
from edge_classifier.errors import AdaptationError, NotTrainedError, ProjectFormatError

_BURSTS, _PER_BURST, _SHOWN = 2, 5, 10


@pytest.fixture(scope="module")
def fitted() -> ImageClassifier:
    numbers = range(_BURSTS * _PER_BURST)
    images = [picture(class_id, n) for class_id in range(len(CLASSES)) for n in numbers]
    labels = np.repeat(CLASSES, len(numbers))
    groups = np.arange(len(images)) // _PER_BURST
    return ImageClassifier("built-in", colour_order="bgr").fit(images, labels, groups)


@pytest.fixture
def classifier(fitted: ImageClassifier) -> ImageClassifier:
    copy: ImageClassifier = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    return copy


def pictures(first: int, class_ids: tuple[int, ...] = (0, 1, 2)) -> list[np.ndarray]:
    """Draw pictures in another light."""
    numbers = range(first, first + _SHOWN)
    return [in_other_light(picture(class_id, n)) for class_id in class_ids for n in numbers]


@pytest.fixture(scope="module")
def shown() -> list[np.ndarray]:
    return pictures(60)


@pytest.fixture(scope="module")
def later() -> list[np.ndarray]:
    return pictures(80)


def noise(count: int = 5) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (90, 120, 3), np.uint8) for _ in range(count)]


def test_known_things_are_known_again_in_another_light(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray]
) -> None:
    before = classifier.is_unknown(later).sum()
    assert classifier.adaptation_ is None
    assert classifier.adapt(shown) is classifier
    assert before >= 8
    assert classifier.is_unknown(later).sum() <= before / 2
    assert classifier.score(later, np.repeat(CLASSES, _SHOWN)) == 1.0
    assert str(classifier.adaptation_).endswith("3 of 3 classes seen")
    assert all(classifier.is_unknown(noise()))


def test_it_is_taken_back_without_a_trace(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray]
) -> None:
    before = classifier.predict_proba(later)
    assert np.abs(classifier.adapt(shown).predict_proba(later) - before).max() > 0.01
    assert classifier.reset_adaptation() is classifier
    np.testing.assert_array_equal(classifier.predict_proba(later), before)
    assert classifier.adaptation_ is None
    classifier.reset_adaptation()


def test_it_begins_from_what_was_fitted_whatever_it_was_adapted_to(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray]
) -> None:
    once = classifier.adapt(shown).predict_proba(later)
    again = classifier.adapt(later).adapt(shown).predict_proba(later)
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ([], "no picture to adapt to"),
        (noise(), "None of the 5 pictures resembles"),
        (pictures(60, (1,)), r"of 2 classes; recognised were stripes"),
    ],
    ids=["nothing", "strangers", "one class"],
)
def test_what_cannot_be_adapted_to_leaves_it_as_it_was(
    classifier: ImageClassifier,
    shown: list[np.ndarray],
    later: list[np.ndarray],
    images: list[np.ndarray],
    told: str,
) -> None:
    before = classifier.adapt(shown).predict_proba(later)
    with pytest.raises(AdaptationError, match=told):
        classifier.adapt(images)
    np.testing.assert_array_equal(classifier.predict_proba(later), before)


def test_only_what_was_fitted_with_a_linear_head_can_be_adapted(shown: list[np.ndarray]) -> None:
    with pytest.raises(NotTrainedError, match="not fitted yet"):
        ImageClassifier().adapt(shown)
    with pytest.raises(NotTrainedError, match="not fitted yet"):
        ImageClassifier().reset_adaptation()
    dense = ImageClassifier("built-in", head="dense", epochs=1, colour_order="bgr")
    dense.fit(shown, np.repeat(CLASSES, _SHOWN))
    with pytest.raises(AdaptationError, match="Only the linear head"):
        dense.adapt(shown)


def test_any_iterable_will_do_and_of_very_many_pictures_some_are_taken_evenly(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray]
) -> None:
    expected = classifier.adapt(shown).predict_proba(later)
    np.testing.assert_array_equal(classifier.adapt(iter(shown)).predict_proba(later), expected)

    class Many:
        """A hundred thousand pictures, of which only some are ever asked for."""

        def __len__(self) -> int:
            return 100_000

        def __iter__(self) -> Iterator[np.ndarray]:
            for number in range(len(self)):
                yield shown[number * len(shown) // len(self)]

    parts: list[float] = []

    def told(done: float, _what: str | None = None) -> None:
        parts.append(done)

    many = classifier.adapt(Many(), progress=told).predict_proba(later)
    np.testing.assert_allclose(many, expected, atol=1e-5)
    assert len(parts) <= 1026
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_more_samples_keep_it_adapted_and_fitting_anew_forgets_it(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray]
) -> None:
    classifier.adapt(shown)
    classifier.partial_fit([picture(0, 40), picture(1, 40)], CLASSES[:2])
    assert classifier.adaptation_ is not None
    assert classifier.is_unknown(later).sum() <= 8
    plain = classifier.fit(shown, np.repeat(CLASSES, _SHOWN)).predict_proba(later)
    assert classifier.adaptation_ is None
    fresh = ImageClassifier("built-in", colour_order="bgr").fit(shown, np.repeat(CLASSES, _SHOWN))
    np.testing.assert_array_equal(fresh.predict_proba(later), plain)


def test_it_warns_where_the_pictures_no_longer_fit(
    classifier: ImageClassifier, shown: list[np.ndarray]
) -> None:
    classifier.adapt(shown).set_params(head="dense", epochs=1)
    with pytest.warns(UserWarning, match="It is not adapted any more: Only the linear head"):
        classifier.partial_fit([picture(0, 40)], CLASSES[:1])
    assert classifier.adaptation_ is None


def test_pictures_that_did_not_fit_once_are_adapted_to_as_soon_as_they_fit_again(
    classifier: ImageClassifier, shown: list[np.ndarray], tmp_path: Path
) -> None:
    classifier.adapt(shown).set_params(head="dense", epochs=1)
    with pytest.warns(UserWarning, match="not adapted any more"):
        classifier.partial_fit([picture(0, 40)], CLASSES[:1])
    classifier.save(tmp_path / "c.npz")
    with pytest.warns(UserWarning, match="not adapted any more"):
        loaded = ImageClassifier.load(tmp_path / "c.npz")
    for each in (classifier, loaded):
        each.set_params(head="linear").partial_fit([picture(1, 40)], CLASSES[1:2])
        assert str(each.adaptation_).endswith("3 of 3 classes seen")
    classifier.reset_adaptation().partial_fit([picture(2, 40)], CLASSES[2:])
    assert classifier.adaptation_ is None


def test_it_is_kept_in_the_file_and_can_be_taken_back_from_there(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray], tmp_path: Path
) -> None:
    before = classifier.predict_proba(later)
    adapted = classifier.adapt(shown).predict_proba(later)
    classifier.save(tmp_path / "c.npz")
    loaded = ImageClassifier.load(tmp_path / "c.npz")
    np.testing.assert_allclose(loaded.predict_proba(later), adapted, atol=1e-5)
    assert str(loaded.adaptation_) == str(classifier.adaptation_)
    np.testing.assert_array_equal(loaded.reset_adaptation().predict_proba(later), before)


@pytest.mark.parametrize(
    "frames",
    [
        np.full((3, 512), np.nan, np.float32),
        np.ones((3, 5), np.float32),
        np.ones((0, 512), np.float32),
        np.ones((3, 512), np.float64),
        np.ones(512, np.float32),
    ],
    ids=["NaN", "another length", "none", "float64", "a single row"],
)
def test_a_file_with_spoilt_frames_is_refused_in_one_line(
    classifier: ImageClassifier, tmp_path: Path, frames: np.ndarray
) -> None:
    classifier.save(tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as file:
        parts: dict[str, Any] = dict(file)
    np.savez(tmp_path / "c.npz", **{**parts, "frames": frames})
    with pytest.raises(ProjectFormatError, match="adapted to") as raised:
        ImageClassifier.load(tmp_path / "c.npz")
    assert "\n" not in str(raised.value)


def test_a_file_from_before_that_could_be_kept_is_read_and_can_be_adapted(
    classifier: ImageClassifier, shown: list[np.ndarray], later: list[np.ndarray], tmp_path: Path
) -> None:
    classifier.save(tmp_path / "c.npz")
    assert "frames" not in np.load(tmp_path / "c.npz").files
    loaded = ImageClassifier.load(tmp_path / "c.npz")
    assert loaded.adaptation_ is None
    expected = classifier.adapt(shown).predict_proba(later)
    np.testing.assert_array_equal(loaded.adapt(shown).predict_proba(later), expected)
    # Nor did it say which class each reference is of: such a model has to be trained again.
    with np.load(tmp_path / "c.npz") as file:
        parts: dict[str, Any] = dict(file)
    meta = json.loads(parts["meta"].tobytes())
    del meta["model"]["reference_classes"]
    parts["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    content = io.BytesIO()
    np.savez(content, **parts)
    (tmp_path / "c.npz").write_bytes(content.getvalue())
    old = ImageClassifier.load(tmp_path / "c.npz")
    with pytest.raises(AdaptationError, match="train it again"):
        old.adapt(shown)


def test_a_project_that_was_adapted_is_loaded_as_it_answers(
    taught_project: Path, tmp_path: Path, later: list[np.ndarray]
) -> None:
    project = shutil.copytree(taught_project, tmp_path / "p")
    assert main(["train", str(project)]) == 0
    for number, image in enumerate(pictures(60)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    names = [str(path) for path in sorted(tmp_path.glob("*.png"))]
    assert main(["adapt", str(project), *names]) == 0
    loaded = ImageClassifier.load(project).set_params(colour_order="bgr")
    assert str(loaded.adaptation_).endswith("3 of 3 classes seen")
    adapted = loaded.is_unknown(later).sum()
    assert adapted < loaded.reset_adaptation().is_unknown(later).sum()
