"""The row of what can be pressed where there is no keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.screen.canvas import LINE, RAISED, TEXT, WINDOW, Box, Canvas, Target

if TYPE_CHECKING:
    from edge_classifier.live.view import Button

_LETTERS: Final = 15
_TWO_ROWS: Final = 70
_ONE_ROW: Final = 3
_WIDEST, _HIGHEST = 160, 40
"""Of the buttons: fingers need some 7 mm, eyes no more than this."""


def draw_buttons(canvas: Canvas, bar: Box, buttons: tuple[Button, ...], pressed: str) -> None:
    """Draw buttons beside each other; the one that is `pressed` is drawn so."""
    canvas.clear(bar, WINDOW)
    for box, button in zip(_button_places(bar, len(buttons)), buttons, strict=True):
        colour = LINE if button.press == pressed else RAISED
        canvas.fill(box, colour, WINDOW, 8)
        inside = box.inner(4)
        size = canvas.fitting(button.text, _LETTERS, inside.width)
        canvas.write(inside, button.text, size, TEXT, colour, align="centre")


def button_targets(bar: Box, buttons: tuple[Button, ...]) -> list[Target]:
    """Return where each can be pressed."""
    places = _button_places(bar, len(buttons))
    return [Target(box, button.press) for box, button in zip(places, buttons, strict=True)]


def _button_places(bar: Box, count: int) -> list[Box]:
    """Divide the bar among so many buttons, in two rows where it is high enough for that."""
    if not count:
        return []
    rows = 2 if bar.height > _TWO_ROWS and count > _ONE_ROW else 1
    columns = -(-count // rows)
    width = min(_WIDEST, (bar.width + 8) // columns - 8)
    height = min(_HIGHEST, (bar.height + 6) // rows - 6)
    return [
        Box(
            bar.left + n % columns * (width + 8),
            bar.top + n // columns * (height + 6),
            width,
            height,
        )
        for n in range(count)
    ]
