"""What is to be heard, as plain counts: a display plays a sound when one of them has grown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.live.view import Sounds

if TYPE_CHECKING:
    from edge_classifier.device.verdict import Prediction


class Cues:
    """Counts what deserves a sound, whether or not one is wanted.

    Attributes:
        on: Whether sounds are wanted.
        recorded: Pictures that were recorded since the session began.
    """

    def __init__(self, *, on: bool = False) -> None:
        self.on = on
        self.recorded = 0
        self._labels = 0
        self._label = ""

    def look(self, prediction: Prediction | None) -> None:
        """Take note of what the picture is said to show now; unknown is no label."""
        label = "" if prediction is None or prediction.unknown else prediction.class_name
        if label and label != self._label:
            self._labels += 1
        self._label = label

    def sounds(self) -> Sounds | None:
        """Return the counts, or `None` where it is to be quiet."""
        return Sounds(self.recorded, self._labels) if self.on else None
