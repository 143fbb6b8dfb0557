from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from fewshots.cost import undisturbed
from fewshots.episodes import LabelledSet, episodes, natural_key, split_by_group, split_by_order
from fewshots.loading import DataSet, load_set
from fewshots.measures import auroc, calibration_error, false_acceptance, interval, mean_of_sets
from fewshots.side_by_side import SideBySide
from fewshots.tables import BackboneRow, Figures, print_backbones

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import InvalidValueError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.variants import VARIANTS
from edge_classifier.values import Features


def labelled(name: str, classes: int = 5, each: int = 12, kind: str = "") -> LabelledSet:
    """Make a set whose features tell set, class and row."""
    rows = [np.array([[ord(name), c, n] for n in range(each)], np.float32) for c in range(classes)]
    marks = np.array([str(n) for n in range(each)])
    return LabelledSet(
        name,
        tuple(f"{name}{c}" for c in range(classes)),
        tuple(rows),
        (marks,) * classes,
        tuple(r + 100 for r in rows),
        kind,
        tuple(np.stack([r + 1000, r + 2000], axis=1) for r in rows),
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


def test_variants_are_those_of_the_pictures_that_are_learned_from() -> None:
    (episode,) = episodes([labelled("a")], shots=3, ways=2, count=1, seed=0)
    variants = episode.support.variants
    assert variants is not None
    assert variants.rows.tolist() == np.repeat(np.arange(6), 2).tolist()
    np.testing.assert_array_equal(
        variants.features[::2], episode.support.features + np.float32(1000)
    )


def test_near_strangers_are_other_classes_and_far_ones_other_sets() -> None:
    sets = [labelled("a"), labelled("b", classes=3)]
    episode = next(episodes(sets, shots=3, ways=2, count=1, seed=0))
    learned = {int(name[1:]) for name in episode.support.class_names}
    assert set(episode.near[:, 1] - 100) == {0, 1, 2, 3, 4} - learned
    assert set(episode.far[:, 0] - 100) == {ord("b")}


def test_sets_of_one_kind_are_no_far_strangers_to_each_other() -> None:
    sets = [labelled("a", kind="hands"), labelled("b", kind="hands"), labelled("c")]
    episode = next(episodes(sets, shots=3, ways=2, count=1, seed=0))
    assert set(episode.far[:, 0] - 100) == {ord("c")}


def test_a_folder_with_a_picture_or_two_gives_no_strangers() -> None:
    one, other = labelled("a", classes=3), labelled("b", classes=3)
    small = LabelledSet(
        "a",
        one.class_names,
        (*one.train[:2], one.train[2][:1]),
        (*one.train_bursts[:2], one.train_bursts[2][:1]),
        one.test,
    )
    episode = next(episodes([small, other], shots=3, ways=2, count=1, seed=0))
    assert not len(episode.near)
    last = list(episodes([small, other], shots=3, ways=2, count=1, seed=0))[-1]
    assert set(last.far[:, 1] - 100) == {0, 1}


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


def grey_levels(images: Sequence[Image]) -> Features:
    """Features that tell the mean grey level of a picture."""
    return np.array([[image.mean()] for image in images], np.float32)


def grey_pictures(folder: Path, names: Sequence[str], level: int) -> None:
    folder.mkdir(parents=True)
    for n, name in enumerate(names):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((8, 8, 3), level + n, np.uint8))


def test_two_folders_are_learned_from_and_asked_about_as_given(tmp_path: Path) -> None:
    for n, name in enumerate(("cup", "pen")):
        grey_pictures(tmp_path / "train" / name, ["a", "b", "c"], 20 * n)
        grey_pictures(tmp_path / "test" / name, ["a"], 100 + 20 * n)
    data = DataSet.from_text(f"desk={tmp_path}/train,{tmp_path}/test", {}, {})
    loaded = load_set(data, grey_levels, seed=0)
    assert loaded.class_names == ("cup", "pen")
    assert [rows.ravel().tolist() for rows in loaded.train] == [[0, 1, 2], [20, 21, 22]]
    assert [rows.ravel().tolist() for rows in loaded.test] == [[100], [120]]
    assert [rows.shape for rows in loaded.variants] == [(3, VARIANTS, 1)] * 2


def test_a_person_who_is_learned_from_is_asked_about_in_no_class(tmp_path: Path) -> None:
    people = ("ann", "bob", "cyd", "dan")
    for n, name in enumerate(("yes", "no")):
        grey_pictures(tmp_path / name, [f"{who}-1" for who in people], 100 * n)
    data = DataSet.from_text(f"signs={tmp_path}", {"signs": r"^[a-z]+"}, {"signs": "hands"})
    loaded = load_set(data, grey_levels, seed=0)
    learned, asked = (
        {float(row[0]) % 100 for of_class in part for row in of_class}
        for part in (loaded.train, loaded.test)
    )
    assert learned
    assert asked
    assert not learned & asked
    assert {b.split("-")[1] for c in loaded.train_bursts for b in c} <= set(people)


def test_a_folder_with_a_single_picture_is_no_class(tmp_path: Path) -> None:
    for n, name in enumerate(("cup", "pen")):
        grey_pictures(tmp_path / name, ["a", "b"], 20 * n)
    grey_pictures(tmp_path / "test", ["a"], 100)
    loaded = load_set(DataSet.from_text(f"desk={tmp_path}", {}, {}), grey_levels, seed=0)
    assert loaded.class_names == ("cup", "pen")


def test_a_set_without_a_folder_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="Expected NAME=DIR"):
        DataSet.from_text("signs", {}, {})


def test_features_side_by_side_are_one_after_the_other() -> None:
    small = load_backbone("built-in")
    both = SideBySide((small, small))
    assert both.name == "built-in+built-in"
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    alone = small.extract([picture])
    np.testing.assert_array_equal(both.extract([picture]), np.concatenate([alone, alone], axis=1))


def test_runs_that_were_interrupted_do_not_count_as_cost() -> None:
    times = np.concatenate([np.full(30, 2.0), np.full(70, 40.0)])
    assert undisturbed(times) == 2.0


def test_the_table_of_backbones_puts_the_cheapest_first(capsys: pytest.CaptureFixture[str]) -> None:
    def figures(accuracy: float) -> Figures:
        return {"accuracy": {"a": [accuracy] * 3}, "far FA": {"a": [0.02]}, "near FA": {"a": [0.3]}}

    dear = BackboneRow("dear", figures(0.9), figures(0.85), ms=7.0, times=7.0, size=9_000_000)
    cheap = BackboneRow("cheap", figures(0.8), figures(0.81), ms=1.0, times=1.0, size=800_000)
    print_backbones([dear, cheap])
    first, second = capsys.readouterr().out.strip().splitlines()[2:]
    assert first == (
        "| `cheap` | 0.800 (0.800 to 0.800) | -0.010 | 1.0 ms, 1.0x | 0.8 MB | 2%, 30% |"
    )
    assert second.startswith("| `dear` | 0.900")
