"""Pictures of disks in one colour."""

from __future__ import annotations

import cv2
import numpy as np

RED, GREEN, BLUE = (200, 30, 30), (30, 180, 40), (30, 40, 210)


def pictures(colour: tuple[int, int, int], count: int = 6, seed: int = 0) -> list[np.ndarray]:
    """Draw disks of a colour (RGB)."""
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        image = np.full((90, 120, 3), generator.integers(90, 150), np.uint8)
        centre = (int(generator.integers(40, 80)), int(generator.integers(30, 60)))
        cv2.circle(image, centre, 25, colour, -1)
        drawn.append(image)
    return drawn
