"""Draws a `View`: the live picture, the verdict, the classes, and what goes on.

The canvas is kept from one call to the next and only what changed is drawn again, so that a
steady picture costs little more than scaling the video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.cards import Column
from edge_classifier.errors import InvalidValueError
from edge_classifier.floating import draw_help, draw_message, draw_prompt
from edge_classifier.painter import (
    ACCENT,
    CARD,
    MUTED,
    RAISED,
    RED,
    TEXT,
    WINDOW,
    Box,
    Painter,
    bar,
    fill,
    float_frame,
    readable,
    round_corners,
)
from edge_classifier.text import BOLD, SEMIBOLD, TextRenderer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from edge_classifier.frame import Image
    from edge_classifier.view import Activity, Banner, Rates, View

DEFAULT_SIZE: Final = (1040, 656)
"""Width and height in pixels: a 640x480 camera is shown one to one, and a laptop has room."""

_SMALLEST: Final = (760, 480)
_MARGIN: Final = 16
_HEADER: Final = 44
_BANNER: Final = 76
_FOOTER: Final = 36
_UNKNOWN_GREY: Final = (176, 168, 162)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is on the canvas."""

    title: Box
    activity: Box
    video: Box
    banner: Box
    cards: Box
    hint: Box
    rates: Box

    @classmethod
    def of(cls, size: tuple[int, int]) -> Layout:
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
            activity=Box(column, 0, column_width, _HEADER),
            video=video,
            banner=banner,
            cards=Box(column, _HEADER, column_width, banner.bottom - _HEADER),
            hint=Box(_MARGIN, footer, video_width, _FOOTER),
            rates=Box(column, footer, column_width, _FOOTER),
        )


class Overlay:
    """Draws views on a canvas of its own.

    Args:
        size: Width and height of the canvas in pixels.
        text: Draws the text; by default in any script that the machine has fonts for.

    Raises:
        InvalidValueError: if the canvas is too small to hold everything.
    """

    def __init__(
        self, size: tuple[int, int] = DEFAULT_SIZE, text: TextRenderer | None = None
    ) -> None:
        self.layout = Layout.of(size)
        self._painter = Painter(text or TextRenderer())
        self._canvas: Image = np.full((size[1], size[0], 3), WINDOW, np.uint8)
        self._column = Column(self._painter, self.layout.cards)
        self._drawn: dict[str, Hashable] = {}

    def draw(self, view: View) -> Image:
        """Draw a view.

        Returns:
            `(height, width, 3)` uint8, BGR: the overlay's own canvas, which the next call draws
            over. Copy it to keep it.
        """
        self._update("title", view.title, lambda: self._title(view.title))
        activity = view.activity
        self._update("activity", activity, lambda: self._activity(activity))
        # Without a verdict the banner says what to do next, and the footer need not repeat it.
        verdict = (view.banner, view.hint if view.banner is None else "")
        self._update("banner", verdict, lambda: self._banner(view.banner, view.hint))
        hint = "" if view.banner is None else view.hint
        self._update("hint", hint, lambda: self._footnote(self.layout.hint, hint))
        self._update("rates", view.rates, lambda: self._rates(view.rates))
        self._column.draw(self._canvas, view.cards, mirrored=view.mirrored)
        self._video(view)
        return self._canvas

    def _update(self, region: str, content: Hashable, draw: Callable[[], None]) -> None:
        if region not in self._drawn or self._drawn[region] != content:
            draw()
            self._drawn[region] = content

    def _title(self, title: str) -> None:
        box = self.layout.title
        box.of(self._canvas)[:] = WINDOW
        self._painter.put(self._canvas, box, title, 15, MUTED, WINDOW, weight=500)

    def _activity(self, activity: Activity) -> None:
        canvas, box = self._canvas, self.layout.activity
        box.of(canvas)[:] = WINDOW
        left = box.left
        if activity.recording:
            dot = Box(left, box.top + box.height // 2 - 6, 12, 12)
            fill(canvas, dot, RED, WINDOW, 6)
            left = dot.right + 8
        progress_width = 0 if activity.progress is None else 120
        line = Box(left, box.top, box.right - left - progress_width - 12, box.height)
        colour = TEXT if activity.recording or activity.progress is not None else MUTED
        self._painter.put(canvas, line, activity.text, 15, colour, WINDOW, weight=500)
        if activity.progress is not None:
            track = Box(box.right - 120, box.top + box.height // 2 - 4, 120, 8)
            bar(canvas, track, activity.progress, ACCENT, WINDOW)

    def _banner(self, banner: Banner | None, hint: str) -> None:
        canvas, box = self._canvas, self.layout.banner
        fill(canvas, box, CARD, WINDOW, 10)
        inside = Box(box.left + 20, box.top + 3, box.width - 40, box.height - 16)
        if banner is None:
            lines = self._painter.text.wrap(hint, 19, inside.width, 2)
            top = box.top + (box.height - 27 * len(lines)) // 2
            place = Box(inside.left, top, inside.width, box.bottom - top)
            self._painter.put_lines(canvas, place, lines, 19, TEXT, CARD)
            return
        colour = _UNKNOWN_GREY if banner.unknown else readable(banner.colour)
        taken = 0
        if banner.confidence is not None:
            text = f"{round(banner.confidence * 100)} %"
            taken = 24 + self._painter.put(
                canvas, inside, text, 34, TEXT, CARD, weight=SEMIBOLD, align="right"
            )
        label = Box(inside.left, inside.top, inside.width - taken, inside.height)
        self._painter.put(canvas, label, banner.label, 40, colour, CARD, weight=BOLD)
        if banner.confidence is not None:
            track = Box(inside.left, box.bottom - 11, inside.width, 4)
            bar(canvas, track, banner.confidence, colour, CARD)

    def _footnote(self, box: Box, text: str) -> None:
        box.of(self._canvas)[:] = WINDOW
        self._painter.put(self._canvas, box, text, 15, TEXT, WINDOW)

    def _rates(self, rates: Rates) -> None:
        canvas, box = self._canvas, self.layout.rates
        box.of(canvas)[:] = WINDOW
        text = (
            f"{rates.fps:.0f} fps · capture {rates.capture_ms:.1f} · inference "
            f"{rates.inference_ms:.1f} · drawing {rates.drawing_ms:.1f} ms"
        )
        self._painter.put(canvas, box, text, 13, MUTED, WINDOW)

    def _video(self, view: View) -> None:
        canvas, box = self._canvas, self.layout.video
        if view.image is None:
            fill(canvas, box, CARD, WINDOW, 10)
            self._painter.put(
                canvas, box, "waiting for the camera …", 18, MUTED, CARD, align="centre"
            )
        else:
            square = _show_picture(canvas, box, view.image, mirrored=view.mirrored)
            _mark_square(canvas, square, RED if view.activity.recording else TEXT)
            round_corners(canvas, box, WINDOW)
        if view.prompt is not None or view.help_lines:
            _dim(box.of(canvas))
        if view.paused:
            tag = Box(box.left + 12, box.top + 12, 84, 30)
            float_frame(canvas, tag, RAISED, RAISED)
            self._painter.put(canvas, tag, "paused", 15, TEXT, RAISED, weight=500, align="centre")
        if view.prompt is not None:
            draw_prompt(self._painter, canvas, box, view.prompt)
        elif view.help_lines:
            draw_help(self._painter, canvas, box, view.help_lines)
        if view.message is not None:
            draw_message(self._painter, canvas, box, view.message)


def _show_picture(canvas: Image, box: Box, image: Image, *, mirrored: bool) -> Box:
    """Scale a picture so that the square the model sees fits exactly, and dim the rest.

    Returns:
        Where that square is on the canvas.
    """
    height, width = image.shape[:2]
    side = min(box.width, box.height)
    scale = side / min(height, width)
    shown_width = min(box.width, max(side, round(width * scale)))
    shown_height = min(box.height, max(side, round(height * scale)))
    part_width = min(width, max(1, round(shown_width / scale)))
    part_height = min(height, max(1, round(shown_height / scale)))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    part = image[top : top + part_height, left : left + part_width]
    place = Box(
        box.left + (box.width - shown_width) // 2,
        box.top + (box.height - shown_height) // 2,
        shown_width,
        shown_height,
    )
    target = place.of(canvas)
    if place != box:
        box.of(canvas)[:] = CARD
    if part.shape == target.shape:
        if mirrored:
            cv2.flip(part, 1, dst=target)
        else:
            target[:] = part
    elif mirrored:
        scaled = cv2.resize(part, (shown_width, shown_height), interpolation=cv2.INTER_LINEAR)
        cv2.flip(scaled, 1, dst=target)
    else:
        cv2.resize(part, (shown_width, shown_height), dst=target, interpolation=cv2.INTER_LINEAR)
    square = Box(box.left + (box.width - side) // 2, box.top + (box.height - side) // 2, side, side)
    _dim(canvas[place.top : place.bottom, place.left : square.left])
    _dim(canvas[place.top : place.bottom, square.right : place.right])
    _dim(canvas[place.top : square.top, square.left : square.right])
    _dim(canvas[square.bottom : place.bottom, square.left : square.right])
    return square


def _dim(region: Image) -> None:
    if region.size:
        cv2.convertScaleAbs(region, dst=region, alpha=0.45)


def _mark_square(canvas: Image, square: Box, colour: tuple[int, int, int]) -> None:
    """Mark the corners of the square that the model sees."""
    box, arm, thick = square.inner(8), 22, 2
    for top in (box.top, box.bottom - thick):
        canvas[top : top + thick, box.left : box.left + arm] = colour
        canvas[top : top + thick, box.right - arm : box.right] = colour
    for left in (box.left, box.right - thick):
        canvas[box.top : box.top + arm, left : left + thick] = colour
        canvas[box.bottom - arm : box.bottom, left : left + thick] = colour
