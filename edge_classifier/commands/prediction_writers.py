"""How `predict` writes its rows: for eyes, as JSON Lines or as CSV, each as soon as it is known."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

import cv2

from edge_classifier.device.console import one_line
from edge_classifier.device.heat import with_heat
from edge_classifier.device.outputs.json_lines import picture_record
from edge_classifier.device.outputs.window import annotated
from edge_classifier.project.files import reported, write_atomic
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.verdict import Prediction


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """What was said of one picture.

    Attributes:
        path: The picture, as found.
        best: The classes with the highest scores, each with its score, the best first; empty
            where the picture was refused.
        unknown: Whether it resembles none of the classes.
        similarity: How familiar it is, 0 to 1, or `None` where that is not measured.
        crop: Which part of the picture was looked at, where there is more than one row a
            picture; else `None`.
        problem: Why it was refused, or `None`.
        heat: The picture that shows where it is unlike its class, or `None` where none was written.
    """

    path: str
    best: tuple[tuple[str, float], ...] = ()
    unknown: bool = False
    similarity: float | None = None
    crop: float | None = None
    problem: str | None = None
    heat: Path | None = None


class RowWriter(Protocol):
    """Writes rows as they come."""

    def write(self, row: PredictionRow) -> None:
        """Write one."""


class TextWriter:
    """A table for eyes: verdict, score, path. Refused pictures are named on standard error.

    `names` are all that a verdict can be: they tell the width of its column.
    """

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        from rich.cells import cell_len  # noqa: PLC0415 - 20 ms that JSON and CSV do not pay

        self._stream = stream
        self._cells = cell_len
        self._width = max(cell_len(one_line(name)) for name in (*names, "unknown"))

    def write(self, row: PredictionRow) -> None:
        """Write one line."""
        if not row.best:
            return
        (name, score), *others = ((one_line(name), score) for name, score in row.best)
        verdict = "unknown" if row.unknown else name
        if row.unknown:
            others.insert(0, (name, score))
        more = ", ".join(f"{name} {score:.1%}" for name, score in others)
        cells = [
            verdict + " " * (self._width - self._cells(verdict)),
            "      " if row.unknown else f"{score:6.1%}",
            one_line(row.path),
            f"(central {row.crop:.1%})" if row.crop is not None else "",
            f"({more})" if more else "",
        ]
        self._stream.write("  ".join(cell for cell in cells if cell) + "\n")
        self._stream.flush()


class JsonWriter:
    """JSON Lines: one object a picture, also for those refused."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: PredictionRow) -> None:
        """Write one line."""
        content: dict[str, object] = {"path": row.path}
        if row.problem is not None:
            content["error"] = row.problem
        else:
            content |= picture_record(row.best, unknown=row.unknown, similarity=row.similarity)
            if row.crop is not None:
                content["crop"] = row.crop
            if row.heat is not None:
                content["heat"] = str(row.heat)
        self._stream.write(json.dumps(content, ensure_ascii=False) + "\n")
        self._stream.flush()


class CsvWriter:
    """CSV with a header (RFC 4180, but with line feeds), `top_k` classes a row; also refusals."""

    def __init__(self, stream: TextIO, top_k: int) -> None:
        self._stream = stream
        self._csv = csv.writer(stream, lineterminator="\n")
        header = ["path", "class_name", "score", "unknown", "similarity", "crop", "error"]
        for rank in range(2, top_k + 1):
            header += [f"class_name_{rank}", f"score_{rank}"]
        self._columns = len(header)
        self._csv.writerow(header)

    def write(self, row: PredictionRow) -> None:
        """Write one row."""
        name, score = row.best[0] if row.best else ("", None)
        cells: list[object] = [
            row.path,
            name,
            "" if score is None else _rounded(score),
            "" if score is None else str(row.unknown).lower(),
            "" if row.similarity is None else _rounded(row.similarity),
            "" if row.crop is None else row.crop,
            row.problem or "",
        ]
        for name, score in row.best[1:]:
            cells += [name, _rounded(score)]
        self._csv.writerow(cells + [""] * (self._columns - len(cells)))
        self._stream.flush()


class HeatWriter:
    """Writes copies of pictures into a folder, red where they are unlike their class.

    `photo.png` becomes `photo-heat.jpg`, another one of that name `photo-heat-2.jpg`.

    Raises:
        ProjectError: if the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: Counter[str] = Counter()
        with reported("write", folder):
            folder.mkdir(parents=True, exist_ok=True)

    def write(
        self, path: Path, prediction: Prediction, heat: npt.NDArray[np.float32] | None
    ) -> Path | None:
        """Write one; returns where, or `None` where its class has no pictures to compare it with.

        Raises:
            ProjectError: if it cannot be written.
        """
        if heat is None:
            return None
        self._written[path.stem] += 1
        number = self._written[path.stem]
        target = self._folder / f"{path.stem}-heat{'' if number == 1 else f'-{number}'}.jpg"
        picture = annotated(with_heat(read_image(path), heat), prediction)
        with reported("write", target):
            write_atomic(target, cv2.imencode(".jpg", picture)[1].tobytes())
        return target


def _rounded(value: float) -> float:
    return round(float(value), 6)
