"""Where no project is named, one of those that are there is offered beside a new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from support.fakes import FakeDisplay

from edge_classifier.live.display import CLOSE, Press
from edge_classifier.live.opening import Opening, choose_project, described
from edge_classifier.live.view import Mode
from edge_classifier.project.known import KnownProject


def local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone()


NOW = local("2026-11-30 15:00")
KNOWN = [
    KnownProject(Path("/home/mugs"), 3, local("2026-11-29 14:02").timestamp()),
    KnownProject(Path("/home/leaves"), 1, local("2026-11-30 09:05").timestamp()),
]
NEW = Path("/home/projects/2026-11-30-1")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (local("2026-11-30 00:01"), "2 classes, today 00:01"),
        (local("2026-11-29 23:59"), "2 classes, yesterday 23:59"),
        (local("2026-11-28 23:59"), "2 classes, 2026-11-28 23:59"),
        (local("2026-12-01 08:00"), "2 classes, 2026-12-01 08:00"),
    ],
)
def test_when_a_project_was_changed_is_said_as_people_do(changed: datetime, said: str) -> None:
    assert described(KnownProject(NEW, 2, changed.timestamp()), NOW) == said


def test_one_class_is_one_class_wherever_the_clock_is() -> None:
    now = datetime(2026, 11, 30, 15, 0, tzinfo=timezone.utc)
    assert described(KnownProject(NEW, 1, 0.0), now).startswith("1 class, 19")


def test_each_is_shown_with_its_key_and_the_last_one_is_marked() -> None:
    view = Opening(KNOWN, NEW, NOW).view()
    assert view.mode is Mode.CHOOSING
    assert view.menu is not None
    assert [(c.press, c.text, c.detail) for c in view.menu.choices] == [
        ("1", "mugs", "3 classes, yesterday 14:02"),
        ("2", "leaves", "1 class, today 09:05"),
        ("n", "A new project", ""),
    ]
    assert view.menu.chosen == 0


def test_a_time_that_no_calendar_has_is_left_out() -> None:
    strange = replace(KNOWN[0], classes=3, changed_s=1e15)
    assert described(strange, NOW) == "3 classes"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["enter"], KNOWN[0].path),
        (["1"], KNOWN[0].path),
        (["2"], KNOWN[1].path),
        (["n"], NEW),
        (["down", "enter"], KNOWN[1].path),
        (["up", "enter"], NEW),
        (["tab", "tab", "tab", "enter"], KNOWN[0].path),
        (["3", "x", "f1", "2"], KNOWN[1].path),
        (["q"], None),
        (["escape"], None),
        ([CLOSE], None),
        ([Press("enter", repeated=True), "n"], NEW),
    ],
)
def test_keys_choose_a_project_or_none(keys: list[str | Press], path: Path | None) -> None:
    display = FakeDisplay(keys)
    assert choose_project(display, KNOWN, NEW, wait=lambda _: None) == path
