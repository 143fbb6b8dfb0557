"""How `predict` writes its answers: for eyes, as JSON Lines or as CSV, one at a time."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from edge_classifier.commands.console import display_width

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of one picture.

    Attributes:
        path: The picture, as found.
        best: The classes with the highest scores, each with its score, the best first; empty
            where the picture was refused.
        unknown: Whether it resembles none of the classes.
        similarity: How familiar it is, 0 to 1, or `None` where that is not measured.
        crop: Which part of the picture was looked at, where there is more than one answer a
            picture; else `None`.
        problem: Why it was refused, or `None`.
    """

    path: str
    best: tuple[tuple[str, float], ...] = ()
    unknown: bool = False
    similarity: float | None = None
    crop: float | None = None
    problem: str | None = None


class AnswerWriter(Protocol):
    """Writes answers as they come."""

    def write(self, answer: Answer) -> None:
        """Write one."""


class TextWriter:
    """A table for eyes: verdict, score, path. Refused pictures are told elsewhere.

    Args:
        stream: Where to.
        names: All that a verdict can be, to know the width of its column.
    """

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream = stream
        self._width = max(map(display_width, (*names, "unknown")))

    def write(self, answer: Answer) -> None:
        """Write one line."""
        if not answer.best:
            return
        (name, score), *others = answer.best
        verdict = "unknown" if answer.unknown else name
        space = " " * (self._width - display_width(verdict))
        if answer.unknown:
            others = [*answer.best]
        more = ", ".join(f"{name} {score:.1%}" for name, score in others)
        cells = [
            verdict + space,
            "      " if answer.unknown else f"{score:6.1%}",
            printable(answer.path),
            f"(central {answer.crop:.1%})" if answer.crop is not None else "",
            f"({more})" if more else "",
        ]
        self._stream.write("  ".join(cell for cell in cells if cell) + "\n")
        self._stream.flush()


class JsonWriter:
    """JSON Lines: one object a picture, also for those refused.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, answer: Answer) -> None:
        """Write one line."""
        content: dict[str, object] = {"path": answer.path}
        if answer.problem is not None:
            content["error"] = answer.problem
        else:
            name, score = answer.best[0]
            content |= {
                "class_name": name,
                "score": _rounded(score),
                "unknown": answer.unknown,
                "similarity": None if answer.similarity is None else _rounded(answer.similarity),
                "top": [{"class_name": n, "score": _rounded(s)} for n, s in answer.best],
            }
            if answer.crop is not None:
                content["crop"] = answer.crop
        self._stream.write(json.dumps(content, ensure_ascii=False) + "\n")
        self._stream.flush()


class CsvWriter:
    """CSV with a header (RFC 4180, but with line feeds), also for pictures refused.

    Args:
        stream: Where to.
        top_k: How many classes each row has.
    """

    def __init__(self, stream: TextIO, top_k: int) -> None:
        self._stream = stream
        self._top_k = top_k
        self._csv = csv.writer(stream, lineterminator="\n")
        header = ["path", "class_name", "score", "unknown", "similarity", "crop", "error"]
        for rank in range(2, top_k + 1):
            header += [f"class_name_{rank}", f"score_{rank}"]
        self._csv.writerow(header)

    def write(self, answer: Answer) -> None:
        """Write one row."""
        name, score = answer.best[0] if answer.best else ("", None)
        row: list[object] = [
            answer.path,
            name,
            "" if score is None else _rounded(score),
            "" if score is None else str(answer.unknown).lower(),
            "" if answer.similarity is None else _rounded(answer.similarity),
            "" if answer.crop is None else answer.crop,
            answer.problem or "",
        ]
        for name, score in answer.best[1:]:
            row += [name, _rounded(score)]
        row += [""] * (7 + 2 * (self._top_k - 1) - len(row))
        self._csv.writerow(row)
        self._stream.flush()


def printable(text: str) -> str:
    """Escape what would steer a terminal or break a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _rounded(value: float) -> float:
    return round(float(value), 6)
