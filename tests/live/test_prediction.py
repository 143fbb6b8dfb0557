"""What is shown of the newest verdict, and for how long."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from support.live_session import RUNNING, LiveSession

from edge_classifier.live.session import SessionSettings

if TYPE_CHECKING:
    from edge_classifier.project.store import ProjectStore


def test_numbers_stay_long_enough_to_be_read(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    numbers = []
    for n in range(30):
        live.light = n
        banner = live.frame().banner
        assert banner is not None
        numbers.append(banner.similarity)
    changes = [n for n in range(1, 30) if numbers[n] != numbers[n - 1]]
    assert 5 <= len(changes) <= 10
    assert {later - one for one, later in pairwise(changes)} <= {3, 4}


def test_another_label_is_shown_with_its_very_frame(store: ProjectStore) -> None:
    live = LiveSession(store, settings=SessionSettings(smoothing_s=0.0))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    for n in range(20):
        live.thing = 1 + n % 2
        live.frame()
        assert live.label == ("mug", "phone")[n % 2]


def test_the_numbers_of_a_picture_that_stands_still_are_its_own(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.light = 40
    live.frame()
    live.light = 60
    live.frame()
    live.clock.advance(0.2)
    view = live.session.step(None, None, RUNNING)
    assert view.banner is not None
    assert live.session._live.prediction is not None
    assert view.banner.similarity == live.session._live.prediction.similarity
