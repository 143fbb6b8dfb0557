"""A window on the screen, by SDL."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from edge_classifier.device.console import as_text
from edge_classifier.errors import NoDisplayError
from edge_classifier.live.display import CLOSE, Drag, Press, Release
from edge_classifier.live.view import Mode
from edge_classifier.project.classes import PALETTE
from edge_classifier.screen.canvas import CARD
from edge_classifier.screen.keys import key_name
from edge_classifier.screen.lost_screen import tell_lost_screen
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay
from edge_classifier.screen.sdl import begin, copy_onto, pygame
from edge_classifier.screen.text import TextRenderer

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from edge_classifier.device.frame import Clock
    from edge_classifier.languages.language import Language
    from edge_classifier.live.display import Event, Room
    from edge_classifier.live.view import View

_REPEAT_AFTER_S: Final = 0.45
_REPEAT_EVERY_S: Final = 0.05
_REPEATED: Final = frozenset(
    {"backspace", "left", "right", "up", "down", "pageup", "pagedown", "tab"}
)
"""Keys that go on while they are held. Text is repeated by the system, and dropped."""

_BUTTON: Final = (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP)
_LEAST: Final = (320, 240)
_OF_SCREEN: Final = 0.91
"""Of the screen's width and height a window takes at most, to leave room for panels."""
_PIXELS_HIGH: Final = 1080
"""A screen with more rows than this is taken for one with smaller pixels."""


class Window:
    """Draws views and hears keys, mouse and fingers.

    What is pressed while another program's window has the keyboard is nobody's business here, so
    all is let go when that is lost.

    Args:
        title: For the window's bar.
        clock: Seconds, of which the repetition of keys is measured.
        language: In which the texts of views and its own are shown; English by default.

    Raises:
        NoDisplayError: if there is no screen.
    """

    def __init__(
        self, title: str, clock: Clock = time.monotonic, language: Language | None = None
    ) -> None:
        # Pictures are small: sharing one among threads costs more, as these wait in busy loops.
        cv2.setNumThreads(1)
        self._clock = clock
        self._language = language
        _choose_driver(os.environ)
        try:
            begin()
            screen = pygame.display.get_desktop_sizes()[0]
            size = opening_size(screen)
            self._window = pygame.Window(as_text(title), size, resizable=True, allow_high_dpi=True)
            surface = self._window.get_surface()
        except pygame.error as error:
            pygame.display.quit()
            raise NoDisplayError(f"There is no screen: {error}.") from error
        tell_lost_screen()
        if size[0] >= screen[0] or size[1] >= screen[1]:
            self._window.maximize()  # where there are panels, they are left in sight
        self._window.minimum_size = _LEAST
        self._window.set_icon(_icon())
        self._fonts = TextRenderer()
        self._overlay = Overlay(_drawn_size(surface), self._fonts, language)
        self._down: dict[int | str, str] = {}
        """What is pressed, by scan code, and what the mouse presses, by `mouse`."""
        self._text_down: set[str] = set()
        self._repeat: tuple[str, float] | None = None
        self._mode = Mode.LIVE
        self._wheel = ("up", "down")
        self._room: Room | None = None
        self._drag_from: tuple[float, float] | None = None
        self._hand = self._fullscreen = self._closed = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of what was shown last."""
        return self._overlay.size

    def rename(self, title: str) -> None:
        """Give the window's bar another title."""
        if not self._closed:
            self._window.title = as_text(title)

    def show(self, view: View) -> None:
        """Draw and show a view."""
        if self._closed:
            return
        self._listen_for_text(view.mode)
        scrolls = view.gallery is not None and view.prompt is None
        self._wheel = ("scrollup", "scrolldown") if scrolls else ("up", "down")
        if view.mode is Mode.FRAMING:
            self._wheel = ("+", "-")
        surface = self._window.get_surface()
        size = _drawn_size(surface)
        if size != self._overlay.size:
            self._overlay = Overlay(size, self._fonts, self._language)
        copy_onto(surface, self._overlay.draw(view, self._down.get("mouse", "")))
        self._window.flip()

    def events(self) -> Sequence[Event]:
        """Return what was pressed and let go since the last call, the oldest first."""
        if self._closed:
            return [Press(CLOSE), Release(CLOSE)]
        heard: list[Event] = []
        text_of_key = ""
        for event in pygame.event.get():
            if event.type == pygame.KEYDOWN:
                text_of_key = self._key_down(event, heard)
                continue
            if event.type == pygame.TEXTINPUT:
                # Not what the key before has typed, nor one that is held and repeated.
                if event.text != text_of_key and event.text not in self._text_down:
                    heard += [Press("", event.text), Release("")]
            elif event.type == pygame.KEYUP:
                self._let_go(event.scancode, heard)
            else:
                self._other(event, heard)
            text_of_key = ""
        self._repeat_key(heard)
        room = self._overlay.room
        if room is not None and room != self._room:
            heard.append(room)
        self._room = room or self._room
        return heard

    def close(self) -> None:
        """Take the window away; may be called twice."""
        if not self._closed:
            self._closed = True
            self._window.destroy()
            pygame.display.quit()

    def _key_down(self, event: pygame.Event, heard: list[Event]) -> str:
        """Take a key that went down; returns the text that it types."""
        name, text = key_name(event.key, event.scancode), str(event.unicode)
        if event.mod & pygame.KMOD_ALT and _is_other_sign(text, name, event.key):
            name = text.lower()  # by AltGr, which is Alt here, and on Windows Control as well
        elif event.mod & (pygame.KMOD_CTRL | pygame.KMOD_META):
            if name == "v":
                heard += [Press("", pygame.scrap.get_text()), Release("")]
            return text
        elif event.mod & pygame.KMOD_ALT or name == "f11":
            if name in ("enter", "f11"):
                self._toggle_fullscreen()
            return text
        if not name and not text:
            return text  # a modifier
        self._down[event.scancode] = name
        self._text_down.add(text)
        self._repeat = (name, self._clock() + _REPEAT_AFTER_S) if name in _REPEATED else None
        heard.append(Press(name, text if text.isprintable() else ""))
        return text

    def _let_go(self, what: int | str, heard: list[Event]) -> None:
        name = self._down.pop(what, None)
        self._text_down.clear()
        self._repeat = None
        if name:
            heard.append(Release(name))

    def _repeat_key(self, heard: list[Event]) -> None:
        if self._repeat and self._clock() >= self._repeat[1]:
            heard.append(Press(self._repeat[0], repeated=True))
            self._repeat = (self._repeat[0], self._clock() + _REPEAT_EVERY_S)

    def _other(self, event: pygame.Event, heard: list[Event]) -> None:
        if event.type in (pygame.QUIT, pygame.WINDOWCLOSE):
            heard += [Press(CLOSE), Release(CLOSE)]
        elif event.type == pygame.WINDOWFOCUSLOST:
            for what in list(self._down):
                self._let_go(what, heard)
        elif event.type in _BUTTON and event.button == pygame.BUTTON_LEFT:
            self._mouse_button(event, heard)
        elif event.type == pygame.MOUSEWHEEL and event.y:
            name = self._wheel[0 if event.y > 0 else 1]
            heard += [Press(name), Release(name)]
        elif event.type == pygame.MOUSEMOTION:
            self._point(over=bool(self._target(event.pos)))
            if self._drag_from and (to := self._part(event.pos)):
                heard.append(Drag(*self._drag_from, *to))
        elif event.type == pygame.TEXTEDITING and event.text and self._mode is not Mode.TYPING:
            # An input method takes letters for a word; here they are keys.
            pygame.key.stop_text_input()

    def _mouse_button(self, event: pygame.Event, heard: list[Event]) -> None:
        self._drag_from = None
        if event.type == pygame.MOUSEBUTTONUP:
            self._let_go("mouse", heard)
        elif name := self._target(event.pos):
            self._down["mouse"] = name
            heard.append(Press(name))
        else:
            self._drag_from = self._part(event.pos)

    def _target(self, at: tuple[int, int]) -> str:
        return self._overlay.target_at(*self._pixel(at))

    def _part(self, at: tuple[int, int]) -> tuple[float, float] | None:
        return self._overlay.part_at(*self._pixel(at))

    def _pixel(self, at: tuple[int, int]) -> tuple[int, int]:
        # Where pixels are small, the mouse counts in larger ones.
        finer = self._window.get_surface().get_width() / self._window.size[0]
        return round(at[0] * finer), round(at[1] * finer)

    def _point(self, *, over: bool) -> None:
        if over != self._hand:
            self._hand = over
            cursor = pygame.SYSTEM_CURSOR_HAND if over else pygame.SYSTEM_CURSOR_ARROW
            pygame.mouse.set_cursor(cursor)

    def _listen_for_text(self, mode: Mode) -> None:
        if mode is Mode.TYPING and self._mode is not Mode.TYPING:
            pygame.key.start_text_input()
        self._mode = mode

    def _toggle_fullscreen(self) -> None:
        self._fullscreen = not self._fullscreen
        if self._fullscreen:
            self._window.set_fullscreen(desktop=True)
        else:
            self._window.set_windowed()


def _is_other_sign(text: str, name: str, keycode: int) -> bool:
    """Say whether a key types something else than it does without a modifier."""
    return text.isprintable() and text.lower() not in ("", name, pygame.key.name(keycode).lower())


def _icon() -> pygame.Surface:
    """Draw the window's icon: scores of three classes."""
    icon = pygame.Surface((64, 64), pygame.SRCALPHA)
    pygame.draw.rect(icon, CARD[::-1], (0, 0, 64, 64), border_radius=14)
    for row, (colour, length) in enumerate(zip(PALETTE, (44, 24, 12), strict=False)):
        pygame.draw.rect(icon, colour[::-1], (10, 13 + 14 * row, length, 9), border_radius=4)
    return icon


def _choose_driver(environment: MutableMapping[str, str]) -> None:
    """Say by what SDL is to show windows: it would take one that nobody sees, too.

    Raises:
        NoDisplayError: if there is neither a desktop nor a console with a screen.
    """
    if sys.platform != "linux" or "SDL_VIDEODRIVER" in environment:
        return
    desktops = {"DISPLAY": "x11", "WAYLAND_DISPLAY": "wayland"}
    drivers = [driver for name, driver in desktops.items() if environment.get(name)]
    if not drivers:
        if not Path("/dev/dri").is_dir():
            raise NoDisplayError("There is no screen: DISPLAY is not set.")
        drivers = ["kmsdrm"]  # a Pi without a desktop
    environment["SDL_VIDEODRIVER"] = ",".join(drivers)


def _drawn_size(surface: pygame.Surface) -> tuple[int, int]:
    """Return the width and height in pixels to draw, of which a tiny window shows a corner."""
    width, height = surface.get_size()
    return max(width, _LEAST[0]), max(height, _LEAST[1])


def opening_size(screen: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height in pixels of a new window on a screen of so many.

    It is the layout's own, or twice and three times that where pixels are small; a screen that has
    no room for that is filled.
    """
    finer = max(1.0, screen[1] / _PIXELS_HIGH)
    size = (round(DESIGN_SIZE[0] * finer), round(DESIGN_SIZE[1] * finer))
    fits = size[0] <= screen[0] and size[1] <= screen[1] * _OF_SCREEN
    return size if fits else screen
