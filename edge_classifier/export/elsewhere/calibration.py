"""Pictures to calibrate int8 on, and others to see how well that went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.features.subsample import spread_samples
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image, Preprocessing
    from edge_classifier.project.store import Snapshot

_ENOUGH: Final = 60
"""Ten samples calibrate as well as a hundred, as long as every class is among them."""


def set_apart(project: Snapshot, shown: Sequence[Path]) -> tuple[list[Path], list[int]]:
    """Choose pictures to calibrate on out of a project's samples.

    `shown` are those that files are compared on. Where there are not enough others, half of them
    are calibrated on, and compared are the other half.

    Returns:
        The pictures, and which of `shown` are none of them.
    """
    compared = set(shown)
    others = [sample for sample in project.samples if sample.path not in compared]
    if len(others) >= _ENOUGH or project.held_out:
        return [sample.path for sample in spread_samples(others, _ENOUGH)], list(range(len(shown)))
    count = min(_ENOUGH, max(1, len(shown) // 2))  # they come evenly over the classes
    return list(shown[:count]), list(range(count, len(shown))) or [0]


def squares_of(pictures: Sequence[Path], preprocessing: Preprocessing) -> npt.NDArray[np.uint8]:
    """Bring pictures to a network's input size: `(N, S, S, 3)` uint8 RGB.

    Raises:
        InvalidImageError: if one of them can no longer be read.
    """
    return np.stack([preprocessing.square(read_image(path)) for path in pictures])


def as_image(square: npt.NDArray[np.uint8]) -> Image:
    """Make of a square, RGB, an image, BGR, of which `Preprocessing.square` makes it again."""
    return np.ascontiguousarray(square[..., ::-1])
