"""Between an `ImageClassifier` and project folders: one is read, or made to export a bundle."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.api.classifier_file import SavedClassifier, identity_of
from edge_classifier.api.estimator import hyperparameters_of
from edge_classifier.api.extraction import as_image
from edge_classifier.api.samples import checked_labels
from edge_classifier.export.exporter import export_bundle
from edge_classifier.features.carried import carried_extractor
from edge_classifier.features.tuned import tuned_weights
from edge_classifier.learning.feature_sets import complete_features
from edge_classifier.learning.model import stored_steps
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import taught_model
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore, open_for_reading
from edge_classifier.protocols import ignore_progress, never_cancelled, part_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from edge_classifier.api.extraction import ColourOrder
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone, Progress

_READ: Final = 0.1
"""A part of the whole, for whoever is told the progress."""


def read_project(path: Path, weights: Path | None) -> SavedClassifier:
    """Read a project that was trained, and maybe adapted, as a classifier that was saved.

    The weights of its backbone are looked for where no file is given.

    Raises:
        NotTrainedError: if it has no model yet.
        ProjectError: if it cannot be read.
        BackboneError: if its backbone cannot be had.
    """
    choice = BackboneChoice(weights=weights)
    with (
        open_for_reading(path) as store,
        load_project_backbone(store, choice, ignore_progress, may_change=False) as loaded,
    ):
        taught, _ = taught_model(store, loaded)
        model = taught.adjusted(stored_steps(store.settings))
        frames = loaded.adaptation.load()
        found = complete_features(store, loaded, ignore_progress)
        settings = project_head_settings(store)
    info = loaded.backbone.info
    weights = tuned_weights(path, info) or weights or carried_extractor(path, info)
    params = {
        "backbone": info.name,
        "features": info.feature_kind,
        "weights": None if weights is None else str(weights),
        **hyperparameters_of(settings),
    }
    labels = np.array([sample.class_name for sample in found.samples], np.str_)
    return SavedClassifier(params, identity_of(info), labels, found.feature_set, model, frames)


def export_with(  # noqa: PLR0913 - all keyword-only but what is learned
    images: Iterable[object],
    labels: npt.ArrayLike | None,
    model: Model,
    backbone: Backbone,
    *,
    colour_order: ColourOrder,
    folder: Path,
    formats: str,
    progress: Progress,
) -> Path:
    """Export a model, as `export_bundle` does, with pictures to calibrate and verify it on.

    The pictures, each with its label (what is predicted, if `None`), become a project for a moment.

    Raises:
        EdgeClassifierError: as `export_bundle` does, and if a class's name cannot be stored.
    """
    progress(0.0, "reading pictures")
    pictures = [as_image(picture, colour_order) for picture in images]
    if labels is None:
        scores = model.head.scores(backbone.extract(pictures))
        names = [model.class_names[n] for n in scores.argmax(axis=1)]
    else:
        names = [str(label) for label in checked_labels(labels, len(pictures)).tolist()]
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, folder.name)
        with ProjectStore.create(project, model.class_names) as store:
            store.set_backbone(backbone.info)
            for image, class_name in zip(pictures, names, strict=True):
                store.add_sample(encode_image(image), class_name, store.next_burst_id())
            return export_bundle(
                store.snapshot(),
                model,
                backbone,
                formats=formats,
                out=folder,
                progress=part_of(progress, _READ, 1.0),
                cancelled=never_cancelled,
            )
