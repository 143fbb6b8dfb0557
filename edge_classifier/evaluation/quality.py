"""How sharp and how well exposed a picture is, at the size at which the network sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.preprocessing import Preprocessing

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image


_SIZE: Final = 224
"""Side of the square that is measured, in pixels; pictures of any size become comparable."""

_SEEN: Final = Preprocessing(_SIZE)
_WHITE: Final = 250
_BLACK: Final = 20
"""Cameras put black at 16 and add noise."""


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """Of one picture.

    Attributes:
        sharpness: Variance of the Laplacian of the grey picture (Pech-Pacheco et al.,
            "Diatom autofocusing in brightfield microscopy", ICPR 2000); comparable only
            between pictures of like things.
        contrast: Variance of the grey picture: a dark or dull picture has less of both.
        white: The part of pixels that is clipped at white.
        black: The part of pixels that is clipped at black.
    """

    sharpness: float
    contrast: float
    white: float
    black: float


def measure_quality(image: Image) -> PictureQuality:
    """Measure a picture, `(H, W, 3)` uint8 BGR of any size."""
    small = _SEEN.shrink(image).astype(np.float32)
    grey = small @ np.array([0.114, 0.587, 0.299], np.float32)  # ITU-R BT.601, of BGR
    laplacian = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    return PictureQuality(
        sharpness=float(laplacian.var()),
        contrast=float(grey.var()),
        white=float((grey >= _WHITE).mean()),
        black=float((grey <= _BLACK).mean()),
    )
