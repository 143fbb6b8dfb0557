"""The verdict on the newest frame: predicted, smoothed, paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.device.verdict import SMOOTHING_S, Smoother

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.frame import Frame
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.live.learner import Learner
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import Features


_READ_S: Final = 0.1
"""For so long numbers are shown at least: nobody reads faster, and they change with each frame."""


class LivePrediction:
    """Keeps the prediction of the newest frame, as steady as its user wants it.

    `smoothing_s` is the time constant of the steady label in seconds; 0 switches it off.
    """

    def __init__(self, learner: Learner, smoothing_s: float) -> None:
        self._learner = learner
        self._smoothing_s = smoothing_s
        self._smoother = Smoother(smoothing_s)
        self._features: Features | None = None
        self.spatial: npt.NDArray[np.float32] | None = None
        """The feature map `(h, w, c)` of the newest frame, if it was computed."""
        self._seen_by: Backbone | None = None
        self._predicted_by: Model | None = None
        self.frame: Frame | None = None
        self.raw: Prediction | None = None
        """Of the newest frame alone."""
        self.prediction: Prediction | None = None
        self.paused = False
        self._shown: Prediction | None = None
        self._shown_of: Model | None = None
        self._shown_s = 0.0

    def features_of(self, frame: Frame, *, spatial: bool = False) -> Features | None:
        """Compute the features `(D,)` of a frame, unless nothing could be said of them.

        With its feature map, if that is asked for.
        """
        backbone = self._learner.backbone
        image = frame.image if frame.prepared is None else frame.prepared
        if self.paused or self._learner.current.model is None or backbone is None:
            return None
        if spatial:
            rows, maps = backbone.extract_spatial([image])
            self.spatial = maps[0]
        else:
            rows = backbone.extract([image])
        features: Features = rows[0]
        return features

    def update(self, features: Features | None) -> None:
        """Predict from the features of the newest frame."""
        self._features, self._seen_by = features, self._learner.backbone
        self._predict()

    def look_again(self, frame: Frame) -> None:
        """Judge a frame whose picture is another now, apart from what came before."""
        self.reset()
        self.frame, self.spatial = frame, None
        self.update(self.features_of(frame))

    def update_where_outdated(self) -> None:
        """Judge a picture that stands still again if what was learned has changed."""
        model, backbone = self._learner.current.model, self._learner.backbone
        if self.frame is None or self._predicted_by is model:
            return
        if model and self._features is not None and self._seen_by is not backbone:
            self.update(self.features_of(self.frame))
        else:
            self._predict()

    def _predict(self) -> None:
        self._predicted_by = model = self._learner.current.model
        if self.paused or model is None or self._features is None or self.frame is None:
            self.prediction = self.raw = None
        else:
            self.raw = model.predict(self._features[None])[0]
            self.prediction = self._smoother.update(self.raw, self.frame.timestamp_s)

    def shown(self, now_s: float) -> Prediction | None:
        """Return what to show: the newest prediction, or one just before it that says the same."""
        newest, before = self.prediction, self._shown
        if (
            newest is None
            or before is None
            or now_s - self._shown_s >= _READ_S
            or self._shown_of is not self._predicted_by
            or newest.label != before.label
        ):
            self._shown, self._shown_of, self._shown_s = newest, self._predicted_by, now_s
        return self._shown

    def forget(self) -> None:
        """Take the verdict away: what was seen last may be so no longer."""
        self._features = self.prediction = self.raw = self.spatial = None
        self.reset()

    def reset(self) -> None:
        """Let the next prediction stand for itself."""
        self._smoother.reset()

    def toggle_pause(self) -> None:
        """Stop predicting, or go on."""
        self.paused = not self.paused
        self.reset()

    def toggle_smoothing(self) -> bool:
        """Switch the steady label on or off; returns whether it is on now."""
        on = self._smoother.time_constant_s <= 0
        self._smoother = Smoother(self._smoothing_s or SMOOTHING_S if on else 0.0)
        return on
