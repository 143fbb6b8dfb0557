"""A project's model: trained on its samples and kept, or loaded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import NotTrainedError
from edge_classifier.features.dataset import Dataset
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


def train_project(
    store: ProjectStore,
    loaded: LoadedBackbone,
    gathered: ProjectFeatures,
    settings: HeadSettings,
    progress: Progress,
) -> Model:
    """Train a head and keep it in the project, unless that is open read-only.

    The model comes with the user's steps of the threshold of "unknown".

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
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
    return model.adjusted(stored_steps(store.settings))


def trained_model(store: ProjectStore, loaded: LoadedBackbone) -> tuple[Model, bool]:
    """Load the model that was trained last, with the user's steps of the threshold of "unknown".

    Returns:
        The model, and whether it was trained on just the samples that there are.

    Raises:
        NotTrainedError: if there is none for this backbone.
    """
    stored = loaded.models.load(backbone_key=loaded.backbone.info.key)
    if stored is None:
        raise NotTrainedError(
            f"{store.name} has no trained model yet; `edge-classifier train {store.path}` makes it."
        )
    model, fingerprint = stored
    dataset = Dataset(store.class_names(), store.samples())
    adjusted = model.adjusted(stored_steps(store.settings))
    return adjusted, fingerprint.startswith(dataset.fingerprint)
