"""Choosing some of many rows so that no class and no moment is left out first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    """Choose at most so many of `count` rows, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def pick_evenly(
    class_ids: npt.NDArray[np.int64], most: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Choose rows evenly over each class, in the order of capture.

    `class_ids` are `(N,)`; `most`, `(C,)`, is how many rows of each class at most, 1 or more.

    Returns:
        The chosen rows, by class, then in their order.
    """
    chosen = []
    for class_id, limit in enumerate(most):
        of_class = np.flatnonzero(class_ids == class_id)
        picks = np.linspace(0, len(of_class) - 1, min(int(limit), len(of_class))).round()
        chosen.append(of_class[picks.astype(np.int64)])
    return np.concatenate(chosen) if chosen else np.empty(0, np.int64)
