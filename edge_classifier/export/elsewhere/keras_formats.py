"""Formats that are made of the classifier as a Keras model, by a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.export.elsewhere.format import ElsewhereFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.export.elsewhere.format import Original
    from edge_classifier.protocols import Cancelled, Progress


def _write(
    original: Original, folder: Path, progress: Progress, cancelled: Cancelled
) -> Sequence[str]:
    raise NotImplementedError


KERAS_FORMATS: Final = (
    ElsewhereFormat("keras", _write, ("model.keras",), (("tensorflow", "tensorflow"),)),
)
