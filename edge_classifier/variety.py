"""How different the pictures of a class are: a hold before a still thing is one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.head import inverse_norms

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.frame import FeatureSet

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
