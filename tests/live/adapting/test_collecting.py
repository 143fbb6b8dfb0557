"""A: the window adapts to another light, says what it needs and did, and takes it back."""

from __future__ import annotations

import pytest
from support.adapting_session import familiar, frames_on_disk, messages, opened, show, teach_by_hand
from support.fakes import ManualExecutor
from support.live_session import LiveSession, settle

from edge_classifier.device.adaptation import ENOUGH
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.adaptation_file import NAME
from edge_classifier.live.adapting import SUGGESTED_S
from edge_classifier.live.display import Press
from edge_classifier.live.view import Level
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import BACKGROUND


def test_it_adapts_by_itself_once_every_class_was_seen_and_says_what_changed(
    live: LiveSession, store: ProjectStore
) -> None:
    before = familiar(live, 1), familiar(live, 2)
    live.type("a")
    show(live, 1)
    assert "phone: 0 of 8" in live.view.hint
    assert "show phone" in live.view.hint
    assert frames_on_disk(store) is None
    show(live, 2)
    assert live.message.startswith("looked ")
    assert "2 of 2 classes seen" in live.message
    assert "U takes it back" in live.message
    assert live.view.activity.text.startswith("adapted")
    assert frames_on_disk(store) is not None
    assert familiar(live, 1) > before[0]
    assert familiar(live, 2) > before[1]


def test_while_it_collects_it_says_how_much_of_what_it_has(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    assert live.view.activity.text.startswith("adapting · ")
    assert live.view.activity.progress == pytest.approx(0.5)
    assert live.view.hint.endswith("A applies · Esc gives up")


def test_a_applies_before_that_with_what_there_is(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    show(live, 2, light=range(44, 54, 2))
    assert frames_on_disk(live.store) is None
    live.type("a")
    live.wait(0.1)
    assert "2 of 2 classes seen" in live.message


def test_what_was_shown_in_another_part_of_the_picture_does_not_count(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    assert "mug: 8" in live.view.hint
    live.type("r", "-", "enter")
    assert "mug: 0" in live.view.hint


def test_holding_the_key_is_one_press(live: LiveSession) -> None:
    live.frame(Press("a"))
    for _ in range(10):
        live.frame(Press("a", repeated=True))
    assert live.view.activity.text.startswith("adapting")
    assert live.message == "show each class as it looks now"


def test_too_little_is_told_in_one_line_and_more_can_be_shown(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    live.type("a")
    live.wait(0.1)
    assert live.message.startswith("Adapting needs 3 pictures each of 2 classes")
    assert live.view.message is not None
    assert live.view.message.level is Level.WARNING
    assert frames_on_disk(live.store) is None
    show(live, 2)
    assert "2 of 2 classes seen" in live.message


def test_strangers_move_nothing_and_that_is_said(live: LiveSession) -> None:
    live.type("a")
    show(live, 3)
    assert "nothing here resembles what was taught" in live.view.hint
    live.type("a")
    live.wait(0.1)
    assert "resembles what was taught; show the classes themselves" in live.message
    assert live.view.message is not None
    assert live.view.message.level is Level.WARNING
    assert frames_on_disk(live.store) is None


def test_escape_gives_up(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    live.type("escape")
    assert live.message == "not adapted; all is as it was"
    show(live, 1, 2)
    assert frames_on_disk(live.store) is None
    assert live.view.activity.text.startswith("trained")


def test_what_cannot_be_written_is_said_and_changes_nothing(
    live: LiveSession, store: ProjectStore
) -> None:
    before = familiar(live, 1)
    (store.model_folder / NAME).mkdir()
    live.type("a")
    show(live, 1, 2)
    assert live.view.message is not None
    assert live.view.message.level is Level.ERROR
    assert NAME in live.message
    assert familiar(live, 1) == pytest.approx(before, abs=1e-5)


def test_where_it_could_not_be_written_a_tries_again_with_the_same_frames(
    live: LiveSession, store: ProjectStore
) -> None:
    kept = store.model_folder / NAME
    kept.mkdir()
    live.type("a")
    show(live, 1, 2)
    assert live.view.hint.endswith("A applies · Esc gives up")
    kept.rmdir()
    live.type("a")
    live.wait(0.1)
    assert "2 of 2 classes seen" in live.message
    assert frames_on_disk(store) is not None


def test_before_training_there_is_nothing_to_adapt(
    store: ProjectStore, strangers: Strangers
) -> None:
    live = opened(store, strangers)
    live.type("a")
    assert "needs a trained model" in live.message


def test_the_picture_goes_on_while_the_worker_adapts(
    store: ProjectStore, strangers: Strangers
) -> None:
    executor = ManualExecutor()
    live = teach_by_hand(store, strangers, executor)
    live.type("a")
    show(live, 1, 2)
    assert live.view.activity.text == "adapting"
    assert live.label is not None
    live.type("escape")
    assert "U takes it back" in live.message
    settle(live, executor)
    assert live.view.activity.text.startswith("adapted")


def test_the_empty_scene_is_enough_although_it_never_changes(
    live: LiveSession, store: ProjectStore
) -> None:
    live.hold("b", thing=5)
    live.wait(0.2)
    live.type("a")
    show(live, 1, 2)
    assert f"{BACKGROUND}: 1 of {ENOUGH}" in live.view.hint  # seen in passing
    assert "show the empty scene" in live.view.hint
    show(live, 5, light=range(44, 45))
    live.wait(1.5)
    assert "3 of 3 classes seen" in live.message
    assert frames_on_disk(store) is not None


def test_another_light_is_noticed_once_and_the_light_it_was_taught_in_is_not(
    live: LiveSession,
) -> None:
    dim = range(0, 30, 2)
    show(live, 1, 2, light=range(1))
    live.wait(30.0)
    assert "A adapts" not in live.view.hint
    for light in (range(60, 90, 2), dim, range(60, 90, 2)):
        show(live, 1, 2, light=light)
    assert live.view.hint == "the light or the place has changed: A adapts to it"
    live.wait(SUGGESTED_S)
    assert "A adapts" not in live.view.hint
    show(live, 1, 2, light=range(60, 90, 2))
    assert "A adapts" not in live.view.hint


def test_what_is_recorded_meanwhile_does_not_end_it(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    live.light = 0
    live.hold("1", thing=1, seconds=0.9)
    live.wait(0.5)
    assert live.view.activity.text.startswith("adapting")


def test_it_ends_when_the_classes_change(live: LiveSession, store: ProjectStore) -> None:
    live.type("a")
    show(live, 1)
    live.light = 0
    live.tap("w")
    live.type("3")  # corrected: it is a third class
    assert "adapting has ended: classes or network are others now" in messages(live)
    show(live, 1, 2)
    assert frames_on_disk(store) is None
    assert live.session.problem == ""


def test_what_is_being_adapted_ends_with_the_classes_that_it_was_collected_for(
    store: ProjectStore, strangers: Strangers
) -> None:
    executor = ManualExecutor()
    live = teach_by_hand(store, strangers, executor)
    live.type("a")
    show(live, 1, 2)
    assert live.view.activity.text == "adapting"
    live.light = 0
    live.thing = 3
    live.type("3")  # a third class
    assert "adapting has ended" in messages(live, 2.0)
    settle(live, executor)
    assert frames_on_disk(store) is None
    assert live.view.activity.text.startswith("trained")


def test_undo_while_it_collects_stops_that_and_removes_no_picture(
    live: LiveSession, store: ProjectStore
) -> None:
    pictures = len(store.samples())
    live.type("a")
    show(live, 1)
    live.type("u")
    assert live.message == "not adapted; all is as it was"
    assert len(store.samples()) == pictures


def test_it_asks_for_more_of_what_is_before_the_camera_until_there_is_enough(
    live: LiveSession,
) -> None:
    live.type("a")
    show(live, 1, light=range(40, 46, 2))
    assert "turn mug" in live.view.hint
    show(live, 1)
    assert "show phone" in live.view.hint
