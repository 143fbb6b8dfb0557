"""A camera for a victim: at once whatever is to be recorded, and no picture twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.preprocessing import Image

HEIGHT: Final = 240
WIDTH: Final = 320
FPS: Final = 30.0


def picture(thing: int, seed: int) -> Image:
    """Draw one of many things, a little different with every seed: place, size, noise.

    Args:
        thing: Which; things of other numbers have other colours and shapes.
        seed: Which of its pictures.
    """
    chance = np.random.default_rng([thing, seed])
    look = np.random.default_rng(thing)
    ground, colour = (tuple(int(v) for v in look.integers(0, 256, 3)) for _ in range(2))
    image: Image = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    corners = int(look.integers(3, 9))
    place = chance.integers((90, 70), (230, 170))
    size = chance.uniform(45, 70)
    angles = 2 * np.pi * np.arange(corners) / corners + chance.uniform(0, 0.5)
    points = place + size * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    cv2.fillPoly(image, [points.astype(np.int32)], colour)
    noise = chance.integers(0, 24, image.shape, dtype=np.uint8)
    return np.asarray(cv2.add(image, noise), np.uint8)


class ScriptedCamera:
    """A `FrameSource` that shows what it is told to.

    Args:
        seed: No two cameras of different seeds give the same picture.
    """

    def __init__(self, seed: int) -> None:
        self.thing = 0
        """What is before the camera; may be changed from another thread."""
        self._seed = seed
        self._closed = False

    @property
    def description(self) -> str:
        """What it is, for the user."""
        return "scripted camera"

    def __iter__(self) -> Iterator[Frame]:
        """Give frames until closed."""
        index = 0
        while not self._closed:
            image = picture(self.thing, self._seed * 1_000_000 + index)
            yield Frame(image, index, time.monotonic())
            index += 1
            time.sleep(1 / FPS)

    def close(self) -> None:
        """End after the next frame."""
        self._closed = True
