"""The colours of classes, told apart also by colour-blind eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_classifier.values import Colour

# Okabe and Ito, "Color Universal Design" (2008), without black; the last two, for the eighth
# and ninth class, are from Paul Tol's "muted" scheme (SRON/EPS/TN/09-002).
_HEX: Final = (
    "#56b4e9",  # sky blue
    "#e69f00",  # orange
    "#009e73",  # bluish green
    "#cc79a7",  # reddish purple
    "#f0e442",  # yellow
    "#d55e00",  # vermillion
    "#0072b2",  # blue
    "#ddcc77",  # sand
    "#882255",  # wine
)


def colour_from_hex(text: str) -> Colour:
    """Read `#rrggbb`.

    Args:
        text: Seven characters.

    Returns:
        Blue, green, red.

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


PALETTE: Final[tuple[Colour, ...]] = tuple(colour_from_hex(text) for text in _HEX)
"""Nine colours, blue, green, red, in the order they are given out."""


BACKGROUND_COLOUR: Final[Colour] = colour_from_hex("#b0a18f")
"""Of the empty scene, which is a class but no thing: a warm grey, unlike that of "unknown"."""


def next_colour(used: Iterable[Colour]) -> Colour:
    """Choose the colour of one more class.

    Args:
        used: The colours of the classes there are.

    Returns:
        The first of the palette that is used least.
    """
    colours = list(used)
    return min(PALETTE, key=colours.count)


def key_of(class_names: tuple[str, ...], class_name: str, background: str) -> str | None:
    """Return what records a class: `1` to `9`, `B` for the background, or `None` beyond nine."""
    if class_name == background:
        return "B"
    index = [name for name in class_names if name != background].index(class_name)
    return str(index + 1) if index < 9 else None  # noqa: PLR2004 - nine digit keys
