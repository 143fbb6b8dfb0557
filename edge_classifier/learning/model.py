"""What turns features into predictions: a trained head, and its measure of "unknown"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.verdict import Prediction, familiarity
from edge_classifier.errors import InvalidValueError
from edge_classifier.learning.head import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from edge_classifier.learning.head import Head
    from edge_classifier.values import Features, FeatureSet


NEIGHBOURS: Final = 3
"""References that a frame's distance is measured to."""

ONE_BURST_SHARE: Final = 0.6
"""With one burst a class the threshold lies so far from what was measured on it towards generic
strangers: later frames differ more than those of one burst do. With n bursts it is the square of n
times less."""

ADAPTED_SHARE: Final = 0.8
"""After adaptation it lies so far from generic strangers, 0, to what was measured, 1, or nearer."""

MAX_STEPS: Final = 20
"""How far a user can move the threshold either way, in steps."""

STEPS_SETTING: Final = "unknown_steps"
"""Under this name a project's settings hold the steps; see `stored_steps`."""

DEFAULT_STEP: Final = 0.01
"""The size of a step in files from before it was measured."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownDetector:
    """Tells known from unknown by the nearest training features; see the module `unknown`.

    Attributes:
        references: `(M, D)` float32, each of length 1.
        scales: `(M,)` float32, what distances to each reference are multiplied by.
        measured_threshold: What was measured on held-out samples; at most 1.
        measured_on_bursts: Whether that comes from bursts held out, and not merely from parts
            of single bursts.
        step: How far one step of the user's moves the threshold; 0 or more. Four steps lead
            from the measured threshold, which accepts about 95 % of known frames, to where half
            of them would be refused.
        steps: How many steps the user has moved it: above 0 is stricter, below more lenient.
        hesitation_weight: How much less familiar one nat of entropy of the scores makes a frame.
        stranger_level: How familiar the most familiar of generic strangers are (see the module
            `unknown`), or `None` where that was not measured.
        bursts: How many bursts the class with the fewest of them has.
        class_ids: `(M,)` the class of each reference, -1 where it is not known; `None` in models
            from before that was kept.
        shift: `(D,)` what is taken off features of length 1 after adaptation, else `None`.
    """

    references: npt.NDArray[np.float32]
    scales: npt.NDArray[np.float32]
    measured_threshold: float
    measured_on_bursts: bool
    step: float = DEFAULT_STEP
    steps: int = 0
    hesitation_weight: float = 0.0
    stranger_level: float | None = None
    bursts: int = 1
    class_ids: npt.NDArray[np.int64] | None = None
    shift: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.references.ndim != 2 or not len(self.references):  # noqa: PLR2004 - (M, D)
            raise InvalidValueError(
                f"Expected references of shape (M, D), received {self.references.shape}."
            )
        if self.scales.shape != (len(self.references),):
            raise InvalidValueError(
                f"Expected {len(self.references)} scales, received {self.scales.shape}."
            )
        if self.bursts < 1:
            raise InvalidValueError(f"Expected 1 burst or more, received {self.bursts}.")
        if self.class_ids is not None and self.class_ids.shape != self.scales.shape:
            raise InvalidValueError(
                f"Expected {len(self.references)} class ids, received {self.class_ids.shape}."
            )
        if self.shift is not None and self.shift.shape != self.references.shape[1:]:
            raise InvalidValueError(f"Expected a shift (D,), received {self.shift.shape}.")

    @property
    def reference_ids(self) -> npt.NDArray[np.int64]:
        """The classes of the references, `(M,)`, -1 where they are not known."""
        if self.class_ids is None:
            return np.full(len(self.references), -1, np.int64)
        return self.class_ids

    @property
    def threshold(self) -> float:
        """Frames less similar than this are unknown: what was measured, and the user's steps."""
        share = 1.0 - ONE_BURST_SHARE / self.bursts**2
        if self.shift is not None:
            share = max(share, ADAPTED_SHARE)
        return self.level(share) + self.steps * self.step

    def level(self, share: float) -> float:
        """Return the level so far from generic strangers, 0, to the bursts that were held out, 1.

        What was measured on bursts where generic strangers are more familiar than that.
        """
        if self.stranger_level is None:
            return self.measured_threshold
        span = self.measured_threshold - self.stranger_level
        return self.measured_threshold - (1.0 - share) * max(0.0, span)

    def adjusted(self, steps: int) -> UnknownDetector:
        """Make the threshold so many steps stricter (above 0) or more lenient, `MAX_STEPS` at most.

        Counted from the measured threshold, not from where it is now: `adjusted(0)` takes all
        steps back, and the same number can be applied again after each training.
        """
        return replace(self, steps=_within_reach(steps))

    def with_reference(self, features: Features) -> UnknownDetector:
        """Count one more image, `(D,)`, as known, until the threshold is measured anew."""
        return replace(
            self,
            references=np.concatenate([self.references, normalise(features[None])]),
            scales=np.append(self.scales, np.float32(1)),
            class_ids=None if self.class_ids is None else np.append(self.class_ids, -1),
        )

    def similarities(self, features: Features) -> npt.NDArray[np.float32]:
        """Return `(N, M)`, how similar features `(N, D)` are to each reference.

        1 less the scaled cosine distance, and 0 where that is more than 1: what an exported
        graph gives as its second output.
        """
        return scaled_similarities(normalise(features), self.references, self.scales, self.shift)

    @property
    def offsets(self) -> npt.NDArray[np.float32]:
        """What is added to products with the scaled references, `(M,)`, to give similarities."""
        return _offsets(self.references * self.scales[:, None], self.scales, self.shift)

    def similarity(
        self, features: Features, scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return how familiar images are, `(N,)` in [0, 1]: features `(N, D)`, scores `(N, C)`."""
        return self.familiarity(self.similarities(features), scores)

    def familiarity(
        self, similarities: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the same from `similarities`, `(N, M)`, as an exported graph gives them."""
        return familiarity(similarities, scores, NEIGHBOURS, self.hesitation_weight)


def stored_steps(settings: Mapping[str, object]) -> int:
    """Read the user's steps from a project's settings (`ProjectStore.settings`).

    They are kept with `store.update_settings(**{STEPS_SETTING: steps})`; what is no whole number
    counts as none, what is beyond `MAX_STEPS` is cut off.
    """
    steps = settings.get(STEPS_SETTING)
    if not isinstance(steps, int) or isinstance(steps, bool):
        return 0
    return _within_reach(steps)


def _within_reach(steps: int) -> int:
    return max(-MAX_STEPS, min(MAX_STEPS, steps))


def scaled_similarities(
    rows: npt.NDArray[np.float32],
    references: npt.NDArray[np.float32],
    scales: npt.NDArray[np.float32],
    shift: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Return `(N, M)`, how similar rows `(N, D)` are to references `(M, D)`, all of length 1.

    Distances to each reference are multiplied by its scale out of `(M,)`; the `shift`, `(D,)`, is
    taken off the rows first, and what is left is not brought to length 1 again: so an exported
    graph needs nothing but other constants.
    """
    # The product first, as in an exported graph.
    scaled = references * scales[:, None]
    similar: npt.NDArray[np.float32] = rows @ scaled.T
    similar += _offsets(scaled, scales, shift)
    np.maximum(similar, np.float32(0), out=similar)
    return similar


def _offsets(
    scaled: npt.NDArray[np.float32],
    scales: npt.NDArray[np.float32],
    shift: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]:
    offsets: npt.NDArray[np.float32] = np.float32(1) - scales
    if shift is not None:
        offsets -= scaled @ shift
    return offsets


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What turns features into predictions.

    Attributes:
        head: Gives the scores.
        unknown: Gives the verdict "unknown"; `None` before anything was measured.
    """

    head: Head
    unknown: UnknownDetector | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self.head.class_names

    @property
    def is_adapted(self) -> bool:
        """Whether it answers by frames of another light or place than it was taught in."""
        return self.unknown is not None and self.unknown.shift is not None

    @property
    def tells(self) -> bool:
        """Whether there is anything that a class could be told from: another one, or unknown."""
        return len(self.class_names) > 1 or self.unknown is not None

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
        return replace(self, head=self.head.extended(feature_set), unknown=unknown)

    def with_known(self, features: Features) -> Model:
        """Take note that an image with these features, `(D,)`, is not unknown."""
        return replace(self, unknown=self.unknown and self.unknown.with_reference(features))

    def without(self, class_name: str) -> Model | None:
        """Drop a class; `None` where no other is left."""
        head = self.head.without(class_name)
        return None if head is None else Model(head)

    def renamed(self, class_name: str, new_name: str) -> Model:
        """Rename a class."""
        return replace(self, head=self.head.renamed(class_name, new_name))
