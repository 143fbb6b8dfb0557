"""Known things in another light, as the built-in network sees them in the demo's room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.demo.scene import TAUGHT, UNTAUGHT, DemoScene
from edge_classifier.device.adaptation import is_familiar
from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.errors import AdaptationError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.model import Model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train
from edge_classifier.values import FeatureSet

pytestmark = pytest.mark.slow

_FRAMES = 8
_OTHER_TAKE = 4
"""Another view, distance and light than those of take 0, which is taught."""


@pytest.fixture(scope="module")
def taken() -> dict[tuple[str, int], np.ndarray]:
    """Give features by thing and take; the other one is dim, too: a lamp was switched off."""
    scene, extract = DemoScene(0), load_backbone("built-in").extract

    def features(name: str, take: int) -> np.ndarray:
        images = [scene.image(name, 0.4 * n, take) for n in range(_FRAMES)]
        if take:
            images = [(0.35 * image.astype(np.float32)).astype(np.uint8) for image in images]
        return extract(images)

    things = [(name, take) for name in TAUGHT for take in (0, _OTHER_TAKE)]
    return {key: features(*key) for key in [*things, (UNTAUGHT, _OTHER_TAKE)]}


@pytest.fixture(scope="module")
def model(taken: dict[tuple[str, int], np.ndarray]) -> Model:
    ids = np.repeat(np.arange(len(TAUGHT)), _FRAMES)
    return train(
        FeatureSet(
            np.concatenate([taken[name, 0] for name in TAUGHT]),
            ids,
            np.array([f"burst {n}" for n in ids], np.str_),
            TAUGHT,
            strangers=Strangers(load_backbone("built-in")).features(),
        )
    )


@pytest.fixture(scope="module")
def shown(taken: dict[tuple[str, int], np.ndarray]) -> np.ndarray:
    """Give every other frame of what was taught, in the other light."""
    return np.concatenate([taken[name, _OTHER_TAKE][::2] for name in TAUGHT])


@pytest.fixture(scope="module")
def later(taken: dict[tuple[str, int], np.ndarray]) -> np.ndarray:
    """Give the frames between those."""
    return np.concatenate([taken[name, _OTHER_TAKE][1::2] for name in TAUGHT])


def unknown(model: Model) -> UnknownDetector:
    assert model.unknown is not None
    return model.unknown


def familiar(model: Model, features: np.ndarray) -> np.ndarray:
    return unknown(model).similarity(features, model.head.scores(features))


def test_known_things_become_familiar_again_and_strangers_do_not(
    model: Model,
    shown: np.ndarray,
    later: np.ndarray,
    taken: dict[tuple[str, int], np.ndarray],
) -> None:
    adapted = adapt_model(model, shown).model
    stranger = taken[UNTAUGHT, _OTHER_TAKE]
    answers = adapted.predict(later)
    assert [a.class_name for a in answers] == [n for n in TAUGHT for _ in range(_FRAMES // 2)]
    assert not any(a.unknown for a in answers)
    assert all(a.unknown for a in adapted.predict(stranger))
    before, after = (
        float(familiar(m, later).min() - familiar(m, stranger).max()) for m in (model, adapted)
    )
    assert after > before + 0.02
    assert unknown(adapted).threshold > unknown(model).threshold


def test_what_was_taught_is_still_answered_where_it_was_taught(
    model: Model, shown: np.ndarray, taken: dict[tuple[str, int], np.ndarray]
) -> None:
    adapted = adapt_model(model, shown).model
    for name in TAUGHT:
        assert [a.class_name for a in adapted.predict(taken[name, 0])] == [name] * _FRAMES


def test_it_says_what_has_changed_and_counts_no_frame_as_familiar_for_being_kept(
    model: Model, shown: np.ndarray, later: np.ndarray
) -> None:
    adaptation = adapt_model(model, shown)
    before, after = adaptation.familiar
    assert str(adaptation) == f"familiar {before:.2f} → {after:.2f}; 3 of 3 classes seen"
    assert before == pytest.approx(float(np.median(familiar(model, shown))))
    assert before < after <= 1
    others = float(np.median(familiar(adaptation.model, later)))
    assert after == pytest.approx(others, abs=0.05)
    assert float(np.median(familiar(adaptation.model, shown))) > after - 0.01


def test_strangers_among_the_frames_move_nothing(
    model: Model, shown: np.ndarray, taken: dict[tuple[str, int], np.ndarray]
) -> None:
    stranger = taken[UNTAUGHT, _OTHER_TAKE]
    strange = stranger[~is_familiar(unknown(model), stranger, model.head.scores(stranger))]
    assert len(strange)
    alone = adapt_model(model, shown)
    among = adapt_model(model, np.concatenate([strange, shown, strange]))
    expected, found = (np.asarray(unknown(each.model).shift) for each in (alone, among))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert among.seen.tolist() == alone.seen.tolist()


def test_the_same_frames_give_the_same_and_the_model_it_began_from_is_untouched(
    model: Model, shown: np.ndarray, later: np.ndarray
) -> None:
    scores = model.head.scores(later)
    first, second = (adapt_model(model, shown).model for _ in range(2))
    np.testing.assert_array_equal(first.head.scores(later), second.head.scores(later))
    np.testing.assert_array_equal(model.head.scores(later), scores)
    assert unknown(model).shift is None
    assert model.unadapted is None
    assert first.unadapted is not None
    assert first.unadapted.model is model


def test_the_users_steps_of_the_threshold_still_count(model: Model, shown: np.ndarray) -> None:
    adapted = adapt_model(model.adjusted(3), shown).model
    plain = adapt_model(model, shown).model
    assert unknown(adapted).threshold == pytest.approx(
        unknown(plain).threshold + 3 * unknown(model).step
    )
    assert model.taught is model
    assert unknown(plain.adjusted(3).taught).threshold == unknown(model.adjusted(3)).threshold
    assert plain.taught.head is model.head


def test_what_it_cannot_do_is_one_line_that_says_why(
    model: Model, shown: np.ndarray, taken: dict[tuple[str, int], np.ndarray]
) -> None:
    dense = train(clusters(), HeadSettings(kind="dense", epochs=1))
    old = replace(model, unknown=replace(unknown(model), class_ids=None))
    stranger = np.zeros_like(shown)
    stranger[:, ::7] = 1.0
    refused = [
        (model, shown[:0], "no picture to adapt to"),
        (model, stranger, "None of the 12 pictures resembles what was taught"),
        (model, taken["mug", _OTHER_TAKE], r"of 2 classes; recognised were mug \(8\)"),
        (dense, clusters().features, "Only the linear head"),
        (replace(model, unknown=None), shown, "train it again"),
        (old, shown, "train it again"),
    ]
    for taught, features, told in refused:
        with pytest.raises(AdaptationError, match=told) as raised:
            adapt_model(taught, features)
        assert "\n" not in str(raised.value)


def test_frames_of_another_width_are_refused_in_one_line() -> None:
    model = train(clusters(bursts=4))
    with pytest.raises(AdaptationError, match="adapt again"):
        adapt_model(model, np.ones((4, model.head.feature_dim + 1), np.float32))
