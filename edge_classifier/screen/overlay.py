"""Draws a `View`: the live picture, the verdict, the classes, and what goes on.

The canvas is kept from one call to the next and only what changed is drawn again, so that a
steady picture costs little more than scaling the video.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.heat import draw_heat
from edge_classifier.languages.language import ENGLISH, Language
from edge_classifier.languages.text import Text
from edge_classifier.live.translation import in_language
from edge_classifier.live.view import Mode
from edge_classifier.screen.buttons import button_targets, draw_buttons
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
    Target,
)
from edge_classifier.screen.class_cards import ClassCards
from edge_classifier.screen.gallery import GalleryPanel
from edge_classifier.screen.layout import RATES, Regions
from edge_classifier.screen.live_picture import dim, draw_framed, draw_picture, mark_square
from edge_classifier.screen.menu import draw_menu
from edge_classifier.screen.popups import draw_help, draw_message, draw_prompt
from edge_classifier.screen.text import TextRenderer, line_height
from edge_classifier.screen.verdict import draw_first_hint, draw_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.display import Room
    from edge_classifier.live.view import Activity, Banner, Button, Menu, Rates, View
    from edge_classifier.values import Colour

DESIGN_SIZE: Final = (1040, 724)
"""Width and height of the layout: a 640x480 camera is shown one to one, and a laptop has room."""

_SMALLEST: Final = (640, 400)
"""A window that is smaller than this is drawn smaller; upright the other way round."""

_SMALL: Final = 15
"""Letters of the header and the footer; smaller ones where a line does not fit."""
_HINT: Final = (_SMALL, 12)
_TWO_LINES: Final = 13
"""Letters of what goes on, where it takes two lines."""


def scale_of(size: tuple[int, int]) -> float:
    """Return how many pixels a unit of the layout is in a window of `(width, height)` pixels.

    A large window is a larger picture of the same; in a small one letters stay as large as they
    are, and what is beside the picture makes room, until there is no more to be had.
    """
    width, height = size
    design, smallest = (DESIGN_SIZE, _SMALLEST) if width >= height else (
        DESIGN_SIZE[::-1], _SMALLEST[::-1],
    )  # fmt: skip
    whole = min(width / design[0], height / design[1])
    return max(whole, min(1.0, width / smallest[0], height / smallest[1]))


class Overlay:
    """Draws views on a canvas of its own, `size` being its width and height in pixels."""

    def __init__(
        self,
        size: tuple[int, int] = DESIGN_SIZE,
        text: TextRenderer | None = None,
        language: Language | None = None,
    ) -> None:
        self.size = size
        self._language = language or Language.load(ENGLISH)
        scale = scale_of(size)
        self.regions = Regions.of((int(size[0] / scale), int(size[1] / scale)))
        pixels = np.full((size[1], size[0], 3), WINDOW, np.uint8)
        self._canvas = Canvas(pixels, text or TextRenderer(), scale)
        self._cards = ClassCards(self._canvas, self.regions.cards, self._language)
        self._gallery = GalleryPanel(self._canvas, self.regions.video, self._language)
        self._drawn: dict[str, tuple[Hashable, ...]] = {}
        self._targets: list[Target] = []
        self._covered = False
        self._framed: tuple[Box, bool] | None = None
        """Where the picture is that a region is chosen in, in pixels, and whether mirrored."""

    def draw(self, view: View, pressed: str = "") -> Image:
        """Draw a view; what is `pressed`, as `display.Press` names it, is drawn so.

        Returns:
            `(height, width, 3)` uint8, BGR: the overlay's own canvas, which the next call draws
            over. Copy it to keep it.
        """
        view = in_language(view, self._language)
        self._framed = None
        if view.menu is not None:
            self._update(self._menu, view.menu, view.buttons, pressed)
            return self._canvas.pixels
        if self._covered:  # so that all is drawn anew, which is drawn once else
            self._covered = False
            self._canvas.pixels[:] = WINDOW
            self._drawn.clear()
            self._cards.forget()
        self._update(self._title, view.title)
        self._update(self._rates, view.rates)
        self._update(self._activity, view.activity, view.rates is None)
        # Without a verdict the banner says what to do next, and the footer need not repeat it.
        no_verdict = view.banner is None
        small = view.gallery is not None
        self._update(self._banner, view.banner, view.hint if no_verdict else "", small)
        self._update(self._hint, "" if no_verdict else view.hint)
        self._update(self._quality, view.quality)
        self._update(self._buttons, view.buttons, pressed)
        self._targets = [
            *self._cards.draw(view.cards, mirrored=view.mirrored),
            *button_targets(self.regions.buttons, view.buttons),
            *(self._stored_pictures(view) if view.gallery else self._live_picture(view)),
            *self._help(view),
        ]
        return self._canvas.pixels

    def _menu(self, menu: Menu, buttons: tuple[Button, ...], pressed: str) -> None:
        """Draw what is to be chosen first, and the buttons."""
        self._covered = True
        self._canvas.pixels[:] = WINDOW
        self._buttons(buttons, pressed)
        room = Box(0, 0, self.regions.size[0], self.regions.buttons.top - 4)
        choices = draw_menu(self._canvas, room, menu, pressed)
        self._targets = [*choices, *button_targets(self.regions.buttons, buttons)]

    @property
    def room(self) -> Room | None:
        """How many pictures there is room for in the gallery that is shown, if one is."""
        return self._gallery.room

    def target_at(self, x: int, y: int) -> str:
        """Return what can be pressed at a pixel, as `display.Press` names it, or nothing."""
        at = (x / self._canvas.scale, y / self._canvas.scale)
        return next((name for box, name in reversed(self._targets) if box.holds(*at)), "")

    def part_at(self, x: int, y: int) -> tuple[float, float] | None:
        """Return where in the picture a pixel is, the nearest where it is beside it.

        Returns:
            Parts of its width and height, as it came; `None` where no region is chosen in it.
        """
        if self._framed is None:
            return None
        place, mirrored = self._framed
        across = min(max((x - place.left) / place.width, 0.0), 1.0)
        down = min(max((y - place.top) / place.height, 0.0), 1.0)
        return (1 - across if mirrored else across), down

    def _update(self, draw: Callable[..., None], *content: Hashable) -> None:
        if self._drawn.get(draw.__name__) != content:
            draw(*content)
            self._drawn[draw.__name__] = content

    def _title(self, title: str) -> None:
        self._small_print(self.regions.title, title, 13, MUTED)

    def _activity(self, activity: Activity, alone: bool) -> None:  # noqa: FBT001 - as `_update` gives it
        """Say what goes on, in two lines where one is too short and nothing is below it."""
        canvas, box = self._canvas, self.regions.activity
        whole = Box(box.left, box.top, box.width, box.height + RATES * alone)
        canvas.clear(whole, WINDOW)
        left = box.left
        if activity.recording:
            dot = Box(left, box.top + box.height // 2 - 6, 12, 12)
            canvas.fill(dot, RED, WINDOW, 6)
            left = dot.right + 8
        progress_width = 0 if activity.progress is None else min(120, box.width // 4)
        line = Box(left, box.top, box.right - left - progress_width - 12, box.height)
        colour = TEXT if activity.recording or activity.progress is not None else MUTED
        size = canvas.fitting(activity.text, 15, line.width, 500)
        if alone and size < _TWO_LINES:
            place = Box(line.left, line.top, line.width, whole.height)
            self._lines(place, *canvas.wrapped(activity.text, _TWO_LINES, line.width, 2), colour)
        else:
            canvas.write(line, activity.text, size, colour, WINDOW, weight=500)
        if activity.progress is not None:
            track = Box(
                box.right - progress_width, box.top + box.height // 2 - 4, progress_width, 8
            )
            canvas.bar(track, activity.progress, ACCENT, WINDOW)

    def _banner(self, banner: Banner | None, hint: str, small: bool) -> None:  # noqa: FBT001 - drawn again where one of them changes
        box = self.regions.banner
        if small:  # the live picture is beside it
            left = _small_picture(box).right + 8
            self._canvas.clear(box, WINDOW)
            box = Box(left, box.top, box.right - left, box.height)
        if banner is None:
            draw_first_hint(self._canvas, box, hint)
        else:
            draw_verdict(self._canvas, box, banner, self._language)

    def _hint(self, hint: str) -> None:
        box = self.regions.hint
        self._lines(box, *self._canvas.hint(hint, _HINT, box.width), TEXT)

    def _quality(self, text: str) -> None:
        box = self.regions.quality
        first, _, rest = text.partition(" · ")
        if box.height < 2 * line_height(14):
            self._lines(box, *self._canvas.wrapped(text, _SMALL, box.width, 1), TEXT)
        elif rest and not self._fits(text, box):
            size = min(self._canvas.fitting(line, 14, box.width) for line in (first, rest))
            self._lines(box, [first, rest], size, TEXT)
        else:
            self._small_print(box, text, 14, TEXT)

    def _small_print(self, box: Box, text: str, smaller: int, colour: Colour) -> None:
        """Draw one line, or up to two smaller ones."""
        size = _SMALL if self._fits(text, box) else smaller
        self._lines(box, *self._canvas.wrapped(text, size, box.width, 2), colour)

    def _fits(self, text: str, box: Box) -> bool:
        return len(self._canvas.text.wrap(text, _SMALL, box.width, 2)) <= 1

    def _lines(self, box: Box, lines: list[str], size: int, colour: Colour) -> None:
        """Draw lines on the window, vertically centred in a box of their own."""
        self._canvas.clear(box, WINDOW)
        top = box.top + (box.height - line_height(size) * len(lines)) // 2
        place = Box(box.left, top, box.width, box.height)
        self._canvas.write_lines(place, lines, size, colour, WINDOW)

    def _buttons(self, buttons: tuple[Button, ...], pressed: str) -> None:
        draw_buttons(self._canvas, self.regions.buttons, buttons, pressed)

    def _over(self, place: Box) -> None:
        """Take note of what was drawn over the picture, and perhaps over more than that."""
        video = self.regions.video
        self._covered |= place.top < video.top or place.bottom > video.bottom

    def _help(self, view: View) -> list[Target]:
        """Draw the list of keys over all but the buttons, where it is asked for."""
        if not view.help_lines or view.prompt is not None:
            return []
        self._covered = True
        room = Box(0, 0, self.regions.size[0], self.regions.buttons.top - 4)
        dim(self._canvas.part(room))
        return draw_help(self._canvas, room.inner(4), view.help_lines)

    def _rates(self, rates: Rates | None) -> None:
        canvas, box = self._canvas, self.regions.rates
        canvas.clear(box, WINDOW)
        if rates is None:
            return
        text = Text(
            "{fps:.0f} fps · camera {capture:.1f} · network {inference:.1f} · drawing "
            "{drawing:.1f} ms",
            fps=rates.fps,
            capture=rates.capture_ms,
            inference=rates.inference_ms,
            drawing=rates.drawing_ms,
        )
        line = self._language.of(text)
        canvas.write(box, line, canvas.fitting(line, 13, box.width), MUTED, WINDOW)

    def _tag(self, picture: Box, text: str, *, right: bool) -> None:
        """Write a word or two into an upper corner of the picture, to stay there."""
        width = min(self._canvas.text.width(text, 15, 500) + 28, picture.width // 2 - 16)
        left = picture.right - 12 - width if right else picture.left + 12
        tag = Box(left, picture.top + 12, width, 30)
        self._canvas.frame_over(tag, RAISED, RAISED)
        self._canvas.write(tag.inner(4), text, 15, TEXT, RAISED, weight=500, align="centre")

    def _live_picture(self, view: View) -> list[Target]:
        """Draw the live picture and what is over it; returns what of that can be pressed."""
        self._gallery.forget()
        canvas, box = self._canvas, self.regions.video
        self._picture(box, view)
        asked_about_picture = view.prompt is not None and view.prompt.picture is not None
        if view.prompt is not None and not asked_about_picture:
            dim(canvas.part(box))
        if view.paused:
            self._tag(box, self._language.of(Text("paused")), right=False)
        if view.tag:
            self._tag(box, view.tag, right=True)
        self._popups(box, view)
        return []

    def _stored_pictures(self, view: View) -> list[Target]:
        """Draw the gallery, the live picture small below it; returns likewise."""
        box, targets = self.regions.video, list[Target]()
        if view.gallery is not None:
            targets = self._gallery.draw(view.gallery, mirrored=view.mirrored)
        self._picture(_small_picture(self.regions.banner), view)
        if view.prompt is not None:
            dim(self._canvas.part(box))
            targets = []
        self._popups(box, view)
        return targets

    def _picture(self, box: Box, view: View) -> None:
        canvas = self._canvas
        if view.image is None:
            canvas.fill(box, CARD, WINDOW)
            waiting = self._language.of(Text("waiting for the camera …"))
            size = canvas.fitting(waiting, 18, box.width - 8)
            canvas.write(box, waiting, size, MUTED, CARD, align="centre")
            return
        colour, region = RED if view.activity.recording else TEXT, view.region
        if region is None:
            square = draw_picture(canvas, box, view.image, mirrored=view.mirrored)
            mark_square(canvas, square, colour)
        else:
            place, square = draw_framed(
                canvas, box, view.image, region, colour, mirrored=view.mirrored
            )
            if view.mode is Mode.FRAMING:
                self._framed = (place, view.mirrored)
        if view.heat is not None:
            heat = view.heat[:, ::-1] if view.mirrored else view.heat
            draw_heat(square.of(canvas.pixels), heat)
        canvas.round_corners(box, WINDOW)

    def _popups(self, box: Box, view: View) -> None:
        above = self.regions.buttons.top
        if view.message is not None:
            message = draw_message(self._canvas, box, view.message)
            self._over(message)
            above = message.top
        if (prompt := view.prompt) is not None:
            mirrored = view.mirrored
            self._over(draw_prompt(self._canvas, box, prompt, mirrored=mirrored, above=above))


def _small_picture(banner: Box) -> Box:
    """Return the place of the live picture where a gallery is in its own."""
    return Box(banner.left, banner.top, banner.height * 4 // 3, banner.height)
