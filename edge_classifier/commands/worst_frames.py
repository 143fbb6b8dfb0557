"""The frames on which runs differ most, as one picture to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.errors import InvalidImageError
from edge_classifier.project.files import reported
from edge_classifier.project.picture_file import read_image
from edge_classifier.screen.canvas import Box, Canvas
from edge_classifier.screen.recording import ContactSheet
from edge_classifier.screen.text import TextRenderer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.export.verification import Verification

_SHOWN: Final = 3
"""Frames per run: the contact sheet has three columns."""

_WIDTH: Final = 480
_LINE: Final = 26
_BACKGROUND: Final = (32, 32, 32)
_LIGHT: Final = (235, 235, 235)


def write_worst_frames(path: Path, verification: Verification, class_names: Sequence[str]) -> None:
    """Write a JPEG with the frames that differ most, one row of them a run.

    Raises:
        ProjectError: if it cannot be written.
    """
    sheet = ContactSheet(path)
    text = TextRenderer()
    for comparison in verification.compared:
        reference = verification.references[comparison.name]
        said, expected = (verification.replays[n].scores for n in (comparison.name, reference))
        for row in comparison.worst[:_SHOWN]:
            lines = [
                f"{comparison.name}: {_verdict(said[row], class_names)}",
                f"{reference}: {_verdict(expected[row], class_names)}",
            ]
            sheet.add(_tile(text, verification.paths[row], lines))
    with reported("write", path):
        sheet.close()


def _verdict(scores: npt.NDArray[np.float32], class_names: Sequence[str]) -> str:
    best = int(scores.argmax())
    return f"{class_names[best]} {scores[best]:.4f}"


def _tile(text: TextRenderer, path: Path, lines: Sequence[str]) -> Image:
    try:
        image = read_image(path)
    except InvalidImageError:  # it has gone meanwhile
        image = np.zeros((3, 4, 3), np.uint8)
    height = round(image.shape[0] * _WIDTH / image.shape[1])
    small = cv2.resize(image, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    tile = np.full((height + _LINE * len(lines), _WIDTH, 3), _BACKGROUND, np.uint8)
    tile[:height] = small
    canvas = Canvas(tile, text)
    for number, line in enumerate(lines):
        box = Box(6, height + number * _LINE, _WIDTH - 12, _LINE)
        canvas.write(box, line, 16, _LIGHT, _BACKGROUND)
    return tile
