"""From an `ImageClassifier` to a bundle: its pictures become a project for a moment."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.export.exporter import export_bundle
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone


def export_with(
    pictures: Iterable[tuple[Image, str]],
    model: Model,
    backbone: Backbone,
    *,
    folder: Path,
    formats: str,
    weights: Path | None,
) -> Path:
    """Export a model with pictures to calibrate and verify it on.

    Args:
        pictures: `(H, W, 3)` uint8 BGR, each with the name of its class.
        model: The trained model.
        backbone: The backbone that it was trained on.
        folder: The bundle's folder.
        formats: As `export_bundle` takes them.
        weights: The file with the backbone's weights, if it had to be given.

    Returns:
        The bundle's folder.

    Raises:
        EdgeClassifierError: as `export_bundle` does, and if a class's name cannot be stored.
    """
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, folder.name)
        with ProjectStore.create(project, model.class_names) as store:
            store.set_backbone(backbone.info)
            for image, class_name in pictures:
                store.add_sample(store.encode(image), class_name, store.next_burst_id())
            return export_bundle(
                store,
                model,
                backbone,
                formats=formats,
                out=folder,
                weights=weights,
                progress=lambda _done, _what=None: None,
                cancelled=lambda: False,
            )
