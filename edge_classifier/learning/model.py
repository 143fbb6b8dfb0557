"""What turns features into predictions: a trained head, and its measure of "unknown"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edge_classifier.device.unknown_detector import within_reach
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_classifier.device.unknown_detector import UnknownDetector
    from edge_classifier.learning.head import Head
    from edge_classifier.values import Features, FeatureSet


STEPS_SETTING: Final = "unknown_steps"
"""Under this name a project's settings hold the steps; see `stored_steps`."""


def stored_steps(settings: Mapping[str, object]) -> int:
    """Read the user's steps from a project's settings (`ProjectStore.settings`).

    They are kept with `store.update_settings(**{STEPS_SETTING: steps})`; what is no whole number
    counts as none, what is beyond `MAX_STEPS` is cut off.
    """
    steps = settings.get(STEPS_SETTING)
    if not isinstance(steps, int) or isinstance(steps, bool):
        return 0
    return within_reach(steps)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What turns features into predictions.

    Attributes:
        head: Gives the scores.
        unknown: Gives the verdict "unknown"; `None` before anything was measured.
        unadapted: What an adapted model was made of.
    """

    head: Head
    unknown: UnknownDetector | None = None
    unadapted: Unadapted | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self.head.class_names

    @property
    def tells(self) -> bool:
        """Whether there is anything that a class could be told from: another one, or unknown."""
        return len(self.class_names) > 1 or self.unknown is not None

    @property
    def taught(self) -> Model:
        """The model as it was taught: without adaptation, but with the user's steps."""
        if self.unadapted is None:
            return self
        return self.unadapted.model.adjusted(self.unknown.steps if self.unknown else 0)

    def predict(self, features: Features) -> list[Prediction]:
        """Predict from features `(N, D)`; one prediction a row."""
        scores = self.head.scores(features)
        if self.unknown is None:
            return [Prediction(self.class_names, row) for row in scores]
        threshold = self.unknown.threshold
        similarities = self.unknown.similarity(features, scores).tolist()
        return [
            Prediction(self.class_names, row, similarity, threshold)
            for row, similarity in zip(scores, similarities, strict=True)
        ]

    def adjusted(self, steps: int) -> Model:
        """Make "unknown" stricter (above 0) or more lenient; see `UnknownDetector.adjusted`."""
        return replace(self, unknown=self.unknown and self.unknown.adjusted(steps))

    def extended(self, feature_set: FeatureSet) -> Model:
        """Add classes that are new in `feature_set`, until training follows.

        How much scores hesitate says nothing of a class that they were not calibrated for, so
        until then only distances tell what is unknown.
        """
        unknown = self.unknown and replace(self.unknown, hesitation_weight=0.0)
        unadapted = self._unadapted(lambda taught: taught.extended(feature_set))
        return Model(self.head.extended(feature_set), unknown, unadapted)

    def with_known(self, features: Features) -> Model:
        """Take note that an image with these features, `(D,)`, is not unknown."""
        return replace(self, unknown=self.unknown and self.unknown.with_reference(features))

    def without(self, class_name: str) -> Model | None:
        """Drop a class; `None` where no other is left."""
        head = self.head.without(class_name)
        unadapted = self._unadapted(lambda taught: taught.without(class_name))
        return None if head is None else Model(head, unadapted=unadapted)

    def renamed(self, class_name: str, new_name: str) -> Model:
        """Rename a class."""
        unadapted = self._unadapted(lambda taught: taught.renamed(class_name, new_name))
        return replace(self, head=self.head.renamed(class_name, new_name), unadapted=unadapted)

    def _unadapted(self, change: Callable[[Model], Model | None]) -> Unadapted | None:
        """Change what it was made of as it is changed itself."""
        if self.unadapted is None:
            return None
        taught = change(self.unadapted.model)
        return replace(self.unadapted, model=taught) if taught else None


@dataclass(frozen=True, slots=True, eq=False)
class Unadapted:
    """What an adapted model was made of.

    Attributes:
        model: As it was taught.
        rows: `(N, D)` float32 of length 1, the frames that it was adapted to.
    """

    model: Model
    rows: Features
