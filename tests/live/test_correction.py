"""W: a frame whose verdict was wrong becomes a sample of the right class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, scene

from edge_classifier.live.display import Press
from edge_classifier.live.view import Mode
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def live(tmp_path: Path) -> LiveSession:
    live = LiveSession(ProjectStore.create(tmp_path / "project", ["mug", "phone"]))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    return live


def test_the_frame_is_frozen_when_w_is_pressed_and_the_live_picture_goes_on(
    live: LiveSession,
) -> None:
    live.thing = 1
    shown = live.wait(1.0).image
    live.type("w")
    live.thing = 2
    live.wait(1.0)
    assert live.view.mode is Mode.CORRECTING
    assert live.view.prompt is not None
    assert live.view.prompt.title == "mug is wrong. What is it?"
    assert live.view.prompt.picture is shown
    assert live.label == "phone"


def test_the_frozen_frame_becomes_a_burst_of_its_own_on_disk_at_once(live: LiveSession) -> None:
    live.thing = 7
    live.wait(1.0)
    frozen = scene(7, live.index - 1)
    live.type("w")
    live.thing = 1
    live.wait(1.0)
    before = live.store.samples()
    live.type("2")
    with ProjectStore.open(live.store.path, read_only=True) as other:
        (added,) = set(other.samples()) - set(before)
        assert added.class_name == "phone"
        assert added.burst_id > max(sample.burst_id for sample in before)
        stored = read_image(added.path).astype(int)
    assert np.abs(stored - frozen).mean() < 12  # as JPEG leaves it
    assert live.view.mode is Mode.LIVE


def test_unknown_is_corrected_and_known_from_then_on(live: LiveSession) -> None:
    live.thing = 50
    live.wait(1.0)
    assert live.label == "unknown"
    live.type("w", "2")
    live.frame()
    assert live.message == "corrected: unknown → phone; learning it now, U takes it back"
    live.wait(1.0)
    assert live.label == "phone"


def test_training_starts_at_once(tmp_path: Path) -> None:
    executor = ManualExecutor()
    live = LiveSession(ProjectStore.create(tmp_path / "other", ["mug", "phone"]), executor)
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
        executor.run_all()
        live.frame()
    executor.run_all()
    live.type("w", "2")
    live.frame()
    assert live.view.activity.text == "training"


def test_u_takes_a_correction_back(live: LiveSession) -> None:
    before = live.store.samples()
    live.type("w", "1")
    assert len(live.store.samples()) == len(before) + 1
    live.type("u")
    assert live.store.samples() == before
    assert live.message == "undone: 1 picture of mug; Z puts it back"


def test_escape_corrects_nothing(live: LiveSession) -> None:
    before = live.store.samples()
    live.type("w", "escape")
    assert live.view.mode is Mode.LIVE
    assert live.store.samples() == before


def test_the_right_class_may_be_the_selected_one_the_background_or_a_new_one(
    live: LiveSession,
) -> None:
    live.type("w", "down", "down", " ")
    live.wait(1.0)
    live.type("w", "b")
    live.wait(1.0)
    live.type("w", "3")
    counts = {card.name: card.count for card in live.view.cards}
    assert counts["background"] == counts["class 3"] == 1
    assert sum(counts.values()) == len(live.store.samples())


def test_a_key_without_a_class_is_said_and_can_be_put_right(live: LiveSession) -> None:
    live.type("w", "8")
    assert live.view.prompt is not None
    assert live.view.prompt.error == "no class has key 8 yet: press another one"
    live.type("2")
    assert live.view.mode is Mode.LIVE


def test_a_key_that_is_held_corrects_once_and_records_nothing(live: LiveSession) -> None:
    before = len(live.store.samples())
    live.type("w")
    live.hold("2", thing=2, seconds=2.0)
    assert len(live.store.samples()) == before + 1
    live.hold("2", thing=2)
    assert len(live.store.samples()) > before + 10


def test_w_that_is_held_asks_once(live: LiveSession) -> None:
    live.hold("w", thing=1, seconds=2.0)
    assert live.view.mode is Mode.CORRECTING


def test_a_burst_that_is_running_ends_where_w_is_pressed(live: LiveSession) -> None:
    live.frame(Press("1"))
    live.type("w")
    assert not live.view.activity.recording


def test_without_a_picture_there_is_nothing_to_correct(tmp_path: Path) -> None:
    live = LiveSession(ProjectStore.create(tmp_path / "new"))
    view = live.session.step(None, Press("w"))
    assert view.mode is Mode.LIVE
    assert view.message is not None
    assert "no picture to correct" in view.message.text


def test_what_cannot_be_stored_is_said_and_the_question_stays(live: LiveSession) -> None:
    folder = live.store.path / "samples" / "phone"
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")  # works for root as well, unlike permissions
    live.type("w", "2")
    assert live.view.prompt is not None
    assert live.view.prompt.error is not None
    assert "phone" in live.view.prompt.error
