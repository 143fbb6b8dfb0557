"""A steady label: predictions averaged over a fraction of a second."""

from __future__ import annotations

import numpy as np

from edge_classifier.device.classify import TimeAverage
from edge_classifier.frame import Prediction


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
        self._scores = TimeAverage(time_constant_s)
        self._similarity = TimeAverage(time_constant_s)

    def reset(self) -> None:
        """Forget what came before."""
        self._scores.reset()
        self._similarity.reset()

    def update(self, prediction: Prediction, now_s: float) -> Prediction:
        """Take one frame's prediction and return the steady one.

        Args:
            prediction: Of the newest frame.
            now_s: Its time, in seconds of a monotonic clock.
        """
        if self.time_constant_s <= 0:
            return prediction
        if prediction.class_names != self._class_names:
            self.reset()
            self._class_names = prediction.class_names
        scores = self._scores.update(prediction.scores, now_s)
        similarity: float | None = None
        if prediction.similarity is None:
            self._similarity.reset()
        else:
            value = np.array([prediction.similarity], np.float32)
            similarity = float(self._similarity.update(value, now_s)[0])
        unknown = prediction.unknown
        if similarity is not None and prediction.threshold is not None:
            unknown = similarity < prediction.threshold
        return Prediction(
            prediction.class_names,
            scores,
            unknown=unknown,
            similarity=similarity,
            threshold=prediction.threshold,
        )
