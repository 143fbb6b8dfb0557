"""Which frames are kept: those that are doubted, each unlike the others."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from support import exported_project

from edge_classifier.device.unsure import LEAST_DOUBT, Kept, Selection, doubt, shows_something
from edge_classifier.device.verdict import Prediction, normalise

Row = npt.NDArray[np.float32]


def row(angle: float) -> Row:
    """Features in a plane: how much two are alike is the cosine between them."""
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def frame(number: int, features: Row | None, doubted: float = 0.6, model: str = "now") -> Kept:
    return Kept(f"unsure-{number:04d}", 100, doubted, model, features)


def offer(selection: Selection, new: Kept) -> list[str] | None:
    """Keep it if it is wanted; the names of what gives way, or `None`."""
    assert new.row is not None
    if not selection.wants(new.row, new.doubt):
        return None
    return [gone.name for gone in selection.add(new)]


def names(selection: Selection) -> list[str]:
    return [kept.name for kept in selection.kept]


def prediction(scores: list[float], similarity: float | None = None) -> Prediction:
    classes = tuple(f"class {n}" for n in range(len(scores)))
    threshold = None if similarity is None else 0.6
    return Prediction(classes, np.array(scores, np.float32), similarity, threshold)


def test_a_model_doubts_what_it_hesitates_about_and_what_it_has_not_seen_the_like_of() -> None:
    assert doubt(prediction([0.98, 0.01, 0.01])) < 0.1
    assert doubt(prediction([0.5, 0.5])) == 1.0
    assert doubt(prediction([0.98, 0.02], 0.95)) < LEAST_DOUBT
    assert doubt(prediction([0.98, 0.02], 0.6)) == pytest.approx(0.5)  # the edge of unknown
    assert doubt(prediction([1.0], 0.1)) == 1.0
    assert doubt(prediction([1.0])) == 0.0


def test_nothing_is_to_be_seen_in_the_dark_in_fog_and_far_out_of_focus() -> None:
    picture = exported_project.picture(0, 0)
    assert shows_something(picture)
    assert shows_something(picture[:, :1])
    assert not shows_something(np.zeros_like(picture))
    assert not shows_something((picture * 0.02).astype(np.uint8))
    assert not shows_something((200 + picture * 0.02).astype(np.uint8))
    assert not shows_something(np.asarray(cv2.GaussianBlur(picture, (0, 0), 40), np.uint8))


def test_what_is_like_one_that_is_kept_is_not_kept_unless_it_is_doubted_much_more() -> None:
    selection = Selection(10, 10_000, "now")
    assert offer(selection, frame(0, row(0.0), 0.6)) == []
    assert offer(selection, frame(1, row(0.1), 0.65)) is None
    assert offer(selection, frame(2, row(0.1), 0.8)) == ["unsure-0000"]
    assert offer(selection, frame(3, row(0.1), LEAST_DOUBT / 2)) is None
    assert names(selection) == ["unsure-0002"]


def test_of_the_two_most_alike_the_one_that_is_doubted_less_gives_way_or_the_older() -> None:
    selection = Selection(3, 10_000, "now")
    for number, (angle, doubted) in enumerate([(0.0, 0.6), (0.5, 0.7), (1.5, 0.6)]):
        assert offer(selection, frame(number, row(angle), doubted)) == []
    assert offer(selection, frame(3, row(2.5))) == ["unsure-0000"]
    assert offer(selection, frame(4, row(-1.2))) == ["unsure-0002"]  # 1.5, beside 2.5: older
    assert names(selection) == ["unsure-0001", "unsure-0003", "unsure-0004"]


def test_once_it_is_full_it_changes_less_and_less() -> None:
    generator = np.random.default_rng(0)
    selection = Selection(20, 10_000, "now")
    written = []
    for number in range(2000):
        features = normalise(generator.normal(size=(1, 8)).astype(np.float32))[0]
        if offer(selection, frame(number, features)) is not None:
            written.append(number)
    assert len(selection.kept) == 20
    assert sum(number >= 1000 for number in written) < sum(n < 1000 for n in written) / 4


def test_bytes_are_bounded_too_and_a_large_one_is_kept_alone() -> None:
    selection = Selection(10, 250, "now")
    for number, angle in enumerate([0.0, 0.5, 1.5, 2.5]):
        offer(selection, frame(number, row(angle)))
    assert sum(kept.bytes for kept in selection.kept) <= 250
    large = Kept("unsure-9", 1000, 0.9, "now", row(-1.5))
    assert selection.wants(row(-1.5), 0.9)
    selection.add(large)
    assert names(selection) == ["unsure-9"]
    assert not selection.wants(row(0.0), 0.95)


def test_the_oldest_of_a_former_model_give_way_first() -> None:
    selection = Selection(3, 10_000, "now")
    selection.replace(
        [frame(1, row(0.0), 1.0, "former"), frame(0, None, 1.0, "other"), frame(2, row(1.0))]
    )
    assert offer(selection, frame(3, row(2.0))) == ["unsure-0000"]
    assert offer(selection, frame(4, row(3.0))) == ["unsure-0001"]
    assert names(selection) == ["unsure-0002", "unsure-0003", "unsure-0004"]


def test_of_one_place_only_the_more_doubted_is_kept() -> None:
    selection = Selection(1, 10_000, "now")
    assert offer(selection, frame(0, row(0.0), 0.5)) == []
    assert offer(selection, frame(1, row(2.0), 0.5)) is None
    assert offer(selection, frame(2, row(2.0), 0.7)) == ["unsure-0000"]
