"""Unlabelled frames, as they are found for a model to be adapted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.device.adaptation import asked_difference, enough
from edge_classifier.device.frame_buffer import FrameBuffer
from edge_classifier.device.verdict import normalise
from edge_classifier.learning.adaptation import nothing_familiar, taught_of

if TYPE_CHECKING:
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features

MOST_LOOKED_AT: Final = 1024
"""Of more pictures so many are looked at, evenly: more frames than these change little, and no more
than a buffer of them is kept."""


class FamiliarFrames:
    """Keeps the frames that resemble what a model was taught and differ from each other.

    No more than a `FrameBuffer` holds; strangers among them are left out. Those of the background
    need not differ until there are enough.

    Args:
        model: As it was taught, not adapted.

    Raises:
        AdaptationError: if it cannot be adapted.
    """

    def __init__(self, model: Model) -> None:
        taught_of(model)
        self._model = model
        self.enough = enough(len(model.class_names))
        """Frames of each class that are asked for."""
        self._buffer = FrameBuffer(model.head.feature_dim)
        self.looked_at = 0
        """How many frames there were, those left out among them."""

    def __len__(self) -> int:
        return len(self._buffer)

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.counts.items())

    def add(self, features: Features, said: Prediction | None = None) -> bool:
        """Look at a frame, `(D,)`, of which the model has maybe `said` something already.

        Returns:
            Whether it is one more.
        """
        self.looked_at += 1
        said = said or self._model.predict(features[None])[0]
        unknown = self._model.unknown
        if unknown is None or (said.similarity or 0.0) < unknown.floor:
            return False
        name = said.class_name
        differs = asked_difference(name, self.counts[name], self.enough)
        return self._buffer.add(normalise(features[None])[0], said.class_id, differs=differs)

    @property
    def counts(self) -> dict[str, int]:
        """How many frames there are of each class, as the model recognises them."""
        names = self._model.class_names
        return dict(zip(names, self._buffer.counts(len(names)).tolist(), strict=True))

    @property
    def missing(self) -> tuple[str, ...]:
        """The classes of which there are too few yet."""
        return tuple(name for name, count in self.counts.items() if count < self.enough)

    @property
    def rows(self) -> Features:
        """The frames, `(N, D)` of length 1; none at first."""
        return self._buffer.rows

    def features(self) -> Features:
        """Return the same.

        Raises:
            AdaptationError: if there are none.
        """
        if not len(self):
            raise nothing_familiar(self.looked_at)
        return self.rows
