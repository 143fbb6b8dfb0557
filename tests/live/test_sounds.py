"""What is to be heard is counted; a display plays it."""

from __future__ import annotations

import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, teach_two

from edge_classifier.live.session import SessionSettings
from edge_classifier.live.view import Sounds
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def executor() -> ManualExecutor:
    return ManualExecutor()


@pytest.fixture
def audible(store: ProjectStore, executor: ManualExecutor) -> LiveSession:
    return LiveSession(store, executor=executor, settings=SessionSettings(sounds=True))


def heard(live: LiveSession) -> Sounds:
    sounds = live.view.sounds
    assert sounds is not None
    return sounds


def test_it_is_quiet_until_sounds_are_switched_on(live: LiveSession) -> None:
    assert live.view.sounds is None
    live.type("l")
    assert live.frame().sounds is not None
    live.type("l")
    assert live.frame().sounds is None


def test_each_picture_that_is_recorded_is_heard_and_nothing_else(
    audible: LiveSession, store: ProjectStore
) -> None:
    assert heard(audible).recorded == 0
    audible.tap("1")
    assert heard(audible).recorded == 1
    audible.hold("2", 2)
    count = len(store.samples())
    assert heard(audible).recorded == count
    audible.type("u", "z")  # away and back again
    assert len(store.samples()) == count
    assert heard(audible).recorded == count


def test_a_new_label_is_heard_once(audible: LiveSession, executor: ManualExecutor) -> None:
    teach_two(audible, executor)
    audible.thing = 1
    audible.wait(2.0)
    before = heard(audible).labels
    audible.wait(2.0)
    assert heard(audible).labels == before, "it is still the same"
    audible.thing = 2
    audible.wait(2.0)
    assert audible.view.banner is not None
    assert audible.view.banner.label == "phone"
    assert heard(audible).labels == before + 1
