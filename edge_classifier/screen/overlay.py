"""Draws a `View`: the live picture, the verdict, the classes, and what goes on.

The canvas is kept from one call to the next and only what changed is drawn again, so that a
steady picture costs little more than scaling the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.heat import draw_heat
from edge_classifier.errors import InvalidValueError
from edge_classifier.screen.canvas import (
    ACCENT,
    CARD,
    MUTED,
    RAISED,
    RED,
    TEXT,
    WINDOW,
    Box,
    Canvas,
)
from edge_classifier.screen.class_cards import ClassCards
from edge_classifier.screen.live_picture import dim, draw_picture, mark_square
from edge_classifier.screen.picture_strip import STRIP_HEIGHT, draw_strip
from edge_classifier.screen.popups import draw_help, draw_message, draw_prompt
from edge_classifier.screen.text import TextRenderer, line_height
from edge_classifier.screen.verdict import draw_first_hint, draw_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.view import Activity, Banner, Rates, View
    from edge_classifier.values import Colour

DEFAULT_SIZE: Final = (1040, 680)
"""Width and height in pixels: a 640x480 camera is shown one to one, and a laptop has room."""

_SMALLEST: Final = (760, 480)
_MARGIN: Final = 16
_HEADER: Final = 48
_BANNER: Final = 92
_FOOTER: Final = 48
_RATES: Final = 20
_SMALL: Final = 15
"""Letters of the header and the footer, in pixels; smaller ones where a line does not fit."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Where everything is on the canvas."""

    title: Box
    activity: Box
    rates: Box
    video: Box
    banner: Box
    cards: Box
    hint: Box
    quality: Box

    @classmethod
    def of(cls, size: tuple[int, int]) -> Regions:
        """Divide a canvas of `(width, height)` pixels.

        Raises:
            InvalidValueError: if it is too small to hold everything.
        """
        width, height = size
        if width < _SMALLEST[0] or height < _SMALLEST[1]:
            raise InvalidValueError(
                f"Expected a canvas of at least {_SMALLEST[0]}x{_SMALLEST[1]} pixels, received "
                f"{width}x{height}."
            )
        column_width = min(352, width * 352 // 1040)
        video_width = width - column_width - 3 * _MARGIN
        video_height = height - _HEADER - _BANNER - _FOOTER - 12
        column = video_width + 2 * _MARGIN
        video = Box(_MARGIN, _HEADER, video_width, video_height)
        banner = Box(_MARGIN, video.bottom + 12, video_width, _BANNER)
        footer = height - _FOOTER
        return cls(
            title=Box(_MARGIN, 0, video_width, _HEADER),
            activity=Box(column, 2, column_width, _HEADER - _RATES - 2),
            rates=Box(column, _HEADER - _RATES - 2, column_width, _RATES),
            video=video,
            banner=banner,
            cards=Box(column, _HEADER, column_width, banner.bottom - _HEADER),
            hint=Box(_MARGIN, footer, video_width, _FOOTER),
            quality=Box(column, footer, column_width, _FOOTER),
        )


class Overlay:
    """Draws views on a canvas of its own, `size` being its width and height in pixels.

    Raises:
        InvalidValueError: if the canvas is too small to hold everything.
    """

    def __init__(
        self, size: tuple[int, int] = DEFAULT_SIZE, text: TextRenderer | None = None
    ) -> None:
        self.regions = Regions.of(size)
        pixels = np.full((size[1], size[0], 3), WINDOW, np.uint8)
        self._canvas = Canvas(pixels, text or TextRenderer())
        self._cards = ClassCards(self._canvas, self.regions.cards)
        self._drawn: dict[str, tuple[Hashable, ...]] = {}

    def draw(self, view: View) -> Image:
        """Draw a view.

        Returns:
            `(height, width, 3)` uint8, BGR: the overlay's own canvas, which the next call draws
            over. Copy it to keep it.
        """
        self._update(self._title, view.title)
        self._update(self._activity, view.activity)
        # Without a verdict the banner says what to do next, and the footer need not repeat it.
        no_verdict = view.banner is None
        self._update(self._banner, view.banner, view.hint if no_verdict else "")
        self._update(self._hint, "" if no_verdict else view.hint)
        self._update(self._quality, view.quality)
        self._update(self._rates, view.rates)
        self._cards.draw(view.cards, mirrored=view.mirrored)
        self._video(view)
        return self._canvas.pixels

    def _update(self, draw: Callable[..., None], *content: Hashable) -> None:
        if self._drawn.get(draw.__name__) != content:
            draw(*content)
            self._drawn[draw.__name__] = content

    def _title(self, title: str) -> None:
        self._small_print(self.regions.title, title, 13, MUTED)

    def _activity(self, activity: Activity) -> None:
        canvas, box = self._canvas, self.regions.activity
        box.of(canvas.pixels)[:] = WINDOW
        left = box.left
        if activity.recording:
            dot = Box(left, box.top + box.height // 2 - 6, 12, 12)
            canvas.fill(dot, RED, WINDOW, 6)
            left = dot.right + 8
        progress_width = 0 if activity.progress is None else 120
        line = Box(left, box.top, box.right - left - progress_width - 12, box.height)
        colour = TEXT if activity.recording or activity.progress is not None else MUTED
        canvas.write(line, activity.text, 15, colour, WINDOW, weight=500)
        if activity.progress is not None:
            track = Box(box.right - 120, box.top + box.height // 2 - 4, 120, 8)
            canvas.bar(track, activity.progress, ACCENT, WINDOW)

    def _banner(self, banner: Banner | None, hint: str) -> None:
        if banner is None:
            draw_first_hint(self._canvas, self.regions.banner, hint)
        else:
            draw_verdict(self._canvas, self.regions.banner, banner)

    def _hint(self, hint: str) -> None:
        box = self.regions.hint
        self._small_print(box, self._canvas.text.elided(hint, 14, box.width), 14, TEXT)

    def _quality(self, text: str) -> None:
        box = self.regions.quality
        first, _, rest = text.partition(" · ")
        if rest and not self._fits(text, box):
            self._lines(box, [first, rest], 14, TEXT)
        else:
            self._small_print(box, text, 14, TEXT)

    def _small_print(self, box: Box, text: str, smaller: int, colour: Colour) -> None:
        """Draw one line, or up to two smaller ones."""
        size = _SMALL if self._fits(text, box) else smaller
        self._lines(box, self._canvas.text.wrap(text, size, box.width, 2), size, colour)

    def _fits(self, text: str, box: Box) -> bool:
        return len(self._canvas.text.wrap(text, _SMALL, box.width, 2)) <= 1

    def _lines(self, box: Box, lines: list[str], size: int, colour: Colour) -> None:
        """Draw lines on the window, vertically centred in a box of their own."""
        box.of(self._canvas.pixels)[:] = WINDOW
        top = box.top + (box.height - line_height(size) * len(lines)) // 2
        place = Box(box.left, top, box.width, box.height)
        self._canvas.write_lines(place, lines, size, colour, WINDOW)

    def _rates(self, rates: Rates) -> None:
        canvas, box = self._canvas, self.regions.rates
        box.of(canvas.pixels)[:] = WINDOW
        text = (
            f"{rates.fps:.0f} fps · capture {rates.capture_ms:.1f} · inference "
            f"{rates.inference_ms:.1f} · drawing {rates.drawing_ms:.1f} ms"
        )
        canvas.write(box, text, 13, MUTED, WINDOW)

    def _video(self, view: View) -> None:
        canvas, box = self._canvas, self.regions.video
        if view.strip is not None:
            height = min(STRIP_HEIGHT, box.height // 2)
            below = Box(box.left, box.bottom - height, box.width, height)
            draw_strip(canvas, below, view.strip, mirrored=view.mirrored)
            box = Box(box.left, box.top, box.width, box.height - height - 8)
            Box(box.left, box.bottom, box.width, 8).of(canvas.pixels)[:] = WINDOW
        if view.image is None:
            canvas.fill(box, CARD, WINDOW)
            canvas.write(box, "waiting for the camera …", 18, MUTED, CARD, align="centre")
        else:
            square = draw_picture(canvas, box, view.image, mirrored=view.mirrored)
            if view.heat is not None:
                heat = view.heat[:, ::-1] if view.mirrored else view.heat
                draw_heat(square.of(canvas.pixels), heat)
            mark_square(canvas, square, RED if view.activity.recording else TEXT)
            canvas.round_corners(box, WINDOW)
        asked_about_picture = view.prompt is not None and view.prompt.picture is not None
        if view.help_lines or (view.prompt is not None and not asked_about_picture):
            dim(box.of(canvas.pixels))
        if view.paused:
            tag = Box(box.left + 12, box.top + 12, 84, 30)
            canvas.frame_over(tag, RAISED, RAISED)
            canvas.write(tag, "paused", 15, TEXT, RAISED, weight=500, align="centre")
        if view.prompt is not None:
            draw_prompt(canvas, box, view.prompt, mirrored=view.mirrored)
        elif view.help_lines:
            draw_help(canvas, box, view.help_lines)
        if view.message is not None:
            draw_message(canvas, box, view.message)
