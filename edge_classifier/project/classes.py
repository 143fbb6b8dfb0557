"""What tells classes apart: their names, keys and colours.

A class's name is also the name of its folder, on any system the project may be copied to. So
it has to be one path component everywhere, and two names must not meet on a file system that
ignores case or normalises Unicode.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from edge_classifier.device.media import is_junk
from edge_classifier.device.verdict import UNKNOWN
from edge_classifier.errors import InvalidClassNameError
from edge_classifier.languages.text import Text
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from edge_classifier.values import Colour

UNKNOWN_CLASS: Final = "unknown-class"
"""What a class is called whose pictures came labelled "unknown"."""

MAX_CHARACTERS: Final = 100
"""Longer names fit on no card of the picture."""

MAX_BYTES: Final = 200
"""In UTF-8; file systems take 255 bytes per component, and tools like to append to names."""

_SEPARATORS: Final = frozenset("/\\")
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_WINDOWS_FORBIDS: Final = frozenset('<>:"|?*')
_WINDOWS_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³"}
)
# Persian and Indic words, and many emoji, are misspelt without these two format characters.
_JOINERS: Final = frozenset("\u200c\u200d")
_UNWRITABLE: Final = frozenset({"Cc", "Cf", "Cs"})  # control, format, half a surrogate pair
_QUOTED: Final = 40
_DIGIT_KEYS: Final = 9


@functools.lru_cache(maxsize=8192)  # each name is compared with every other one
def fold_class_name(name: str) -> str:
    """Drop case, joiners and composition, so that names that look or sort alike are equal."""
    bare = "".join(c for c in name if c not in _JOINERS)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", bare).casefold())


def clean_class_name(text: str, taken: Iterable[str] = (), *, is_stored: bool = False) -> str:
    """Turn what was typed, or a folder's name, into a class name that can be stored.

    `is_stored` is for what a project holds already: older ones may have a class "unknown".

    Returns:
        The name in Unicode's composed form (NFC), without spaces around it and with single
        spaces in it.

    Raises:
        InvalidClassNameError: if it cannot be a folder's name on every system, or cannot be
            told from a name in `taken` or from the verdict "unknown".
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    problem = _problem(name) or _clash(name, taken)
    if not problem and not is_stored and is_unknown(name):
        problem = Text(
            "A class cannot be called {name}, as that is what is said of pictures that resemble no "
            "class; take another name, such as {other}.",
            name=_quote(name),
            other=_quote(UNKNOWN_CLASS),
        )
    if problem:
        raise InvalidClassNameError(problem)
    return name


def is_unknown(name: str) -> bool:
    """Say whether a name could be taken for the verdict "unknown"."""
    return fold_class_name(name) == UNKNOWN


def _problem(name: str) -> Text | None:
    """Say what is wrong with a name by itself."""
    if not name:
        return Text("A class name cannot be empty; type at least one character.")
    size, quoted = len(name.encode("utf-8", "replace")), _quote(name)
    if len(name) > MAX_CHARACTERS or size > MAX_BYTES:
        return Text(
            "The class name {name} is too long: it has {length} characters ({size} bytes), at most "
            "{most} ({most_bytes} bytes) fit.",
            name=quoted,
            length=len(name),
            size=size,
            most=MAX_CHARACTERS,
            most_bytes=MAX_BYTES,
        )
    if name in {".", ".."} or not _SEPARATORS.isdisjoint(name):
        return Text(
            "The class name {name} looks like a path; it becomes the name of one folder, so leave "
            "out / and \\ and '..'.",
            name=quoted,
        )
    unwritable = [c for c in name if unicodedata.category(c) in _UNWRITABLE - _joining(c)]
    if unwritable or name[0] in _JOINERS or name[-1] in _JOINERS:
        return Text(
            "The class name {name} holds an invisible control or format character (U+{code}); "
            "type it anew.",
            name=quoted,
            code=f"{ord((unwritable or [c for c in name if c in _JOINERS])[0]):04X}",
        )
    forbidden = sorted(_WINDOWS_FORBIDS.intersection(name))
    if forbidden:
        return Text(
            "The class name {name} holds {characters}, which Windows does not take in a folder's "
            "name; leave it out.",
            name=quoted,
            characters=" ".join(forbidden),
        )
    if name.startswith(".") or name.endswith("."):
        return Text(
            "The class name {name} starts or ends with a dot, which hides or changes a folder's "
            "name; leave it out.",
            name=quoted,
        )
    if is_junk(name) or name.split(".", maxsplit=1)[0].rstrip().casefold() in _WINDOWS_DEVICES:
        return Text(
            "The class name {name} is the name of a device on Windows, or of folders that other "
            "programs make; take another one.",
            name=quoted,
        )
    return None


def _joining(character: str) -> frozenset[str]:
    return frozenset({"Cf"}) if character in _JOINERS else frozenset()


def _clash(name: str, taken: Iterable[str]) -> Text | None:
    """Say which of the other names it cannot be told from."""
    folded = fold_class_name(name)
    for other in taken:
        if other == name:
            return Text("There is a class {name} already; take another name.", name=_quote(name))
        if fold_class_name(other) == folded:
            return Text(
                "The class name {name} differs from {other} only in case or invisibly, which some "
                "file systems cannot tell apart; take another name.",
                name=_quote(name),
                other=_quote(other),
            )
    return None


def _quote(name: str) -> str:
    """Quote a name so that it can neither fill the screen nor steer it."""
    return repr(name if len(name) <= _QUOTED else name[:_QUOTED] + "…")


def key_of(class_names: tuple[str, ...], class_name: str) -> str | None:
    """Return what records a class: `1` to `9`, `B` for the background, or `None` beyond nine."""
    if class_name == BACKGROUND:
        return "B"
    with_key = [name for name in class_names[: _DIGIT_KEYS + 1] if name != BACKGROUND][:_DIGIT_KEYS]
    return str(with_key.index(class_name) + 1) if class_name in with_key else None


def colour_from_hex(text: str) -> Colour:
    """Read `#rrggbb` as blue, green, red.

    Raises:
        ValueError: if it is not of that form.
    """
    if len(text) != len("#rrggbb") or text[0] != "#" or not text[1:].isalnum():
        raise ValueError(f"Expected a colour like #56b4e9, received {text!r}.")
    red, green, blue = bytes.fromhex(text[1:])
    return blue, green, red


def colour_to_hex(colour: Colour) -> str:
    """Write a colour (blue, green, red) as `#rrggbb`."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


# Okabe and Ito, "Color Universal Design" (2008), without black; the last two, for the eighth
# and ninth class, are from Paul Tol's "muted" scheme (SRON/EPS/TN/09-002).
PALETTE: Final[tuple[Colour, ...]] = (
    colour_from_hex("#56b4e9"),  # sky blue
    colour_from_hex("#e69f00"),  # orange
    colour_from_hex("#009e73"),  # bluish green
    colour_from_hex("#cc79a7"),  # reddish purple
    colour_from_hex("#f0e442"),  # yellow
    colour_from_hex("#d55e00"),  # vermillion
    colour_from_hex("#0072b2"),  # blue
    colour_from_hex("#ddcc77"),  # sand
    colour_from_hex("#882255"),  # wine
)
"""Colours of classes in the order they are given out, told apart also by colour-blind eyes."""

_BACKGROUND_COLOUR: Final = colour_from_hex("#b0a18f")  # a warm grey, unlike that of "unknown"


_DIMMEST: Final = 45.0
"""The lightness, of 100, below which colours are lost on a dark window."""


def next_colour(class_name: str, used: Iterable[Colour]) -> Colour:
    """Choose a new class's colour: the first of the palette that is free.

    Beyond that the one that looks least like all that are used, by their distance in CIELAB.
    """
    if class_name == BACKGROUND:
        return _BACKGROUND_COLOUR
    taken = dict.fromkeys(used)
    free = next((colour for colour in PALETTE if colour not in taken), None)
    if free:
        return free
    further = _light_colours()
    apart = np.linalg.norm(_lab(further)[0][:, None] - _lab(np.array([[*taken]]))[0], axis=2)
    blue, green, red = further[0, int(apart.min(axis=1).argmax())].tolist()
    return blue, green, red


def _light_colours() -> npt.NDArray[np.integer[Any]]:
    """Return colours `(1, N, 3)`, blue, green, red, all over what a screen shows."""
    hues, rest = range(0, 180, 5), (70, 120, 180, 255)  # as OpenCV counts them
    hsv = np.array([[*itertools.product(hues, rest, rest)]], np.uint8)
    colours = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)
    return colours[:, _lab(colours)[0, :, 0] > _DIMMEST]


def _lab(colours: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
    """Return colours `(1, N, 3)`, blue, green, red, in CIELAB."""
    lab = cv2.cvtColor(colours.astype(np.float32) / np.float32(255), cv2.COLOR_BGR2LAB)
    return np.asarray(lab, np.float32)
