"""Have the frames drifted away from what was taught? Measured on those that are familiar."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.adaptation import MIN_SEEN, SURE
from edge_classifier.device.frame_buffer import FrameBuffer
from edge_classifier.learning.unknown import STEPS_TO_TYPICAL

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.device.unknown_detector import UnknownDetector
    from edge_classifier.device.verdict import Prediction

_WINDOW: Final = 20
"""The newest frames that differ, which it is measured on."""

_OF_A_CLASS: Final = 5
"""Of them, so many have to be of each of two classes: one alone may itself have changed."""

_LESS_FAMILIAR: Final = 0.75
_UNSURE: Final = 0.4
"""Parts of the window that are less familiar than half of the held-out samples were, or not sure.

Chosen on webcam sets at even positions, reported on those at odd ones, with two backbones: right
after what was taught it speaks up on none of 28, and on 9 of the 14 on whose last frames accuracy
has fallen by 5 points or more than 6 % are refused (on 6 of the other 14).
"""

_REMEMBERED: Final = 64


class DriftWatch:
    """Watches frames go by, at next to no cost: it compares each with the few that it remembers."""

    def __init__(self, feature_dim: int) -> None:
        self._frames = FrameBuffer(feature_dim, _REMEMBERED)
        self._newest: deque[tuple[int, bool, bool]] = deque(maxlen=_WINDOW)

    def look(
        self, row: npt.NDArray[np.float32], prediction: Prediction, unknown: UnknownDetector
    ) -> bool:
        """Take a frame, `(D,)` of length 1, and its raw prediction; says whether there is drift."""
        similarity = prediction.similarity
        if similarity is None or similarity < unknown.floor:
            return False
        class_id = int(prediction.scores.argmax())
        if not self._frames.add(row, class_id):
            return False
        typical = unknown.measured_threshold + STEPS_TO_TYPICAL * unknown.step
        unsure = float(prediction.scores.max()) < SURE
        self._newest.append((class_id, unsure, similarity < typical))
        if len(self._newest) < _WINDOW:
            return False
        class_ids, doubts, distant = zip(*self._newest, strict=True)
        counts = np.bincount(class_ids)
        if (counts >= _OF_A_CLASS).sum() < MIN_SEEN:
            return False
        return bool(np.mean(doubts) > _UNSURE or np.mean(distant) > _LESS_FAMILIAR)
