"""Text in any script, as small pictures that are made once and then only copied.

A text is split into runs that one face can draw; runs are set in the order in which they are
read, and a text that begins from right to left is laid out from right to left. What no font can
draw becomes a replacement character, and the log says once which script lacks a font.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.screen.fonts import EmbeddedFace, SystemFonts, needs_shaping

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.screen.fonts import Face, FindFace
    from edge_classifier.values import Colour

    Mask = npt.NDArray[np.uint8]

REGULAR: Final = 400
SEMIBOLD: Final = 560
BOLD: Final = 700

_ASCENT: Final = 1.08
"""Of a line, in ems, above the baseline: fits capitals with two accents."""
_DESCENT: Final = 0.36
_ELLIPSIS: Final = "…"
_HINTS_END: Final = 36
"""Characters at the end of a hint that are always shown."""
_BETWEEN_WORDS: Final = re.compile(r"[^\S\u00a0\u202f]+")
"""All white space but what keeps a number and its unit on one line."""
_CACHED: Final = 256
"""Lines; figures that change twice a second fill it with some megabytes within two minutes."""


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    face: Face


def line_height(size: int) -> int:
    """Return the height in pixels of a line of text of this size."""
    return baseline(size) + round(size * _DESCENT)


def baseline(size: int) -> int:
    """Return how far below the top of its line the letters stand, in pixels."""
    return round(size * _ASCENT)


def tidy(text: str) -> str:
    """Compose accents, make any white space a space, and drop what has no shape.

    Controls that reorder text or begin a line are dropped: they could move a name out of its box.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    spaced = (" " if character.isspace() else character for character in composed)
    return "".join(character for character in spaced if _has_meaning(character))


def _has_meaning(character: str) -> bool:
    if character in "\u200c\u200d":  # they choose between joined and separate letters
        return True
    if "\ufe00" <= character <= "\ufe0f":  # they choose between emoji and plain symbols
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def _joins(character: str) -> bool:
    """Say whether a character belongs to the one before it."""
    return character in "\u200c\u200d" or unicodedata.category(character) in ("Mn", "Me", "Mc")


class TextRenderer:
    """Draws lines of text and keeps what it has drawn.

    What `face` does not cover is drawn by a face that `find_face` finds for the character. Sizes
    and widths are those of a layout, whose unit is `scale` pixels; pictures of text are in pixels.
    """

    def __init__(
        self, face: Face | None = None, find_face: FindFace | None = None, scale: float = 1.0
    ) -> None:
        self._face: Face = face or EmbeddedFace()
        self._find_face = find_face or SystemFonts().find
        self._scale = scale
        self._widths = lru_cache(_CACHED)(
            lambda text, size, weight: self._measure(self._runs(tidy(text)), size, weight)
        )
        self._bitmaps = lru_cache(_CACHED)(
            lambda colour, background, *line: tint(self.mask(*line), colour, background)
        )

    def at(self, scale: float) -> TextRenderer:
        """Return one for another scale, with the same fonts."""
        return TextRenderer(self._face, self._find_face, scale)

    def width(self, text: str, size: int, weight: int = REGULAR) -> int:
        """Return the width of a text on one line."""
        return math.ceil(self._widths(text, self._pixels(size), weight) / self._scale)

    def bitmap(
        self,
        text: str,
        size: int,
        colour: Colour,
        background: Colour,
        *,
        weight: int = REGULAR,
        max_width: int | None = None,
    ) -> Image:
        """Draw a line of text, in any script; one wider than `max_width` ends in an ellipsis.

        `size` is the em, `weight` 300 (light) to 900 (black); colours are BGR.

        Returns:
            `(H, W, 3)` uint8, BGR, H being the `line_height` of the size in pixels. It is shared:
            do not write to it.
        """
        return self._bitmaps(colour, background, text, size, weight, max_width)

    def mask(
        self, text: str, size: int, weight: int = REGULAR, max_width: int | None = None
    ) -> Mask:
        """Draw a line of text as `(H, W)` uint8, with 255 for ink."""
        size = self._pixels(size)
        max_width = None if max_width is None else int(max_width * self._scale)
        runs = self._fit(tidy(text), size, weight, max_width)
        width = self._measure(runs, size, weight)
        if max_width is not None:
            width = min(width, max_width)
        # Slanted and swashed letters reach over their advance; the margin is cut off again.
        mask = np.zeros((line_height(size), max(width, 0) + 1), np.uint8)
        left = 0
        for run in runs:
            run.face.draw(mask, run.text, left, baseline(size), size, weight)
            left += run.face.width(run.text, size, weight)
        return mask[:, :-1]

    def _pixels(self, size: int) -> int:
        return max(1, round(size * self._scale))

    def tail(self, text: str, size: int, max_width: int) -> str:
        """Return the longest end of a text that fits, after an ellipsis if any was cut."""
        cleaned = tidy(text)
        if self.width(cleaned, size) <= max_width:
            return cleaned
        for start in range(1, len(cleaned)):
            shortened = _ELLIPSIS + cleaned[start:]
            if not _joins(cleaned[start]) and self.width(shortened, size) <= max_width:
                return shortened
        return _ELLIPSIS

    def wrap(self, text: str, size: int, max_width: int, max_lines: int) -> list[str]:
        """Break a text at spaces into lines that fit; the last one takes all that is left."""
        lines: list[str] = []
        for word in map(tidy, _BETWEEN_WORDS.split(text.strip())):
            if not word:
                continue
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and (len(lines) == max_lines or self.width(joined, size) <= max_width):
                lines[-1] = joined
            else:
                lines.append(word)
        return lines

    def elided(self, text: str, size: int, max_width: int) -> str:
        """Leave out some of the middle of what needs over two lines: its end tells the key."""

        def fits(text: str) -> bool:
            return len(self.wrap(text, size, max_width, 3)) <= 2  # noqa: PLR2004 - lines

        if fits(text):
            return text
        end = f" {_ELLIPSIS} {text[-_HINTS_END:]}"
        length = _longest(len(text) - _HINTS_END, lambda length: fits(text[:length] + end))
        return text[:length] + end

    def _fit(self, text: str, size: int, weight: int, max_width: int | None) -> list[_Run]:
        runs = self._runs(text)
        if max_width is None or self._measure(runs, size, weight) <= max_width:
            return runs

        def fit(length: int) -> bool:
            runs = self._runs(text[:length].rstrip() + _ELLIPSIS)
            return self._measure(runs, size, weight) <= max_width

        fits = _longest(len(text), fit)
        while fits > 0 and _joins(text[fits]):
            fits -= 1
        return self._runs(text[:fits].rstrip() + _ELLIPSIS)

    def _measure(self, runs: list[_Run], size: int, weight: int) -> int:
        return sum(run.face.width(run.text, size, weight) for run in runs)

    def _runs(self, text: str) -> list[_Run]:
        if text.isascii():
            return [_Run(text, self._face)] if text else []
        whole = self._face_for_all(text)
        if whole is not None:
            return [_Run(text, whole)]
        runs: list[_Run] = []
        for character in text:
            last = runs[-1] if runs else None
            face, shown = self._choose(character, last.face if last else None)
            if last is None:
                runs.append(_Run(shown, face))
            elif face is last.face:
                runs[-1] = _Run(last.text + shown, face)
            elif _joins(character) and face.covers(last.text[-1:]):
                # An accent is placed on its letter only where one face draws both.
                runs[-1:] = [_Run(last.text[:-1], last.face), _Run(last.text[-1:] + shown, face)]
            else:
                runs.append(_Run(shown, face))
        return runs[::-1] if _reads_leftwards(text) else runs

    def _face_for_all(self, text: str) -> Face | None:
        """Return one face for a whole text that mixes directions, so that it orders the parts."""
        first = next((character for character in text if needs_shaping(character)), None)
        face = None if first is None else self._find_face(first)
        if face is None:
            return None
        plain = (character for character in text if character not in "\u200c\u200d")
        return face if all(face.covers(character) for character in plain) else None

    def _choose(self, character: str, current: Face | None) -> tuple[Face, str]:
        """Return the face for a character, and the character or what stands for it."""
        if current is not None and (character == " " or _joins(character)):
            if current.covers(character):
                return current, character
            if character in "\u200c\u200d":
                return current, ""
        if self._face.covers(character):
            return self._face, character
        found = self._find_face(character)
        if found is not None:
            return found, character
        replacement = "\ufffd" if self._face.covers("\ufffd") else "?"
        return self._face, replacement


def _longest(limit: int, fits: Callable[[int], bool]) -> int:
    """Return the largest length below a limit that fits; 0 where none does."""
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def _reads_leftwards(text: str) -> bool:
    """Say whether the first character with a direction reads from right to left."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((way for way in directions if way in ("L", "R", "AL")), "L") != "L"


def tint(mask: Mask, colour: Colour, background: Colour) -> Image:
    """Turn a mask into a picture, `(H, W, 3)` BGR, blending from background to colour."""
    share = np.arange(256, dtype=np.float32)[:, None] / 255
    below = np.asarray(background, np.float32)
    ramp = below + share * (np.asarray(colour, np.float32) - below)
    table = np.rint(ramp).astype(np.uint8)
    picture: Image = table[mask]
    return picture
