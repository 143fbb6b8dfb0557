"""How familiar frames are beside what was taught, and from where on they are unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from .errors import InvalidValueError
from .verdict import familiarity, normalise

if TYPE_CHECKING:
    import numpy.typing as npt

NEIGHBOURS: Final = 3
"""References that a frame's distance is measured to."""

ONE_BURST_SHARE: Final = 0.6
"""With one burst a class the threshold lies so far from what was measured on it towards generic
strangers: later frames differ more than those of one burst do. With n bursts it is the square of n
times less."""

ADAPTED_SHARE: Final = 0.7
"""After adaptation it lies so far from generic strangers, 0, to what was measured, 1, or nearer."""

_FLOOR_SHARE: Final = 0.5
"""Frames take part in adapting that are more familiar than generic strangers by this part of the
way to what was measured on bursts: strangers that pass by must not move anything."""

MAX_STEPS: Final = 20
"""How far a user can move the threshold either way, in steps."""

DEFAULT_STEP: Final = 0.01
"""The size of a step in files from before it was measured."""


@dataclass(frozen=True, slots=True, eq=False)
class UnknownDetector:
    """Tells known from unknown by the nearest training features; see `learning.unknown`.

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
        stranger_level: How familiar the most familiar of generic strangers are (see
            `learning.unknown`), or `None` where that was not measured.
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

    @property
    def floor(self) -> float:
        """Frames less similar than this take no part in adapting; for a model as it was taught."""
        return self.level(_FLOOR_SHARE)

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
        return replace(self, steps=within_reach(steps))

    def with_reference(self, features: npt.NDArray[np.float32]) -> UnknownDetector:
        """Count one more image, `(D,)`, as known, until the threshold is measured anew."""
        row = normalise(features[None])
        return replace(
            self,
            references=np.concatenate(
                [self.references, row if self.shift is None else row - self.shift]
            ),
            scales=np.append(self.scales, np.float32(1)),
            class_ids=None if self.class_ids is None else np.append(self.class_ids, -1),
        )

    def similarities(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return `(N, M)`, how similar features `(N, D)` are to each reference.

        1 less the scaled cosine distance, and 0 where that is more than 1: what an exported
        graph gives as its second output.
        """
        return scaled_similarities(normalise(features), self.references, self.scales, self.shift)

    @property
    def offsets(self) -> npt.NDArray[np.float32]:
        """What is added to products with the scaled references, `(M,)`, to give similarities."""
        offsets: npt.NDArray[np.float32] = np.float32(1) - self.scales
        if self.shift is not None:
            offsets -= self.scales * (self.references @ self.shift)
        return offsets

    def similarity(
        self, features: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return how familiar images are, `(N,)` in [0, 1]: features `(N, D)`, scores `(N, C)`."""
        return self.familiarity(self.similarities(features), scores)

    def familiarity(
        self, similarities: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the same from `similarities`, `(N, M)`, as an exported graph gives them."""
        return familiarity(similarities, scores, NEIGHBOURS, self.hesitation_weight)


def within_reach(steps: int) -> int:
    """Cut off what is beyond `MAX_STEPS`."""
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
    moved = rows if shift is None else rows - shift
    similar: npt.NDArray[np.float32] = moved @ references.T
    similar *= scales
    similar += np.float32(1) - scales
    np.maximum(similar, np.float32(0), out=similar)
    return similar
