"""What the key codes of OpenCV's windows mean.

`cv2.pollKey` and `cv2.waitKeyEx` give what the window system gave: X11 keysyms (GTK, Qt),
virtual keys (Windows), characters of a private area (macOS). The values are from X11's
`keysymdef.h`, Windows' `winuser.h` and AppKit's `NSEvent.h`.
"""

from __future__ import annotations

from typing import Final

SHIFT_CODES: Final = frozenset({0xFFE1, 0xFFE2})
"""What pressing a shift key alone gives on X11."""

_CODES: Final = {
    # ASCII controls, X11, X11's keypad, Windows (the virtual key in the upper half), macOS
    "backspace": (0x08, 0x7F, 0xFF08),  # 0x7F is macOS; others have codes of their own for Delete
    "tab": (0x09, 0xFF09, 0xFE20),  # 0xFE20 is Shift+Tab
    "enter": (0x0A, 0x0D, 0xFF0D, 0xFF8D),
    "escape": (0x1B, 0xFF1B),
    "left": (0xFF51, 0xFF96, 0x250000, 0xF702),
    "up": (0xFF52, 0xFF97, 0x260000, 0xF700),
    "right": (0xFF53, 0xFF98, 0x270000, 0xF703),
    "down": (0xFF54, 0xFF99, 0x280000, 0xF701),
    "delete": (0xFFFF, 0xFF9F, 0x2E0000, 0xF728),
    " ": (0xFF80,),
}
_NAMED: Final = {code: name for name, codes in _CODES.items() for code in codes}

_KEYSYM_TABLES: Final = {
    0x01: "iso8859_2",
    0x02: "iso8859_3",
    0x03: "iso8859_4",
    0x05: "iso8859_6",
    0x06: "koi8_u",
    0x07: "iso8859_7",
    0x0C: "iso8859_8",
    0x0D: "iso8859_11",
    0x13: "iso8859_15",
}
"""Keysyms older than Unicode hold a code page in the upper byte, a character in the lower one."""

_GREEK: Final = (
    dict(zip(range(0x7A1, 0x7AC), "ΆΈΉΊΪ\0ΌΎΫ\0Ώ", strict=True))
    | dict(zip(range(0x7B1, 0x7BC), "άέήίϊΐόύϋΰώ", strict=True))
    | {0x7D2: "Σ", 0x7F2: "\N{GREEK SMALL LETTER SIGMA}", 0x7F3: "ς"}
)
"""Where the Greek keysyms depart from ISO 8859-7."""

_UNICODE: Final = 0x0100_0000
_CONTROL_OR_ALT: Final = 0x0C
_KEYPAD: Final = range(0xFFAA, 0xFFBA)  # * + , - . / and the digits, in ASCII's order


def key_name(code: int) -> str | None:
    """Name a key by what `cv2.pollKey` or `cv2.waitKeyEx` returned.

    Returns:
        A printable character, one of the names that `Display.show` documents, or `None` for no
        key, for modifiers and function keys, and for chords with Control or Alt.
    """
    if code == -1:
        return None
    if code < 0:
        # Qt's backend gives Latin-1 letters in upper case as a signed byte, whatever was typed.
        return _printable(chr(code + 0x100).lower()) if code >= -0x80 else None  # noqa: PLR2004 - a signed byte
    if code in _NAMED:
        return _NAMED[code]
    if code >= _UNICODE:
        character = code - _UNICODE
        return _printable(chr(character)) if character <= 0x10FFFF else None  # noqa: PLR2004 - Unicode's last
    modifiers, symbol = code >> 16, code & 0xFFFF
    if modifiers:  # GTK's backend adds the state of Shift, locks, Control and Alt
        return None if modifiers & _CONTROL_OR_ALT or not symbol else key_name(symbol)
    if symbol in _KEYPAD:
        return chr(symbol - 0xFF80)
    return _character(symbol)


def _character(symbol: int) -> str | None:
    if symbol < 0x100:  # noqa: PLR2004 - Latin-1
        return _printable(chr(symbol))
    if symbol in _GREEK:
        return _printable(_GREEK[symbol])
    table = _KEYSYM_TABLES.get(symbol >> 8)
    if table is not None:
        return _printable(bytes([symbol & 0xFF]).decode(table, errors="ignore"))
    return "€" if symbol == 0x20AC else None  # noqa: PLR2004 - the one currency sign on keyboards


def _printable(character: str) -> str | None:
    return character if character and character.isprintable() else None
