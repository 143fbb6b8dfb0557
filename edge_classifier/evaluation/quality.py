"""How sharp and how well exposed a picture is, at the size at which the network sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.learning.head import inverse_norms

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import FeatureSet

TOO_ALIKE: Final = 0.15
"""Variety below which the pictures of a class are too alike.

Measured on real sets with three kinds of features: single bursts of a camera 0.01 to 0.16 (nine
of ten below 0.13; the ones that move most 0.27), classes recorded in eight takes 0.23 to 0.80,
a capture before a webcam with the head turning 0.26 to 0.54, photographs 0.25 to 0.97.
"""


def class_variety(feature_set: FeatureSet) -> npt.NDArray[np.float64]:
    """Compare how much pictures of a class differ with how much they differ from other classes.

    Args:
        feature_set: Labelled features.

    Returns:
        `(C,)` the mean cosine distance between pictures of a class, over the mean distance to
        those of all others; NaN for a class of one picture, or without others.
    """
    classes = len(feature_set.class_names)
    shares = np.zeros((classes, len(feature_set)), np.float32)
    shares[feature_set.class_ids, np.arange(len(feature_set))] = inverse_norms(feature_set.features)
    sums = (shares @ feature_set.features).astype(np.float64)
    counts = np.array(feature_set.counts, np.float64)
    products = sums @ sums.T
    own = products.diagonal()
    variety = np.full(classes, np.nan)
    for n in range(classes):
        pairs = counts[n] * (counts[n] - 1)
        other_pairs = counts[n] * (counts.sum() - counts[n])
        if pairs > 0 and other_pairs > 0:
            within = 1.0 - (own[n] - counts[n]) / pairs
            between = 1.0 - (products[n].sum() - own[n]) / other_pairs
            variety[n] = within / max(between, 1e-9)
    return variety


SIZE: Final = 224
"""Side of the square that is measured, in pixels; pictures of any size become comparable."""

_SEEN: Final = Preprocessing(SIZE)
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
