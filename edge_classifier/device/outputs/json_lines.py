"""One JSON object a line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Holds, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ..frame import Frame
    from ..verdict import Prediction


class JsonLines(Output):
    """One JSON object a line on standard output; each at once if `flush`, as for a camera.

    With `hold` only what a label changes to, once it has held for so many frames.
    """

    def __init__(self, *, flush: bool, hold: int | None = None) -> None:
        self._flush = flush
        self._holds = None if hold is None else Holds(hold)

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Write a line."""
        if self._holds and not self._holds.of(frame).update(prediction.label):
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
        **({"region": frame.region} if frame.region else {}),
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


def best_of(
    scores: npt.NDArray[np.float32], names: Sequence[str], top_k: int
) -> tuple[tuple[str, float], ...]:
    """Give the classes with the highest of the scores `(C,)`, each with its score, best first."""
    order = np.argsort(-scores, kind="stable")[:top_k]
    return tuple((names[n], float(scores[n])) for n in order)


def picture_record(
    best: Sequence[tuple[str, float]], *, unknown: bool, similarity: float | None
) -> dict[str, Any]:
    """Make a plain record of what is said of one picture, as JSON can hold it."""
    name, score = best[0]
    return {
        "class_name": name,
        "score": round(score, 6),
        "unknown": unknown,
        "similarity": None if similarity is None else round(similarity, 6),
        "top": [{"class_name": n, "score": round(s, 6)} for n, s in best],
    }
