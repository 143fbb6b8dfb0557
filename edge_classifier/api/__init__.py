"""The classifier for Python programs, in scikit-learn's habit."""

from __future__ import annotations

from edge_classifier.api.classifier import ImageClassifier

__all__ = ["ImageClassifier"]
