from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fewshots.episodes import (
    LabelledSet,
    episodes,
    natural_key,
    split_by_group,
    split_by_order,
)
from fewshots.measures import (
    auroc,
    calibration_error,
    false_acceptance,
    interval,
    mean_of_sets,
)

from edge_classifier.errors import InvalidValueError


def labelled(name: str, classes: int = 5, each: int = 12) -> LabelledSet:
    """Make a set whose features tell set, class and row."""
    rows = [np.array([[ord(name), c, n] for n in range(each)], np.float32) for c in range(classes)]
    marks = np.array([str(n) for n in range(each)])
    return LabelledSet(
        name,
        tuple(f"{name}{c}" for c in range(classes)),
        tuple(rows),
        (marks,) * classes,
        tuple(r + 100 for r in rows),
    )


def test_the_same_seed_draws_the_same_episodes_and_another_one_does_not() -> None:
    sets = [labelled("a"), labelled("b")]
    first, again, other = (
        [e.support.features.tolist() for e in episodes(sets, shots=3, ways=2, count=4, seed=seed)]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_an_episode_learns_from_few_and_asks_about_what_it_has_not_seen() -> None:
    (episode,) = episodes([labelled("a")], shots=3, ways=2, count=1, seed=0)
    assert episode.support.counts == (3, 3)
    assert len(episode.query) == 24
    assert episode.query[:, 2].min() >= 100


def test_near_strangers_are_other_classes_and_far_ones_other_sets() -> None:
    sets = [labelled("a"), labelled("b", classes=3)]
    episode = next(episodes(sets, shots=3, ways=2, count=1, seed=0))
    learned = {int(name[1:]) for name in episode.support.class_names}
    assert set(episode.near[:, 1] - 100) == {0, 1, 2, 3, 4} - learned
    assert set(episode.far[:, 0] - 100) == {ord("b")}


def test_a_set_that_is_too_small_is_named_with_the_count() -> None:
    with pytest.raises(InvalidValueError, match="a has 0 classes with 20 pictures"):
        next(episodes([labelled("a")], shots=20, ways=2, count=1, seed=0))


def test_frames_in_order_are_split_with_a_gap() -> None:
    first, last = split_by_order(40)
    assert first.tolist() == list(range(18))
    assert last.tolist() == list(range(22, 40))


def test_groups_are_never_on_both_sides() -> None:
    groups = [f"person {n % 7}" for n in range(70)]
    learn, asked = split_by_group(groups, np.random.default_rng(0))
    assert not {groups[n] for n in learn} & {groups[n] for n in asked}
    assert len(learn) + len(asked) == 70


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(InvalidValueError, match="2 groups, received 1"):
        split_by_group(["a", "a"], np.random.default_rng(0))


def test_the_tenth_frame_comes_after_the_second() -> None:
    names = [Path(f"img{n}.jpg") for n in (10, 2, 1)]
    assert [p.name for p in sorted(names, key=natural_key)] == ["img1.jpg", "img2.jpg", "img10.jpg"]


def test_auroc_counts_pairs_and_ties_half() -> None:
    known, strange = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    by_hand = np.mean([[1.0 if k > s else 0.5 if k == s else 0.0 for s in strange] for k in known])
    assert auroc(known, strange) == pytest.approx(by_hand)


def test_false_acceptance_is_measured_where_most_known_frames_pass() -> None:
    known = np.linspace(0.5, 1.0, 101)
    assert false_acceptance(known, np.array([0.1, 0.4, 0.6, 0.9])) == 0.5


def test_scores_as_sure_as_they_are_right_have_no_calibration_error() -> None:
    ids = np.array([0] * 8 + [1] * 2)
    scores = np.tile(np.array([0.8, 0.2], np.float32), (10, 1))
    assert calibration_error(scores, ids) == pytest.approx(0, abs=1e-6)
    assert calibration_error(scores, 1 - ids) == pytest.approx(0.6, abs=1e-6)


def test_every_set_counts_the_same_however_many_episodes_it_has() -> None:
    values = {"large": [1.0] * 90, "small": [0.0] * 10}
    assert mean_of_sets(values) == 0.5
    assert interval(values) == (0.5, 0.5)
