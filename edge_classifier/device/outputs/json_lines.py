"""One JSON object a line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ..verdict import Hold
from .base import Output

if TYPE_CHECKING:
    from ..frame import Frame
    from ..verdict import Prediction


class JsonLines(Output):
    """One JSON object a line on standard output; each at once if `flush`, as for a camera.

    With `hold` only what a label changes to, once it has held for so many frames.
    """

    def __init__(self, *, flush: bool, hold: int | None = None) -> None:
        self._flush = flush
        self._hold = None if hold is None else Hold(hold)

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Write a line."""
        if self._hold and not self._hold.update(prediction.label):
            return True
        sys.stdout.write(json.dumps(as_record(frame, prediction), ensure_ascii=False) + "\n")
        if self._flush:
            sys.stdout.flush()
        return True

    def close(self) -> None:
        """Write what is left."""
        sys.stdout.flush()


def as_record(frame: Frame, prediction: Prediction) -> dict[str, Any]:
    """Make a plain record of a prediction, as JSON can hold it."""
    similarity = prediction.similarity
    return {
        "source": frame.name,
        "frame": frame.index,
        "label": prediction.label,
        "score": round(prediction.confidence, 6),
        "unknown": prediction.unknown,
        "similarity": None if similarity is None else round(similarity, 6),
        "scores": {
            name: round(float(score), 6)
            for name, score in zip(prediction.class_names, prediction.confidences, strict=True)
        },
        **({"adapted": True} if prediction.adapted else {}),
    }
