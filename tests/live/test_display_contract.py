"""What every display does: the fake, the window and the page."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from support.fakes import FakeDisplay
from support.views import view
from support.visiting import Guest, page_on_free_port, wait_until

from edge_classifier.live.display import CLOSE, Display, Event, Press, Release
from edge_classifier.screen.sdl import pygame
from edge_classifier.screen.window import Window


@dataclass
class Tried:
    """A display, and what presses a key of it and lets go of it."""

    display: Display
    press: Callable[[], object]
    release: Callable[[], object]

    def heard(self, count: int) -> list[Event]:
        """Wait until so many events were heard."""
        events: list[Event] = []

        def enough() -> bool:
            events.extend(self.display.events())
            return len(events) >= count

        wait_until(enough)
        return events


def fake() -> Tried:
    display = FakeDisplay(itertools.repeat(None))
    return Tried(
        display,
        lambda: display.happens(Press("u", "u")),
        lambda: display.happens(Release("u")),
    )


def window() -> Tried:
    display = Window("under test")
    key = {"key": pygame.K_u, "scancode": pygame.KSCAN_U, "unicode": "u", "mod": 0}
    return Tried(
        display,
        lambda: pygame.event.post(pygame.Event(pygame.KEYDOWN, key)),
        lambda: pygame.event.post(pygame.Event(pygame.KEYUP, key)),
    )


def page() -> Tried:
    display = page_on_free_port()
    display.show(view())
    guest = Guest(display)
    guest.see(lambda words: bool(words["you"]["teaching"]))
    return Tried(
        display,
        lambda: guest.say({"type": "press", "name": "u", "text": "u"}),
        lambda: guest.say({"type": "release", "name": "u"}),
    )


@pytest.fixture(params=[fake, window, page])
def tried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # which has a window, and no screen
    made: Tried = request.param()
    yield made
    made.display.close()


def test_a_key_that_is_pressed_and_let_go_is_heard_once_each(tried: Tried) -> None:
    tried.display.show(view())
    assert tried.display.events() == []
    tried.press()
    assert tried.heard(1) == [Press("u", "u")]
    tried.release()
    assert tried.heard(1) == [Release("u")]
    assert tried.display.events() == []


def test_views_are_shown_at_any_time_also_after_it_was_closed(tried: Tried) -> None:
    for hint in ("one", "two"):
        tried.display.show(view(hint=hint))
    tried.display.close()
    tried.display.show(view())


def test_once_closed_it_says_so_whenever_it_is_asked(tried: Tried) -> None:
    tried.display.close()
    tried.display.close()
    for _ in range(2):
        assert list(tried.display.events())[-2:] == [Press(CLOSE), Release(CLOSE)]
