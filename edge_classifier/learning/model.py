"""A trained head together with its knowledge of what it does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from edge_classifier.learning.head import Head
    from edge_classifier.learning.unknown import UnknownDetector
    from edge_classifier.values import Features, FeatureSet


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What turns features into predictions.

    Attributes:
        head: Gives the scores.
        unknown: Gives the verdict "unknown", or `None` before anything was measured.
    """

    head: Head
    unknown: UnknownDetector | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self.head.class_names

    def predict(self, features: Features) -> list[Prediction]:
        """Predict from features `(N, D)`; one prediction a row."""
        scores = self.head.scores(features)
        if self.unknown is None:
            return [Prediction(self.class_names, row) for row in scores]
        return [
            Prediction(self.class_names, row, similarity, self.unknown.threshold)
            for row, similarity in zip(
                scores, self.unknown.similarity(features, scores).tolist(), strict=True
            )
        ]

    def adjusted(self, steps: int) -> Model:
        """Make "unknown" stricter (above 0) or more lenient; see `UnknownDetector.adjusted`.

        Nothing changes where no threshold was measured yet.
        """
        if self.unknown is None:
            return self
        return replace(self, unknown=self.unknown.adjusted(steps))

    def extended(self, feature_set: FeatureSet) -> Model:
        """Add classes that are new in `feature_set`, until training follows.

        How much scores hesitate says nothing of a class that they were not calibrated for, so
        until then only distances tell what is unknown.
        """
        unknown = self.unknown and replace(self.unknown, hesitation_weight=0.0)
        return replace(self, head=self.head.extended(feature_set), unknown=unknown)

    def with_known(self, features: Features) -> Model:
        """Take note that an image with these features, `(D,)`, is not unknown."""
        if self.unknown is None:
            return self
        return replace(self, unknown=self.unknown.with_reference(features))

    def without(self, class_name: str) -> Model | None:
        """Drop a class; `None` where no other is left."""
        head = self.head.without(class_name)
        return None if head is None else Model(head)

    def renamed(self, class_name: str, new_name: str) -> Model:
        """Rename a class."""
        return replace(self, head=self.head.renamed(class_name, new_name))
