"""What SDL's keys are called here.

Digits and brackets are where a US keyboard has them: on a French one the digits need Shift. Letters
are those on the caps, as the layout has them, or where that has none of ours (Cyrillic, Greek,
Hebrew), as a US keyboard has them, whose letters such keyboards show too.
"""

from __future__ import annotations

from typing import Final

from edge_classifier.screen.sdl import pygame

_BY_PLACE: Final = {
    **{getattr(pygame, f"KSCAN_{digit}"): str(digit) for digit in range(10)},
    **{getattr(pygame, f"KSCAN_KP{digit}"): str(digit) for digit in range(10)},
    pygame.KSCAN_RETURN: "enter",
    pygame.KSCAN_KP_ENTER: "enter",
    pygame.KSCAN_ESCAPE: "escape",
    pygame.KSCAN_BACKSPACE: "backspace",
    pygame.KSCAN_TAB: "tab",
    pygame.KSCAN_SPACE: " ",
    pygame.KSCAN_DELETE: "delete",
    pygame.KSCAN_LEFT: "left",
    pygame.KSCAN_RIGHT: "right",
    pygame.KSCAN_UP: "up",
    pygame.KSCAN_DOWN: "down",
    pygame.KSCAN_HOME: "home",
    pygame.KSCAN_END: "end",
    pygame.KSCAN_PAGEUP: "pageup",
    pygame.KSCAN_PAGEDOWN: "pagedown",
    pygame.KSCAN_KP_PLUS: "+",
    pygame.KSCAN_KP_MINUS: "-",
    **{getattr(pygame, f"KSCAN_F{number}"): f"f{number}" for number in range(1, 13)},
}
_LOCKS: Final = frozenset(
    {pygame.KSCAN_CAPSLOCK, pygame.KSCAN_NUMLOCK, pygame.KSCAN_SCROLLLOCK, pygame.KSCAN_PRINT}
)
_LETTERS_BY_PLACE: Final = {
    getattr(pygame, f"KSCAN_{letter.upper()}"): letter for letter in "abcdefghijklmnopqrstuvwxyz"
}
_SIGNS: Final = {"[": "[", "]": "]", "+": "+", "-": "-", "=": "+", "?": "?"}
_SIGNS_BY_PLACE: Final = {
    pygame.KSCAN_LEFTBRACKET: "[",
    pygame.KSCAN_RIGHTBRACKET: "]",
    pygame.KSCAN_EQUALS: "+",
    pygame.KSCAN_MINUS: "-",
    pygame.KSCAN_SLASH: "?",
}


def key_name(keycode: int, scancode: int) -> str:
    """Name a key as `display.Press` does.

    Args:
        keycode: What the layout makes of it, as SDL gives it.
        scancode: Where it is.

    Returns:
        The name, empty for what only changes what others mean.
    """
    if scancode in _LOCKS or scancode >= pygame.KSCAN_LCTRL:  # Control, Shift, Alt, media keys
        return ""
    if name := _BY_PLACE.get(scancode):
        return name
    cap = chr(keycode).lower() if 0 < keycode <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's last
    if len(cap) == 1 and "a" <= cap <= "z":
        return cap
    if cap in _SIGNS:
        return _SIGNS[cap]
    place = _LETTERS_BY_PLACE.get(scancode) or _SIGNS_BY_PLACE.get(scancode)
    return place or pygame.key.name(keycode)
