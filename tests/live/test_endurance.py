"""A long session: nothing may grow with what was recorded and taken back again."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from support.live_session import LiveSession

from edge_classifier.live.display import Press
from edge_classifier.live.session import SessionSettings
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.text import TextRenderer
from edge_classifier.values import Sample


@pytest.fixture
def live(tmp_path: Path) -> LiveSession:
    settings = SessionSettings(samples_per_second=30.0)
    store = ProjectStore.create(tmp_path / "project", ["mug", "phone"])
    live = LiveSession(store, settings=settings)
    for key in "12":
        live.hold(key, thing=int(key), seconds=0.7)
    return live


def tap_and_undo(live: LiveSession, times: int) -> None:
    for _ in range(times):
        live.thing = live.index
        live.type("1", "u")


def living_samples() -> int:
    gc.collect()
    return sum(isinstance(thing, Sample) for thing in gc.get_objects())


def test_features_of_what_was_undone_do_not_pile_up(live: LiveSession) -> None:
    samples = len(live.session.dataset.samples)
    known = []
    for _ in range(7):
        live.frame(Press("1"))
        for _ in range(119):
            live.thing = live.index  # every picture is another one
            live.frame()
        live.type("u")
        table = live.session.learner._features.table
        assert table is not None
        known.append(len(table))
    assert max(known) <= 2 * (samples + 60) + 256
    assert known != sorted(known)  # it was cut back at least once
    assert live.wait(0.5).banner is not None


def test_samples_that_were_undone_do_not_pile_up(live: LiveSession) -> None:
    tap_and_undo(live, 36)
    before = living_samples()
    tap_and_undo(live, 8)
    assert living_samples() <= before + 5


def test_hashes_of_what_was_undone_do_not_pile_up(live: LiveSession) -> None:
    samples = len(live.session.dataset.samples)
    tap_and_undo(live, 3)
    live.type("+", *"passing", "enter")
    live.hold(" ", thing=9, seconds=0.7)
    live.type("x", "y")
    assert len(live.session.dataset.samples) == samples
    assert len(live.store._samples._index._current) == samples


def test_lines_that_were_drawn_are_not_all_kept() -> None:
    text = TextRenderer()
    for number in range(600):
        text.width(f"{number} fps", 13)
    assert text._widths.cache_info().currsize <= 256
