"""What of a class can be held out together: its bursts, or the quarters of its only one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_QUARTERS: Final = 4


def holdout_groups(
    class_ids: npt.NDArray[np.int64], burst_ids: npt.NDArray[np.str_], classes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Number the groups of each class that are held out as a whole.

    Frames of one burst resemble each other more than the next burst will resemble them; quarters
    of it, one after the other in time, are the best that a single burst can give. Rows come in
    the order of capture within each class.

    Returns:
        `(N,)` the number of each row's group, from 0 within its class without gaps, and `(C,)`
        whether the groups of a class are bursts.
    """
    groups = np.zeros(len(class_ids), np.int64)
    are_bursts = np.zeros(classes, np.bool_)
    for class_id in range(classes):
        of_class = np.flatnonzero(class_ids == class_id)
        if not len(of_class):
            continue
        _, first, burst = np.unique(burst_ids[of_class], return_index=True, return_inverse=True)
        are_bursts[class_id] = len(first) > 1
        numbers = (
            np.argsort(np.argsort(first))[burst]  # in the order of capture, not of their names
            if are_bursts[class_id]
            else np.arange(len(of_class)) * _QUARTERS // len(of_class)
        )
        # A burst of two pictures has the quarters 0 and 2.
        groups[of_class] = np.unique(numbers, return_inverse=True)[1]
    return groups, are_bursts
