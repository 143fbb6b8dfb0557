"""The same picture from a little nearer, tilted, and in other light: more to learn from.

A webcam user's ten frames of a thing lie seconds apart; what changes until the classifier is
used is the distance, the tilt and the light. How the amounts were chosen, and what they gain, is
told in ARCHITECTURE.md. Pictures are never mirrored: a left hand is no right one.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.values import VARIANTS

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image

VARIANTS_VERSION: Final = "variants 1"
"""Part of the cache's key: change it where pictures are varied in other ways."""

_LONGEST_SIDE: Final = 320
"""Of the square that is varied; the smallest crop of it still fills a network's 224 pixels."""

_SMALLEST_CROP: Final = 0.7
_TILT_DEGREES: Final = 10.0
_BRIGHTNESS: Final = 0.3
_CONTRAST: Final = 0.25
_COLOUR: Final = 0.1


def make_variants(image: Image) -> list[Image]:
    """Vary a picture `frame.VARIANTS` times; the same picture always in the same ways.

    Args:
        image: `(H, W, 3)` uint8, BGR.

    Returns:
        Square pictures, uint8, BGR, of at most 320 pixels a side.
    """
    square = _square(image)
    generator = np.random.default_rng(zlib.crc32(square.tobytes()))
    return [_vary(square, generator) for _ in range(VARIANTS)]


def _square(image: Image) -> Image:
    """Cut out the largest centred square, as every preprocessing does, and make it small."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    if side > _LONGEST_SIDE:
        size = (_LONGEST_SIDE, _LONGEST_SIDE)
        square = np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)
    return square


def _vary(square: Image, generator: np.random.Generator) -> Image:
    side = len(square)
    crop = max(1, round(side * generator.uniform(_SMALLEST_CROP, 1.0)))
    top, left = generator.integers(0, side - crop + 1, 2).tolist()
    angle = generator.uniform(-_TILT_DEGREES, _TILT_DEGREES)
    turn = cv2.getRotationMatrix2D((left + crop / 2, top + crop / 2), angle, 1.0)
    turn[:, 2] -= (left, top)
    cut = cv2.warpAffine(square, turn, (crop, crop), borderMode=cv2.BORDER_REFLECT_101)
    light = cut.astype(np.float32) * np.float32(generator.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS))
    mean = light.mean()
    light = (light - mean) * np.float32(generator.uniform(1 - _CONTRAST, 1 + _CONTRAST)) + mean
    light *= generator.uniform(1 - _COLOUR, 1 + _COLOUR, 3).astype(np.float32)
    return np.asarray(np.clip(light, 0, 255), np.uint8)
