"""Frames of the empty scene at the ends of bursts, seen by the demo's camera and real features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pytest
from support.feature_sets import clusters

from edge_classifier.demo.camera import DemoCamera
from edge_classifier.demo.scene import TAUGHT
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.empty_frames import (
    HALF_SEEN,
    NO_CLASS,
    shown_classes,
    without_empty_frames,
)
from edge_classifier.learning.training import train
from edge_classifier.values import BACKGROUND, Features, FeatureSet

EMPTY = 6
HELD = 18


@dataclass(frozen=True)
class Shown:
    """Features of one thing that is held up: before, while it comes, and while it is held."""

    empty: Features
    coming: Features
    held: Features


@pytest.fixture(scope="module")
def things() -> dict[str, Shown]:
    backbone = load_backbone("built-in")
    camera = DemoCamera(fps=15.0, paced=False)
    frames = iter(camera)

    def settle() -> Features:
        passed = [next(frames).image]
        while not camera.settled:
            passed.append(next(frames).image)
        return backbone.extract(passed[-7:])

    def take(count: int) -> Features:
        return backbone.extract([frame.image for frame in islice(frames, count)])

    shown = {}
    for name in TAUGHT[:2]:
        camera.present(None)
        settle()
        empty = take(EMPTY)
        camera.present(name)
        shown[name] = Shown(empty, settle(), take(HELD))
    return shown


def bursts(**recorded: list[Features]) -> FeatureSet:
    """Make each class's features one burst, one part after the other."""
    features = {name: np.concatenate(parts) for name, parts in recorded.items()}
    sizes = [len(rows) for rows in features.values()]
    return FeatureSet(
        np.concatenate(list(features.values())),
        np.repeat(np.arange(len(sizes)), sizes),
        np.repeat([f"{name}-1" for name in features], sizes),
        tuple(features),
    )


def suspected(feature_set: FeatureSet) -> list[int]:
    return list(map(int, np.flatnonzero(shown_classes(feature_set) != feature_set.class_ids)))


def test_bursts_of_two_classes_that_begin_with_the_same_empty_scene(
    things: dict[str, Shown],
) -> None:
    recorded = {name: [one.empty, one.coming, one.held] for name, one in things.items()}
    feature_set = bursts(**recorded)
    for class_id in range(2):
        shown = shown_classes(feature_set)[feature_set.class_ids == class_id]
        assert (shown[:EMPTY] == NO_CLASS).all()
        assert HALF_SEEN in shown[EMPTY:-HELD]
        assert (shown[-HELD + 1 :] == class_id).all()


def test_bursts_that_end_with_it(things: dict[str, Shown]) -> None:
    feature_set = bursts(**{name: [one.held, one.empty] for name, one in things.items()})
    last = [*range(HELD, HELD + EMPTY), *range(2 * HELD + EMPTY, 2 * (HELD + EMPTY))]
    assert suspected(feature_set) == last


def test_one_burst_that_begins_with_the_background(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    feature_set = bursts(mug=[mug.empty, mug.held], leaf=[leaf.held], background=[leaf.empty])
    assert suspected(feature_set) == list(range(EMPTY))
    assert (shown_classes(feature_set)[:EMPTY] == 2).all()


def test_a_class_of_the_empty_scene_may_have_any_name(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    feature_set = bursts(mug=[mug.empty, mug.held], leaf=[leaf.held], none=[leaf.empty])
    assert suspected(feature_set) == list(range(EMPTY))
    assert (shown_classes(feature_set)[:EMPTY] == 2).all()


def test_nobody_can_tell_it_by_one_burst_alone(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    assert suspected(bursts(mug=[mug.empty, mug.held], leaf=[leaf.held])) == []
    assert suspected(bursts(mug=[mug.empty, mug.held])) == []


def test_nor_where_most_of_the_burst_is_empty(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    long_empty = [mug.empty, mug.empty[::-1]]
    feature_set = bursts(mug=[*long_empty, mug.held[:8]], background=[leaf.empty])
    assert suspected(feature_set) == []


def test_what_shows_the_thing_from_the_start_is_left_alone(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    assert suspected(bursts(mug=[mug.held], leaf=[leaf.held], background=[leaf.empty])) == []
    assert suspected(clusters(bursts=3)) == []
    assert suspected(clusters(bursts=1, spread=0.5)) == []


def test_a_thing_that_comes_nearer_is_not_cut(things: dict[str, Shown]) -> None:
    mug, leaf = things.values()
    share = np.linspace(0.5, 1.0, EMPTY, dtype=np.float32)[:, None]
    near = {
        name: [share * one.held[:EMPTY] + (1 - share) * one.empty, one.held]
        for name, one in things.items()
    }
    assert suspected(bursts(**near, background=[np.concatenate([mug.empty, leaf.empty])])) == []


def test_the_background_and_pictures_that_were_added_one_by_one_are_not_suspected(
    things: dict[str, Shown],
) -> None:
    mug, leaf = things.values()
    begins = bursts(mug=[mug.empty, mug.held], background=[mug.held[:2], leaf.empty, mug.empty])
    assert begins.class_names[1] == BACKGROUND
    assert suspected(begins) == list(range(EMPTY))
    alone = np.arange(len(begins)).astype(np.str_)
    assert suspected(replace(begins, burst_ids=alone)) == []


def test_a_frame_that_was_reviewed_is_taken_at_its_word(things: dict[str, Shown]) -> None:
    feature_set = bursts(**{name: [one.empty, one.held] for name, one in things.items()})
    found = suspected(feature_set)
    reviewed = np.zeros(len(feature_set), np.bool_)
    reviewed[found[0]] = True
    assert suspected(replace(feature_set, reviewed=reviewed)) == found[1:]
    left = replace(feature_set, reviewed=reviewed).subset(np.array(found))
    assert left.reviewed is not None
    assert left.reviewed.tolist() == [True] + [False] * (len(found) - 1)


def test_the_empty_room_is_unknown_and_the_threshold_stays_where_it_was(
    things: dict[str, Shown],
) -> None:
    clean = bursts(**{name: [one.held] for name, one in things.items()})
    spoilt = bursts(**{name: [one.empty, one.coming, one.held] for name, one in things.items()})
    room = things["leaf"].empty
    as_it_came = replace(spoilt, reviewed=np.ones(len(spoilt), np.bool_))
    fooled, trained, best = (train(each) for each in (as_it_came, spoilt, clean))
    assert not any(answer.unknown for answer in fooled.predict(room))
    assert all(answer.unknown for answer in trained.predict(room))
    assert fooled.unknown is not None
    assert trained.unknown is not None
    assert best.unknown is not None
    assert trained.unknown.threshold > fooled.unknown.threshold + 0.05
    assert trained.unknown.threshold == pytest.approx(best.unknown.threshold, abs=0.03)
    assert without_empty_frames(clean) is clean
