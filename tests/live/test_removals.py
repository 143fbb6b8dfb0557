"""What U and Z do, one after the other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, scene, settle

from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def live(tmp_path: Path) -> LiveSession:
    live = LiveSession(ProjectStore.create(tmp_path / "project", ["mug", "phone"]))
    for key, thing in (("1", 1), ("2", 2), ("3", 3)):
        live.hold(key, thing)
    return live


def counts(live: LiveSession) -> dict[str, int]:
    return {card.name: card.count for card in live.view.cards}


def remove(live: LiveSession, class_name: str) -> None:
    while live.session.view().cards and not any(
        card.selected and card.name == class_name for card in live.view.cards
    ):
        live.type("down")
    live.type("x", "y")


@pytest.mark.parametrize("key", ["u", "z"])
def test_a_class_that_was_removed_comes_back_and_is_predicted_again(
    live: LiveSession, key: str
) -> None:
    before = counts(live)
    remove(live, "phone")
    assert list(counts(live)) == ["mug", "class 3"]
    live.type(key)
    assert counts(live) == before
    assert live.message.startswith("phone is back with its ")
    live.thing = 2
    live.wait(1.0)
    assert live.view.banner is not None
    assert live.view.banner.label == "phone"


def test_the_question_says_that_a_removal_can_be_undone(live: LiveSession) -> None:
    live.type("down", "x")
    assert live.view.prompt is not None
    assert "U puts it back" in live.view.prompt.note


def test_what_was_recorded_since_is_undone_first(live: LiveSession) -> None:
    before = counts(live)
    remove(live, "phone")
    live.hold("1", thing=1)
    live.type("u")
    assert counts(live) == {"mug": before["mug"], "class 3": before["class 3"]}
    live.type("u")
    assert counts(live) == before
    live.type("u")
    assert counts(live) == {**before, "class 3": 0}


def test_several_removals_come_back_the_last_one_first(live: LiveSession) -> None:
    before = counts(live)
    remove(live, "phone")
    remove(live, "mug")
    live.type("u")
    assert list(counts(live)) == ["mug", "class 3"]
    live.type("u")
    assert counts(live) == before


def test_an_undone_burst_is_put_back_by_z_and_not_by_u(live: LiveSession) -> None:
    before = counts(live)
    live.type("u")
    assert counts(live)["class 3"] == 0
    live.type("u")
    assert counts(live)["phone"] == 0
    live.type("z", "z")
    assert counts(live) == before
    live.type("z")
    assert live.message == "nothing was removed since the window was opened"


def test_pictures_come_back_to_a_class_that_was_renamed(live: LiveSession) -> None:
    before = counts(live)
    live.type("u")
    live.type("down", "down", "down", "n", "tab", *["backspace"] * 7, *"pen", "enter")
    assert counts(live)["pen"] == 0
    live.type("z")
    assert counts(live)["pen"] == before["class 3"]


def test_a_name_that_was_taken_meanwhile_is_said_and_nothing_is_lost(live: LiveSession) -> None:
    before = counts(live)
    remove(live, "phone")
    live.type("n", *"PHONE", "enter", "u")
    assert "PHONE" in live.message
    live.type("n", "tab", *["backspace"] * 5, *"cup", "enter", "u")
    assert counts(live)["phone"] == before["phone"]


@pytest.mark.parametrize("key", ["u", "z"])
def test_what_somebody_has_deleted_from_the_trash_is_not_in_the_way_of_the_rest(
    live: LiveSession, key: str
) -> None:
    remove(live, "mug")
    kept = live.store.path / "kept"
    (live.store.path / "trash").rename(kept)
    remove(live, "phone")
    shutil.rmtree(live.store.path / "trash")
    kept.rename(live.store.path / "trash")
    live.type(key)
    assert "no longer in" in live.message
    live.type(key)
    assert live.message.startswith("mug is back with its ")


def test_what_was_away_while_its_features_were_computed_is_learned_once_it_is_back(
    tmp_path: Path,
) -> None:
    store = ProjectStore.create(tmp_path / "project", ["mug", "phone"])
    for name, thing in (("mug", 1), ("phone", 2)):
        burst_id = store.next_burst_id()
        for index in range(6):
            store.add_sample(encode_image(scene(thing, index)), name, burst_id)
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_next()  # the backbone is loaded
    live.frame()  # the worker is asked for the features
    live.type("u")
    executor.run_all()  # the phones are in the trash
    live.wait(0.5)
    live.type("z")
    settle(live, executor)
    model = live.session.learner.model
    assert model is not None
    assert set(model.class_names) == {"mug", "phone"}


def test_a_training_that_was_stopped_leaves_what_was_known_of_the_model_before(
    tmp_path: Path,
) -> None:
    store = ProjectStore.create(tmp_path / "project", ["mug", "phone"])
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing, seconds=0.9)
        settle(live, executor)
    assert live.session.learner.validation is not None
    live.type("t", "escape")
    settle(live, executor)
    assert live.session.learner.validation is not None
