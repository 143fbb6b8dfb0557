from __future__ import annotations

import numpy as np
import pytest
from fewshots.recordings import Draw, Recording, draw_task, far_of, follow, measure, orders, shown

from edge_classifier.learning.training import train
from edge_classifier.values import Features

CLASSES = 3
FRAMES = 50


def recording(name: str = "desk", kind: str = "things", drift: float = 0.0) -> Recording:
    """Make classes around directions of their own; frame n carries its number in the last column.

    With `drift` all that comes later moves the same way.
    """
    generator = np.random.default_rng(0)
    frames = []
    for c in range(CLASSES):
        rows = np.zeros((FRAMES, 16), np.float32)
        rows[:, c] = 1.0
        rows += generator.normal(0, 0.05, rows.shape).astype(np.float32)
        rows[:, 8] += np.linspace(0.0, drift, FRAMES, dtype=np.float32)
        rows[:, 9] += np.linspace(0.0, drift * (c == 0), FRAMES, dtype=np.float32)
        rows[:, 15] = np.arange(FRAMES) / 1e4
        frames.append(rows)
    taught = [f[:20] for f in frames]
    variants = tuple(np.stack([t, t], axis=1) for t in taught)
    return Recording(name, tuple("abc"), tuple(frames), variants, kind)


STRANGERS: Features = np.random.default_rng(1).normal(0, 1, (40, 16)).astype(np.float32)


def number(features: Features) -> Features:
    numbers: Features = (features[:, 15] * 1e4).round()
    return numbers


@pytest.mark.parametrize("in_a_row", [False, True])
def test_what_is_asked_comes_after_what_is_taught(*, in_a_row: bool) -> None:
    how = Draw(shots=5, ways=6, in_a_row=in_a_row)
    task = draw_task(recording(), STRANGERS, how, np.random.default_rng(0))
    assert number(task.taught.features).max() < 20
    assert number(task.asked).min() >= 30
    assert task.taught.counts == (5, 5)
    taught = number(task.taught.features[:5])
    assert (np.diff(taught) == 1).all() == in_a_row


def test_a_class_is_one_burst_or_each_of_its_frames_is_one() -> None:
    for singly, bursts in ((False, 2), (True, 10)):
        how = Draw(shots=5, ways=6, singly=singly)
        task = draw_task(recording(), STRANGERS, how, np.random.default_rng(0))
        assert len(set(task.taught.burst_ids.tolist())) == bursts


def test_near_strangers_are_the_class_left_out_and_far_ones_come_from_another_kind() -> None:
    one, same, other = recording(), recording("shelf"), recording("yard", kind="animals")
    task = draw_task(one, STRANGERS, Draw(5, 6), np.random.default_rng(0))
    left_out = set("abc") - set(task.taught.class_names)
    assert len(left_out) == 1
    assert task.near[:, "abc".index(left_out.pop())].mean() > 0.9
    assert len(far_of([one, same], one, STRANGERS)) == len(STRANGERS)
    assert len(far_of([one, same, other], one, STRANGERS)) > len(STRANGERS)


def test_every_order_shows_every_frame_once() -> None:
    task = draw_task(recording(), STRANGERS, Draw(5, 6), np.random.default_rng(0))
    for _, order in orders(task, np.random.default_rng(0)):
        assert sorted(order.tolist()) == list(range(len(task.asked)))


def test_what_is_shown_is_as_many_frames_of_each_class_as_it_says() -> None:
    task = draw_task(recording(), STRANGERS, Draw(5, 6), np.random.default_rng(0))
    rows = dict(shown(task, np.random.default_rng(0)))
    assert np.bincount(task.asked_ids[rows["8 a class"]]).tolist() == [8, 8]
    assert len(set(task.asked_ids[rows["one class only"]].tolist())) == 1
    assert max(np.bincount(task.asked_ids[rows["one class 80 %"]])) > 10


def test_frames_asked_are_not_those_adapted_to() -> None:
    task = draw_task(recording(drift=0.6), STRANGERS, Draw(10, 6), np.random.default_rng(0))
    figures = measure(task, STRANGERS, np.random.default_rng(0))
    assert figures["accuracy: all"] == pytest.approx(figures["accuracy"] + figures["gain: all"])
    assert 0.0 <= figures["known refused: as it is"] <= 1.0
    assert figures["gain: strangers only"] == 0.0


def test_following_answers_the_first_frames_as_taught() -> None:
    task = draw_task(recording(drift=0.6), STRANGERS, Draw(10, 6), np.random.default_rng(0))
    model = train(task.taught)
    answers = follow(model, task.asked)
    taught = model.head.scores(task.asked).argmax(axis=1)
    np.testing.assert_array_equal(answers[:5], taught[:5])
    assert (answers == task.asked_ids).mean() >= (taught == task.asked_ids).mean()
