"""Teach a webcam to tell things apart in seconds, then run the result on a Raspberry Pi."""

from __future__ import annotations

from edge_classifier.errors import EdgeClassifierError

__all__ = ["EdgeClassifierError", "__version__"]

__version__ = "0.1.0"
