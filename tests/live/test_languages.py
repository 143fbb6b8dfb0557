"""Whatever is done in the window, all that it says can be said in another language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.live_session import LiveSession

from edge_classifier.languages.language import Language
from edge_classifier.languages.text import Text
from edge_classifier.live.view import View
from edge_classifier.project.store import ProjectStore


def said(view: View) -> Iterator[str]:
    """Give all that a view says and that is no name."""
    yield from (view.activity.text, view.hint, view.quality, view.tag)
    yield from (meaning for _, meaning, _ in view.help_lines)
    yield from (button.text for button in view.buttons)
    if view.message:
        yield view.message.text
    if view.prompt:
        yield from (view.prompt.title, view.prompt.note, view.prompt.error or "")
    if view.gallery:
        yield from (view.gallery.title, view.gallery.detail, view.gallery.note)
        for row in view.gallery.rows:
            yield from (row.heading, *(picture.text for picture in row.pictures))


ACTIONS = (
    *("h", "h", "n", "escape", "+", "escape", "w", "9", "b", "z", "u", "z", "x", "y", "u"),
    *(
        "down",
        "n",
        "backspace",
        "enter",
        "m",
        "m",
        "y",
        "y",
        "[",
        "]",
        "i",
        "p",
        "p",
        "v",
        "x",
        "k",
    ),
    *("z", "v", "a", "a", "escape", "f", "t", "escape", "s", "escape", "e", "l", "l", "r", "q"),
)


def test_all_that_is_said_while_everything_is_done_is_in_the_tables(
    store: ProjectStore, tmp_path: Path
) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    live.session.is_demo = True
    views = [live.view]
    for key, thing in (("1", 1), ("2", 2), ("1", 1), ("3", 3), ("8", 8)):
        views += [live.hold(key, thing), live.frame()]
    for key in ACTIONS:
        views += [live.type(key), live.wait(0.4)]
    sentences = {text for view in views for text in said(view) if text}
    assert len(sentences) > 60
    assert sorted(text for text in sentences if not isinstance(text, Text)) == []


@pytest.mark.parametrize("name", ["", "mug", "MUG", "a/b", "what?", "unknown", ".mug", "con"])
def test_why_a_name_is_refused_is_said_in_each_language(live: LiveSession, name: str) -> None:
    live.hold("1", thing=1)
    live.type("n", *"mug", "enter", "+", *name, "enter")
    assert live.view.prompt is not None
    error = live.view.prompt.error
    assert error
    for code in ("de", "fr"):
        assert Language.load(code).of(error) != error


def test_why_nothing_can_be_changed_is_said_in_each_language(store: ProjectStore) -> None:
    live = LiveSession(ProjectStore.open_or_create(store.path, as_possible=True))
    live.type("b")
    assert live.message.startswith(f"{store.path} is read-only (it is open in another")
    assert live.view.message is not None
    german = Language.load("de").of(live.view.message.text)
    assert german.startswith(f"{store.path} ist schreibgeschützt (es ist in einem anderen")
