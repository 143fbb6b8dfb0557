"""Pictures small enough to be written into a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.errors import InvalidImageError
from edge_classifier.evaluation.report import ReportPicture
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.evaluation.metrics import Evaluation
    from edge_classifier.evaluation.suspects import Suspect

SHOWN: Final = 24
_HEIGHT: Final = 180
_QUALITY: Final = 80


def mistake_pictures(
    evaluation: Evaluation, paths: Sequence[Path], limit: int = SHOWN
) -> tuple[ReportPicture, ...]:
    """Collect the most confident mistakes, from the picture of each row of the evaluation."""
    names, confidences = evaluation.class_names, evaluation.confidences
    return tuple(
        ReportPicture(
            jpeg=_small_jpeg(paths[row]),
            name=paths[row].name,
            said="unknown"
            if evaluation.alone
            else f"{names[evaluation.predicted_ids[row]]} {confidences[row]:.1%}",
            label=f"is {names[evaluation.class_ids[row]]}",
            note=", called unknown" if evaluation.unknown[row] and not evaluation.alone else "",
        )
        for row in evaluation.mistakes(limit)
    )


def suspect_pictures(suspects: Sequence[Suspect]) -> tuple[ReportPicture, ...]:
    """Collect the first samples to look at again."""
    return tuple(
        ReportPicture(
            jpeg=_small_jpeg(suspect.sample.path),
            name=suspect.sample.path.name,
            said=suspect.text,
            label=f"in {suspect.sample.class_name}",
        )
        for suspect in suspects[:SHOWN]
    )


def _small_jpeg(path: Path) -> bytes:
    """Read a picture and shrink it; empty if it has gone meanwhile."""
    try:
        image = read_image(path)
    except InvalidImageError:
        return b""
    height, width = image.shape[:2]
    if height > _HEIGHT:
        size = (max(1, round(width * _HEIGHT / height)), _HEIGHT)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()
