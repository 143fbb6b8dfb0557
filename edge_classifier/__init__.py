"""Teach a webcam to tell things apart in seconds, then run the result on a Raspberry Pi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError

if TYPE_CHECKING:
    from edge_classifier.api import ImageClassifier

__all__ = ["EdgeClassifierError", "ImageClassifier", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the Python API at its first use, so that the live picture does not wait for it."""
    if name == "ImageClassifier":
        from edge_classifier.api import ImageClassifier  # noqa: PLC0415 - that is the purpose

        return ImageClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
