"""Labelled pictures from elsewhere, one module a kind of source.

`open_importer` finds out what a path is; `adding.add` puts what it gives into a project.
"""

from __future__ import annotations

from edge_classifier.project.importers.base import Importer, Item, LabelledPicture, Refusal
from edge_classifier.project.importers.detect import open_importer
from edge_classifier.project.importers.video import Stretch

__all__ = ["Importer", "Item", "LabelledPicture", "Refusal", "Stretch", "open_importer"]
