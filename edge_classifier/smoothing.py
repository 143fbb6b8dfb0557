"""A steady label: predictions averaged over a fraction of a second."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.frame import Prediction

if TYPE_CHECKING:
    import numpy.typing as npt


class Smoother:
    """Exponential moving average of scores and similarity over time, not over frames.

    So it behaves the same at 5 and at 500 frames per second.

    Args:
        time_constant_s: After a change of scene this much time brings the average 63 % of the
            way; 0 switches smoothing off.
    """

    def __init__(self, time_constant_s: float = 0.2) -> None:
        self.time_constant_s = time_constant_s
        self._class_names: tuple[str, ...] = ()
        self._scores: npt.NDArray[np.float32] | None = None
        self._similarity: float | None = None
        self._last_s = 0.0

    def reset(self) -> None:
        """Forget what came before."""
        self._scores = None
        self._similarity = None

    def update(self, prediction: Prediction, now_s: float) -> Prediction:
        """Take one frame's prediction and return the steady one.

        Args:
            prediction: Of the newest frame.
            now_s: Its time, in seconds of a monotonic clock.
        """
        if self.time_constant_s <= 0:
            return prediction
        if self._scores is None or prediction.class_names != self._class_names:
            self._scores, self._similarity = prediction.scores, prediction.similarity
        else:
            weight = 1.0 - math.exp(-max(0.0, now_s - self._last_s) / self.time_constant_s)
            self._scores = (self._scores + weight * (prediction.scores - self._scores)).astype(
                np.float32, copy=False
            )
            if prediction.similarity is None or self._similarity is None:
                self._similarity = prediction.similarity
            else:
                self._similarity += weight * (prediction.similarity - self._similarity)
        self._class_names, self._last_s = prediction.class_names, now_s
        unknown = prediction.unknown
        if self._similarity is not None and prediction.threshold is not None:
            unknown = self._similarity < prediction.threshold
        return Prediction(
            prediction.class_names,
            self._scores,
            unknown=unknown,
            similarity=self._similarity,
            threshold=prediction.threshold,
        )
