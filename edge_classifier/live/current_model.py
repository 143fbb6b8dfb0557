"""The model that answers now: trained or imprinted, and how strict its "unknown" is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.device.unknown_detector import within_reach
from edge_classifier.learning.head import imprint
from edge_classifier.learning.model import STEPS_SETTING, Model, stored_steps

if TYPE_CHECKING:
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Features

_IMPRINTED_FROM: Final = 64
"""Samples of a class that answers before training are made of, at most: it happens on the loop,
and a mean of more is hardly another one."""


class CurrentModel:
    """Keeps a model that knows every captured class, from its first sample on.

    Attributes:
        model: What answers, or `None` where nothing was captured.
        unknown_steps: How many steps "unknown" is stricter (above 0) than what was measured.
    """

    def __init__(self, store: ProjectStore) -> None:
        self._store = store
        self.model: Model | None = None
        self.unknown_steps = stored_steps(store.settings)
        self._imprinted = False

    @property
    def taught(self) -> Model | None:
        """What was trained last, as it was before it was adapted; `None` before any training."""
        if self.model is None or self._imprinted:
            return None
        return self.model.taught

    def adjust_unknown(self, steps: int) -> None:
        """Make "unknown" so many steps stricter than measured, for every model to come as well.

        Below 0 it is more lenient; `unknown_detector.MAX_STEPS` is the most either way.

        Raises:
            ProjectError: if the project cannot be written; then nothing has changed.
        """
        steps = within_reach(steps)
        self._store.update_settings(**{STEPS_SETTING: steps})
        self.unknown_steps = steps
        self.model = self.model.adjusted(steps) if self.model else None

    def replace(self, trained: Model | None) -> None:
        """Answer with another model, or with none until something is imprinted."""
        self.model = trained.adjusted(self.unknown_steps) if trained else None
        self._imprinted = False

    def remember(self, features: Features) -> None:
        """Take the features `(D,)` of a new sample for known ones."""
        self.model = self.model.with_known(features) if self.model else None

    def rename_class(self, class_name: str, new_name: str) -> None:
        """Let the model call a class by its new name."""
        self.model = self.model.renamed(class_name, new_name) if self.model else None

    def keep_only(self, class_names: tuple[str, ...]) -> None:
        """Let the model forget all other classes."""
        for name in set(self.model.class_names if self.model else ()) - set(class_names):
            self.model = self.model.without(name) if self.model else None

    def imprint(self, dataset: Dataset, table: FeatureTable) -> None:
        """Give classes that the model lacks a weight vector, made of the known features."""
        if self.model is None or self._imprinted:
            feature_set = dataset.feature_set(table, _IMPRINTED_FROM)
            if feature_set.class_names:
                self.model = Model(imprint(feature_set))
                self._imprinted = True
        elif set(dataset.captured_classes) - set(self.model.class_names):
            self.model = self.model.extended(dataset.feature_set(table, _IMPRINTED_FROM))
