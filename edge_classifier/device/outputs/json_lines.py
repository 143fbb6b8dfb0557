"""One JSON object a line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from .base import Output

if TYPE_CHECKING:
    from ..sources.base import Picture
    from ..verdict import Answer


class JsonLines(Output):
    """One JSON object a line on standard output.

    Args:
        flush: Whether each line goes out at once, as whoever reads a camera's wants it.
    """

    def __init__(self, *, flush: bool) -> None:
        self._flush = flush

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Write a line."""
        sys.stdout.write(json.dumps(as_record(picture, answer), ensure_ascii=False) + "\n")
        if self._flush:
            sys.stdout.flush()
        return True

    def close(self) -> None:
        """Write what is left."""
        sys.stdout.flush()


def as_record(picture: Picture, answer: Answer) -> dict[str, Any]:
    """Make a plain record of an answer, as JSON can hold it."""
    record: dict[str, Any] = {
        "source": picture.name,
        "frame": picture.index,
        "label": answer.label,
        "score": round(answer.score, 6),
        "unknown": answer.unknown,
        "similarity": None if answer.similarity is None else round(answer.similarity, 6),
        "scores": {
            name: round(float(score), 6)
            for name, score in zip(answer.class_names, answer.scores, strict=True)
        },
    }
    return record
