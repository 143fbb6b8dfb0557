"""The real window on a virtual screen, driven by real key events."""

from __future__ import annotations

import itertools
import os
import queue
import statistics
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.screen import press_close_button

from edge_classifier.errors import NoDisplayError
from edge_classifier.screen.key_names import key_name
from edge_classifier.screen.window import check_display

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "a window under test"
DEADLINE_S = 20.0
NAMES = {
    *("enter", "escape", "backspace", "tab", "delete", "up", "down", "left", "right"),
}

# DISPLAY belongs to a process and HighGUI starts once in it, so the window has its own process.
PROGRAM = f"""
import sys, time
import numpy as np
from edge_classifier.screen.window import OpenCVWindow
window = OpenCVWindow({TITLE!r})
image = np.zeros((240, 320, 3), np.uint8)
window.show(image)
print("ready", time.monotonic(), flush=True)
key = None
while key != "close":
    key = window.show(image)
    if key is not None:
        print(ascii(key), time.monotonic(), flush=True)
print(ascii(window.show(image)), time.monotonic(), flush=True)
window.close()
window.close()
"""


class WindowProcess:
    """A process with a window, and what it heard."""

    def __init__(self, screen: str) -> None:
        self.environment = {
            **os.environ,
            "DISPLAY": screen,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, this file's program
            [sys.executable, "-c", PROGRAM],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.heard: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        assert self.next()[0] == "ready"
        self.id = self.xdotool("search", "--sync", "--name", f"^{TITLE}$").split()[0]
        self.xdotool("windowfocus", "--sync", self.id)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.put(line)

    def next(self, timeout_s: float = DEADLINE_S) -> tuple[str, float]:
        """Return the next key and when it was heard, in seconds."""
        name, _, seconds = self.heard.get(timeout=timeout_s).rpartition(" ")
        if name.startswith("'"):
            name = name[1:-1].encode().decode("unicode_escape")
        return name, float(seconds)

    def xdotool(self, *arguments: str) -> str:
        """Send real events to the screen."""
        return subprocess.run(  # noqa: S603 - a fixed program, arguments of these tests
            ["xdotool", *arguments],  # noqa: S607 - found on the PATH like any user's
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        ).stdout

    def press(self, keysym: str) -> str:
        """Press and release a key, and return what the window heard."""
        self.xdotool("key", keysym)
        try:
            return self.next()[0]
        except queue.Empty:
            return "nothing"

    def press_foreign(self, keysym: str, expected: str) -> str:
        """Press a key that the keyboard layout lacks, and return what the window heard.

        xdotool puts such a key on the keyboard and takes it away at once, so that the window may
        look it up too late; then nothing is heard, and it is pressed again.
        """
        heard = "nothing"
        for _ in range(20):
            self.xdotool("key", keysym)
            try:
                heard = self.next(timeout_s=0.5)[0]
            except queue.Empty:
                continue
            if heard == expected:
                break
        return heard

    def end(self) -> None:
        """Stop the process, whatever state it is in."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def window(screen: str) -> Iterator[WindowProcess]:
    process = WindowProcess(screen)
    yield process
    process.end()


@pytest.mark.window
def test_keys_are_heard_by_their_names(window: WindowProcess) -> None:
    pressed = {
        "a": "a", "1": "1", "KP_7": "7", "space": " ", "minus": "-",
        "Return": "enter", "KP_Enter": "enter",
        "Escape": "escape", "BackSpace": "backspace", "Tab": "tab", "Delete": "delete",
        "Left": "left", "Right": "right", "Up": "up", "Down": "down", "Q": "Q",
    }  # fmt: skip
    assert {keysym: window.press(keysym) for keysym in pressed} == pressed


@pytest.mark.window
def test_letters_of_other_keyboards_are_heard_too(window: WindowProcess) -> None:
    pressed = {"eacute": "é", "ssharp": "ß", "Cyrillic_ya": "я", "U676F": "杯"}
    assert {key: window.press_foreign(key, name) for key, name in pressed.items()} == pressed


@pytest.mark.window
def test_a_capital_is_heard_while_shift_is_held_and_only_then(window: WindowProcess) -> None:
    window.xdotool("keydown", "shift")
    assert window.press("m") == "M"
    assert window.press("u") == "U"
    window.xdotool("keyup", "shift")
    assert window.press("g") == "g"


@pytest.mark.window
def test_function_keys_and_modifiers_alone_are_not_heard(window: WindowProcess) -> None:
    for keysym in ("F5", "Control_L", "Shift_L", "Home"):
        window.xdotool("key", keysym)
    assert window.press("Left") == "left"


@pytest.mark.window
def test_a_held_key_repeats_after_a_longer_first_gap(window: WindowProcess) -> None:
    window.xdotool("keydown", "1")
    heard = [window.next() for _ in range(8)]
    window.xdotool("keyup", "1")
    assert {name for name, _ in heard} == {"1"}
    times = [seconds for _, seconds in heard]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert gaps[0] > 2 * statistics.median(gaps[1:])


@pytest.mark.window
def test_a_closed_window_says_so_again_and_again_and_leaves_the_process_alone(
    window: WindowProcess,
) -> None:
    press_close_button(window.environment["DISPLAY"], int(window.id))
    assert window.next()[0] == "close"
    assert window.next()[0] == "close"
    assert window.process.wait(DEADLINE_S) == 0


@pytest.mark.window
def test_the_window_writes_nothing_to_the_terminal(window: WindowProcess) -> None:
    assert window.press("a") == "a"
    press_close_button(window.environment["DISPLAY"], int(window.id))
    window.process.wait(DEADLINE_S)
    assert window.process.stderr is not None
    assert window.process.stderr.read() == ""


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (-1, None),
        (0x61, "a"),
        (0x41, "A"),
        (0x31, "1"),
        (0x20, " "),
        (0xE9, "é"),
        (-55, "é"),
        (0x100676F, "杯"),
        (0x6D1, "я"),
        (0x7E1, "α"),  # noqa: RUF001 - Greek is meant
        (0x7B1, "ά"),
        (0xCE0, "א"),
        (0xDA1, "ก"),
        (0x1B1, "ą"),
        (0x13BC, "Œ"),
        (0x20AC, "€"),
        (0xFFB5, "5"),
        (0xFFAB, "+"),
        (0xFF8D, "enter"),
        (13, "enter"),
        (27, "escape"),
        (8, "backspace"),
        (127, "backspace"),
        (0xFFFF, "delete"),
        (0x2E0000, "delete"),
        (0xFF51, "left"),
        (0x250000, "left"),
        (0xF702, "left"),
        (0x51, "Q"),
        (0x100061, "a"),  # GTK with Num Lock on
        (0x10FF51, "left"),
        (0x140061, None),  # GTK with Control held
        (0xFFE1, None),
        (0xFFBE, None),
    ],
)
def test_a_key_code_has_a_name(code: int, name: str | None) -> None:
    assert key_name(code) == name


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_any_code_is_a_printable_character_or_a_known_name_or_nothing(code: int) -> None:
    name = key_name(code)
    assert name is None or name in NAMES or (len(name) == 1 and name.isprintable())


linux = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="X11 is for Linux")


@linux
def test_without_a_display_the_error_says_what_is_not_set() -> None:
    with pytest.raises(NoDisplayError, match="DISPLAY is not set"):
        check_display({})


@linux
def test_a_stale_display_is_an_error_and_not_the_end_of_the_process() -> None:
    with pytest.raises(NoDisplayError, match="nothing answers at DISPLAY=:4099"):
        check_display({"DISPLAY": ":4099"})
