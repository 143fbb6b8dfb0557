"""A small window with the picture and its label."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..console import as_text
from ..errors import NoDisplayError
from ..framing import WHOLE
from ..looking import answers_of
from .base import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frame import Frame
    from ..framing import Region
    from ..looking import Look
    from ..preprocessing import Image
    from ..verdict import Prediction


def annotated_parts(image: Image, answers: Sequence[tuple[Region, Prediction]]) -> Image:
    """Draw what is said of each region into a copy of an image, and outline what is not all."""
    image = annotated(image, answers[0][1]) if len(answers) == 1 else np.array(image)
    for region, answer in answers:
        left, top, right, bottom = region.pixels(image.shape[1], image.shape[0])
        if len(answers) > 1:
            image[top:bottom, left:right] = annotated(region.of(image), answer, region.name)
        if not region.is_whole:
            cv2.rectangle(image, (left, top), (right - 1, bottom - 1), (255, 255, 255), 2)
    return image


def annotated(image: Image, shown: Prediction | str, name: str = "") -> Image:
    """Draw label and score, or what is wrong since, into a copy of an image or a named part."""
    image = np.array(image)
    scale = max(0.5, image.shape[0] / 480)
    bar = int(48 * scale)
    origin = (int(12 * scale), int(34 * scale))
    if isinstance(shown, str):
        bar, text, colour = len(image), as_text(shown), (255, 255, 255)
    else:
        text = shown.label if shown.unknown else f"{shown.label} {shown.confidence:.0%}"
        colour = (170, 170, 170) if shown.unknown else (255, 255, 255)
    if name:
        text = f"{name}: {text}"
    if name or isinstance(shown, str):
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0]
        scale *= min(1.0, max(0.1, (image.shape[1] - 24) / width))
    image[:bar] //= 3
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 2, cv2.LINE_AA)
    return image


class Window(Output):
    """A window; Q, Escape or its close button ends."""

    def __init__(self, title: str) -> None:
        self._title = as_text(title)
        self._newest: Image | None = None
        self._was_visible = False
        try:
            # The plain window: the default one's Ctrl+S opens a dialog that stops everything.
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise NoDisplayError(
                "This OpenCV cannot open windows (opencv-python-headless?); use --no-window."
            ) from error

    @staticmethod
    def possible() -> bool:
        """Whether there is a screen; without one OpenCV would end the whole program."""
        if not sys.platform.startswith("linux"):
            return True
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Draw a frame."""
        return self._draw(frame, [(WHOLE, prediction)])

    def show_all(self, frame: Frame, looks: Sequence[Look]) -> bool:
        """Draw a frame with all that is looked at."""
        return self._draw(frame, answers_of(looks))

    def wait(self, trouble: str) -> bool:
        """Say what is wrong in the last frame, and hear keys."""
        if self._newest is not None and trouble:
            cv2.imshow(self._title, annotated(self._newest, trouble))
        return self._heard()

    def _draw(self, frame: Frame, answers: Sequence[tuple[Region, Prediction]]) -> bool:
        self._newest = frame.image
        cv2.imshow(self._title, annotated_parts(frame.image, answers))
        return self._heard()

    def _heard(self) -> bool:
        key = cv2.waitKey(1) & 0xFF
        visible = self._visible()
        # Closed by its button: another picture would open it again.
        closed = self._was_visible and not visible
        self._was_visible = visible
        return not closed and key not in (ord("q"), 27)

    def _visible(self) -> bool:
        try:
            visible = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE)
            # GTK's backend always answers -1 to this, and to the other where there is no window.
            return visible >= 1 or (
                visible < 0 and cv2.getWindowProperty(self._title, cv2.WND_PROP_AUTOSIZE) >= 0
            )
        except cv2.error:  # what Qt's backend answers of a window that was closed
            return False

    def close(self) -> None:
        """Take the window away."""
        with contextlib.suppress(cv2.error):
            cv2.destroyWindow(self._title)
