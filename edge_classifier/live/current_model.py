"""The model that answers now: trained or imprinted, and how strict its "unknown" is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from edge_classifier.device.unknown_detector import within_reach
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.head import imprint, side_by_side
from edge_classifier.learning.model import STEPS_SETTING, Model, stored_steps
from edge_classifier.project.samples import Samples

if TYPE_CHECKING:
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.learning.head import LinearHead
    from edge_classifier.project.samples import ClassSamples
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
        self._imprints: dict[str, _Imprint] = {}

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
        self._imprints = {}

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
            self._imprints = {
                name: self._imprint_of(name, samples, table)
                for name, samples in dataset.samples.of_class.items()
            }
            heads = [one.head for one in self._imprints.values() if one.head]
            if heads:
                self.model = Model(side_by_side(heads))
                self._imprinted = True
        elif set(dataset.captured_classes) - set(self.model.class_names):
            self.model = self.model.extended(dataset.feature_set(table, _IMPRINTED_FROM))

    def _imprint_of(self, class_name: str, samples: ClassSamples, table: FeatureTable) -> _Imprint:
        """Imprint a class, or take what was made of the same samples before."""
        known = self._imprints.get(class_name)
        if known and known.complete and known.samples is samples:
            return known
        of_class = Dataset((class_name,), Samples({class_name: samples}))
        feature_set = of_class.feature_set(table, _IMPRINTED_FROM)
        complete = len(feature_set) == min(len(samples), _IMPRINTED_FROM)
        return _Imprint(samples, complete, imprint(feature_set) if len(feature_set) else None)


class _Imprint(NamedTuple):
    """A head of one class, or `None` while nothing is known of it, and what it was made of."""

    samples: ClassSamples
    complete: bool
    head: LinearHead | None
