"""The real window on a virtual screen, driven by real keys, mouse and layouts."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.screen import press_close_button

from edge_classifier.errors import NoDisplayError
from edge_classifier.screen.overlay import DESIGN_SIZE
from edge_classifier.screen.window import Window, opening_size

TITLE = "a window under test"
DEADLINE_S = 20.0

# DISPLAY belongs to a process and SDL starts once in it, so the window has its own process.
PROGRAM = f"""
import json, sys, time
from dataclasses import replace
from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.display import Press
from edge_classifier.live.view import Activity, ClassCard, Mode, View
from edge_classifier.screen.sdl import pygame
from edge_classifier.screen.window import Window

window = Window({TITLE!r})
cards = tuple(ClassCard(name, str(n), (80, 175, 76), 3, 0.5, None, selected=False, recording=False)
              for n, name in enumerate(("mug", "phone"), start=1))
view = View(
    None, False, Mode[sys.argv[1]], "", cards, None, Activity(""), None, "", buttons=BUTTONS
)
window.show(view)
if sys.argv[2:]:
    pygame.scrap.put_text(sys.argv[2])
print(json.dumps(["ready"]), flush=True)
closing = False
while not closing:
    for event in window.events():
        kind = "press" if isinstance(event, Press) else "release"
        more = [event.text, event.repeated] if isinstance(event, Press) else []
        print(json.dumps([kind, event.name, *more, list(window.size)]), flush=True)
        closing |= event.name == "close"
    window.show(view)
    time.sleep(0.005)
print(json.dumps([event.name for event in window.events()]), flush=True)
window.close()
window.close()
"""


class WindowProcess:
    """A process with a window, and what it heard."""

    def __init__(self, screen: str, mode: str = "LIVE", *more: str) -> None:
        self.environment = {
            **os.environ,
            "DISPLAY": screen,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, this file's program
            [sys.executable, "-c", PROGRAM, mode, *more],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.heard: queue.Queue[list[Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            assert self.next() == ["ready"]
            self.id = self.xdotool("search", "--sync", "--pid", str(self.process.pid)).split()[0]
            self.xdotool("windowfocus", "--sync", self.id)
        except BaseException:
            self.end()
            raise

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.put(json.loads(line))

    def next(self, timeout_s: float = DEADLINE_S) -> list[Any]:
        """Return what was heard next."""
        return self.heard.get(timeout=timeout_s)

    def presses(self, count: int) -> list[tuple[str, str]]:
        """Return the next so many presses, by name and text."""
        found: list[tuple[str, str]] = []
        while len(found) < count:
            kind, *rest = self.next()
            if kind == "press":
                found.append((rest[0], rest[1]))
        return found

    def xdotool(self, *arguments: str) -> str:
        """Send real events to the screen."""
        return self.run("xdotool", *arguments)

    def run(self, *words: str) -> str:
        """Run a program of the screen."""
        if shutil.which(words[0]) is None:
            pytest.skip(
                f"{words[0]} is not installed (apt install x11-xserver-utils x11-xkb-utils)"
            )
        return subprocess.run(  # noqa: S603 - a fixed program, arguments of these tests
            words,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        ).stdout

    def press(self, keysym: str) -> str:
        """Press and release a key, and return what it is called."""
        self.xdotool("key", keysym)
        return next(name for name, _ in iter(lambda: self.presses(1)[0], None) if name)

    def end(self) -> None:
        """Stop the process, whatever state it is in."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def window(screen: str) -> Iterator[WindowProcess]:
    process = WindowProcess(screen)
    yield process
    process.end()


@pytest.fixture
def typing(screen: str) -> Iterator[WindowProcess]:
    """A window in which a name is asked for."""
    process = WindowProcess(screen, "TYPING")
    yield process
    process.end()


@pytest.fixture
def layout(window: WindowProcess) -> Iterator[None]:
    """Put the keyboard back as it was."""
    yield
    window.run("setxkbmap", "us")


pytestmark = pytest.mark.window


def test_keys_are_heard_by_their_names(window: WindowProcess) -> None:
    pressed = {
        "a": "a", "1": "1", "KP_7": "7", "space": " ", "plus": "+", "question": "?",
        "bracketleft": "[", "Return": "enter", "KP_Enter": "enter",
        "Escape": "escape", "BackSpace": "backspace", "Tab": "tab", "Delete": "delete",
        "Left": "left", "Right": "right", "Up": "up", "Down": "down", "Q": "q", "F1": "f1",
        "Next": "pagedown",
    }  # fmt: skip
    assert {keysym: window.press(keysym) for keysym in pressed} == pressed


def test_a_key_is_down_from_its_press_to_its_release(window: WindowProcess) -> None:
    window.xdotool("keydown", "1")
    assert window.next()[:2] == ["press", "1"]
    with pytest.raises(queue.Empty):
        window.next(timeout_s=1.0)  # whatever the server repeats
    window.xdotool("keyup", "1")
    assert window.next()[:2] == ["release", "1"]


@pytest.mark.parametrize("repeat", [("off",), ("rate", "250", "30"), ("rate", "1000", "2")])
def test_a_hold_is_one_press_however_the_keyboard_repeats(
    window: WindowProcess, repeat: tuple[str, ...]
) -> None:
    window.run("xset", "r", *repeat)
    try:
        window.xdotool("keydown", "2")
        time.sleep(1.2)
        window.xdotool("keyup", "2")
        assert [window.next()[:2] for _ in range(2)] == [["press", "2"], ["release", "2"]]
        assert window.heard.empty()
    finally:
        window.run("xset", "r", "on")


def test_keys_that_move_go_on_while_they_are_held(window: WindowProcess) -> None:
    window.xdotool("keydown", "Down")
    heard = [window.next() for _ in range(4)]
    window.xdotool("keyup", "Down")
    assert [(event[1], event[3]) for event in heard] == [("down", False), *[("down", True)] * 3]


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize("layout_name", ["fr", "de", "ru", "gr", "il", "us"])
def test_the_digit_row_and_our_letters_are_there_on_any_keyboard(
    window: WindowProcess, layout_name: str
) -> None:
    window.run("setxkbmap", layout_name)
    for code, name in ((10, "1"), (11, "2"), (18, "9"), (27, "r"), (26, "e"), (23, "tab")):
        window.xdotool("key", str(code))  # key codes are places
        assert window.presses(1)[0][0] == name


@pytest.mark.usefixtures("layout")
def test_a_letter_of_ours_is_where_the_layout_has_it(window: WindowProcess) -> None:
    window.run("setxkbmap", "fr")
    window.xdotool("key", "24")  # Q on a US keyboard
    assert window.presses(1)[0][0] == "a"


def test_text_is_heard_as_it_is_typed_at_any_speed(typing: WindowProcess) -> None:
    text = "The Quick brown fox - x7!"
    for _ in range(10):
        typing.xdotool("type", "--delay", "20", text)
        typed = typing.presses(len(text))
        assert "".join(text for _, text in typed) == text


@pytest.mark.usefixtures("layout")
def test_letters_of_other_scripts_are_typed(typing: WindowProcess) -> None:
    typing.run("setxkbmap", "ru")
    typing.xdotool("key", "38", "39")
    assert typing.presses(2) == [("a", "ф"), ("s", "ы")]
    typing.run("setxkbmap", "us")


@pytest.mark.usefixtures("layout")
def test_what_a_second_shift_types_is_a_key_and_a_text(typing: WindowProcess) -> None:
    typing.run("setxkbmap", "de")
    for code in ("17", "18", "24"):  # 8, 9 and Q, where Germans have [, ] and @
        typing.xdotool("keydown", "108", "key", code, "keyup", "108")
    typing.xdotool("key", "24")
    assert typing.presses(4) == [("[", "["), ("]", "]"), ("@", "@"), ("q", "q")]


def test_a_composed_letter_is_one_text(typing: WindowProcess) -> None:
    typing.run("setxkbmap", "us", "intl")
    typing.xdotool("key", "48", "26", "Return")  # a dead accent, then e
    heard = "".join(text for _, text in until(typing, "enter"))
    typing.run("setxkbmap", "us")
    assert heard in ("é", "'e", "e")  # without a table for composing the letter comes alone


def test_what_is_pasted_is_heard_as_one_text(screen: str) -> None:
    window = WindowProcess(screen, "TYPING", "tasse\n\x1b[31m 杯\t")
    try:
        window.xdotool("key", "ctrl+v")
        assert window.presses(1) == [("", "tasse\n\x1b[31m 杯\t")]  # a question drops controls
    finally:
        window.end()


def test_where_there_is_nothing_to_paste_nothing_is_typed(typing: WindowProcess) -> None:
    typing.xdotool("key", "ctrl+v", "Left")
    assert "".join(text for _, text in until(typing, "left")) == ""


def test_modifiers_and_chords_press_nothing(window: WindowProcess) -> None:
    for keysym in ("Control_L", "Shift_L", "ctrl+q", "alt+e"):
        window.xdotool("key", keysym)
    window.xdotool("key", "Left")
    assert until(window, "left") == [("left", "")]


def until(window: WindowProcess, name: str) -> list[tuple[str, str]]:
    """Return all that was pressed up to a key."""
    found: list[tuple[str, str]] = []
    while not found or found[-1][0] != name:
        found += window.presses(1)
    return found


def test_losing_the_keyboard_lets_go_of_what_is_held(window: WindowProcess) -> None:
    window.xdotool("keydown", "1")
    assert window.next()[:2] == ["press", "1"]
    other = WindowProcess(window.environment["DISPLAY"])  # takes the keyboard
    try:
        assert window.next()[:2] == ["release", "1"]
    finally:
        window.xdotool("keyup", "1")
        other.end()


def test_a_card_is_held_by_the_mouse_from_down_to_up(window: WindowProcess) -> None:
    window.xdotool("mousemove", "--window", window.id, *place(window, 0.70, 0.145))
    window.xdotool("mousedown", "1")
    assert window.next()[:2] == ["press", "record:mug"]
    window.xdotool("mousemove", "--window", window.id, *place(window, 0.30, 0.30))
    window.xdotool("mouseup", "1")
    assert window.next()[:2] == ["release", "record:mug"]


def test_what_can_be_pressed_is_pressed_and_the_rest_is_not(window: WindowProcess) -> None:
    for x, y in ((0.30, 0.30), (0.79, 0.10), (0.05, 0.965)):  # the picture, a name, a button
        window.xdotool("mousemove", "--window", window.id, *place(window, x, y), "click", "1")
    assert [name for name, _ in window.presses(2)] == ["rename:mug", "u"]


def test_the_wheel_goes_through_the_classes(window: WindowProcess) -> None:
    window.xdotool("mousemove", "--window", window.id, *place(window, 0.8, 0.5))
    window.xdotool("click", "5", "click", "4")
    assert [name for name, _ in window.presses(2)] == ["down", "up"]


def place(window: WindowProcess, x: float, y: float) -> tuple[str, str]:
    """Return a place in the window, given in parts of it."""
    geometry = window.xdotool("getwindowgeometry", "--shell", window.id)
    values = dict(line.split("=") for line in geometry.split())
    return str(round(x * int(values["WIDTH"]))), str(round(y * int(values["HEIGHT"])))


@pytest.mark.parametrize(
    "size", [(480, 320), (800, 480), (1200, 700), (480, 780), (1280, 10), (1, 700)]
)
def test_it_draws_for_the_size_it_is_given(window: WindowProcess, size: tuple[int, int]) -> None:
    window.xdotool("windowsize", window.id, *map(str, size))
    until = time.monotonic() + DEADLINE_S
    wanted = [max(size[0], 320), max(size[1], 240)]  # of less than that, a corner is shown
    drawn = None
    while drawn != wanted and time.monotonic() < until:
        window.xdotool("key", "a")
        drawn = window.next()[-1]
        window.next()
    assert drawn == wanted


def test_a_closed_window_says_so_again_and_again_and_leaves_the_process_alone(
    window: WindowProcess,
) -> None:
    press_close_button(window.environment["DISPLAY"], int(window.id))
    assert window.next()[1] == "close"
    assert window.next()[1] == "close"
    assert window.process.wait(DEADLINE_S) == 0


def test_the_window_writes_nothing_to_the_terminal(window: WindowProcess) -> None:
    assert window.press("a") == "a"
    press_close_button(window.environment["DISPLAY"], int(window.id))
    window.process.wait(DEADLINE_S)
    assert window.process.stderr is not None
    assert window.process.stderr.read() == ""


@pytest.mark.parametrize(
    ("screen_size", "size"),
    [
        ((1920, 1080), DESIGN_SIZE),
        ((1280, 800), DESIGN_SIZE),
        ((1366, 768), (1366, 768)),
        ((800, 480), (800, 480)),
        ((3840, 2160), (2 * DESIGN_SIZE[0], 2 * DESIGN_SIZE[1])),
        ((480, 800), (480, 800)),
    ],
)
def test_a_new_window_fits_the_screen_and_is_no_stamp_on_a_fine_one(
    screen_size: tuple[int, int], size: tuple[int, int]
) -> None:
    assert opening_size(screen_size) == size


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen there")
@pytest.mark.parametrize("display", ["", ":4099"])
def test_without_a_screen_that_is_said(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    if not display and Path("/dev/dri").is_dir():
        pytest.skip("a console of this machine may be a screen, too")
    with pytest.raises(NoDisplayError, match="There is no screen"):
        Window("none")
