"""A small window with the picture and its label."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ClassifyError
from .base import Output

if TYPE_CHECKING:
    from ..preprocessing import Image
    from ..sources.base import Picture
    from ..verdict import Answer


def annotated(picture: Picture, answer: Answer | str) -> Image:
    """Draw label and score, or what is wrong since, into a copy of the picture."""
    import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

    image = np.array(picture.image)
    scale = max(0.5, image.shape[0] / 480)
    bar = int(48 * scale)
    origin = (int(12 * scale), int(34 * scale))
    if isinstance(answer, str):
        bar, text, colour = len(image), answer, (255, 255, 255)
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0]
        scale *= min(1.0, (image.shape[1] - 24) / width)
    else:
        text = answer.label if answer.unknown else f"{answer.label} {answer.score:.0%}"
        colour = (170, 170, 170) if answer.unknown else (255, 255, 255)
    image[:bar] //= 3
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 2, cv2.LINE_AA)
    return image


class Window(Output):
    """A window; Q or Escape ends."""

    def __init__(self, title: str) -> None:
        import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

        self._title = title
        self._newest: Picture | None = None
        try:
            # The plain window: the default one's Ctrl+S opens a dialog that stops everything.
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise ClassifyError(
                "This OpenCV cannot open windows (opencv-python-headless?); use --no-window."
            ) from error

    @staticmethod
    def possible() -> bool:
        """Whether there is a screen; without one OpenCV would end the whole program."""
        if not sys.platform.startswith("linux"):
            return True
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Draw a picture."""
        self._newest = picture
        return self._show(picture, answer)

    def wait(self, trouble: str) -> bool:
        """Say what is wrong in the last picture, and hear keys."""
        if self._newest is not None and trouble:
            return self._show(self._newest, trouble)
        return self._heard()

    def _show(self, picture: Picture, answer: Answer | str) -> bool:
        import cv2  # noqa: PLC0415 - as above

        cv2.imshow(self._title, annotated(picture, answer))
        return self._heard()

    @staticmethod
    def _heard() -> bool:
        import cv2  # noqa: PLC0415 - as above

        key = cv2.waitKey(1) & 0xFF
        return key not in (ord("q"), 27)

    def close(self) -> None:
        """Take the window away."""
        import cv2  # noqa: PLC0415 - as above

        with contextlib.suppress(cv2.error):
            cv2.destroyWindow(self._title)
