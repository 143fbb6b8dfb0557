"""A project's model: trained on its samples and kept, or loaded again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge_classifier.errors import AdaptationError, NotTrainedError
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.model import stored_steps
from edge_classifier.learning.settings import trained_on
from edge_classifier.learning.training import train

if TYPE_CHECKING:
    from edge_classifier.learning.feature_sets import ProjectFeatures
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Progress
    from edge_classifier.values import Features

_log = logging.getLogger(__name__)


def train_project(
    store: ProjectStore,
    loaded: LoadedBackbone,
    gathered: ProjectFeatures,
    settings: HeadSettings,
    progress: Progress,
) -> Model:
    """Train a head and keep it in the project, unless that is open read-only.

    The model comes as adapted, and with the user's steps of the threshold of "unknown".

    Raises:
        NotEnoughSamplesError: as `training.train` does.
        ProjectError: if it cannot be kept.
    """
    progress(0.0, "training")
    model = train(gathered.feature_set, settings, progress=progress)
    if not store.read_only:
        loaded.models.save(
            model,
            backbone_key=loaded.backbone.info.key,
            fingerprint=trained_on(gathered.dataset.fingerprint, settings),
        )
    return as_kept(model, store, loaded)


def as_kept(model: Model, store: ProjectStore, loaded: LoadedBackbone) -> Model:
    """Apply what a project keeps beside its model: adaptation, and the user's steps.

    Where the frames that it was adapted to no longer fit, the model answers as it was taught, with
    a warning in the log.
    """
    model, problem = readapted(model, loaded.adaptation.load())
    if problem:
        _log.warning("%s: %s", store.name, problem)
    return model.adjusted(stored_steps(store.settings))


def readapted(model: Model, frames: Features | None) -> tuple[Model, str]:
    """Adapt a model that was trained anew to the frames that the one before was adapted to, if any.

    Returns:
        The model, as it was taught where they no longer fit; then also why, in one line.
    """
    if frames is None:
        return model, ""
    try:
        return adapt_model(model, frames).model, ""
    except AdaptationError as error:
        return model, f"not adapted any more: {error}"


def trained_model(store: ProjectStore, loaded: LoadedBackbone) -> tuple[Model, bool]:
    """Load the model that was trained last, as adapted, with the user's steps of the threshold.

    Returns:
        The model, and whether it was trained on just the samples that there are.

    Raises:
        NotTrainedError: if there is none for this backbone.
    """
    model, fresh = taught_model(store, loaded)
    return as_kept(model, store, loaded), fresh


def taught_model(store: ProjectStore, loaded: LoadedBackbone) -> tuple[Model, bool]:
    """Load the same model as it was taught: neither adapted, nor with the user's steps."""
    stored = loaded.models.load(backbone_key=loaded.backbone.info.key)
    if stored is None:
        raise NotTrainedError(
            f"{store.name} has no trained model yet; `edge-classifier train {store.path}` makes it."
        )
    model, fingerprint = stored
    dataset = Dataset.of(store)
    return model, fingerprint.startswith(dataset.fingerprint)
