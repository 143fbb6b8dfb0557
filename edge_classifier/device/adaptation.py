"""Adaptation: unlabelled frames of another light or place bring a model back to what it was taught.

Two steps, both on features of length 1 and without any label:

- What all classes have in common has moved: the mean over the classes that were seen, of how far
  their frames lie from where the class was taught, is taken off every frame. Frames are attributed
  to classes by the scores that they have once it is; so it is found step by step, always begun anew
  from 0, because an estimate that goes on from the last one locks in its first errors (measured).
- Frames that are then recognised surely are learned from beside what was taught, by a linear
  discriminant, and its logits and those of the head are averaged (self-training: Lee,
  "Pseudo-Label", ICML 2013 workshop).

Both are linear, so the result is a head like any other. What was measured is in docs/decisions.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from .discriminant import discriminant, spread_of
from .frame_buffer import DIFFERS, MAX_FRAMES, SAME
from .subsample import evenly, pick_evenly
from .unknown_detector import NEIGHBOURS
from .verdict import BACKGROUND, softmax

if TYPE_CHECKING:
    import numpy.typing as npt

    from .unknown_detector import UnknownDetector

MIN_SEEN: Final = 2
"""Classes that have to be seen: what is new in the frames of a single one may be the class."""

ENOUGH: Final = 8
"""Frames of each class that are asked for; fewer help less."""

_RECOGNISED: Final = 0.5
"""The score from which a frame counts as recognised."""

SURE: Final = 0.8
"""The score from which a frame is learned from."""

_STEPS: Final = 5

_LEAST_WEIGHT: Final = 1.5
"""Frames, in scores added up, of a class that takes part in the shift."""

_OWN_SHARE: Final = 0.5
"""Of the head as it was taught, in the mean with what was learned from the frames."""

MAX_ADDED: Final = 128
"""Frames that "unknown" is told by beside what was taught, thinned out evenly."""

_MOST_OFTEN: Final = 2
"""Times as many frames of a class as of the one with the fewest take part: more of them leak into
the means of the others."""

_SCALES: Final = (1.0, 0.5, 0.25)
"""Parts of the shift that are tried, until classes that were not seen are safe."""

_SAFE: Final = 0.95
"""The part of what was taught of classes not seen that still has to be recognised."""


_FARTHER: Final = 1.15
"""Times that what was taught elsewhere counts as far as what was seen here, once there is enough of
that to tell "unknown" by."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much has to be seen.

    Attributes:
        frames: A class was seen once so many frames were recognised as it.
        prior: As many frames, seen beforehand, that say that nothing has moved: a few frames move
            little.
        every_class: Whether frames are learned from only once every class was seen.
    """

    frames: int
    prior: float
    every_class: bool


SHOWN: Final = Evidence(frames=3, prior=4.0, every_class=False)
"""Where somebody shows the classes for that purpose."""

PASSING: Final = Evidence(frames=5, prior=8.0, every_class=True)
"""Of frames as they come, maybe of one class for an hour."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A linear head and what it was taught with.

    Attributes:
        rows: `(M, D)` float32, features of length 1.
        class_ids: `(M,)` int64; each of the C classes has one of the rows.
        weights: `(D, C)` float32.
        bias: `(C,)` float32.
    """

    rows: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    @classmethod
    def of(
        cls,
        unknown: UnknownDetector,
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
    ) -> Taught | None:
        """Take a head and the references of "unknown"; `None` where a class has none of them."""
        ids = unknown.reference_ids
        if set(range(len(bias))) - set(ids.tolist()):
            return None
        return cls(unknown.references[ids >= 0], ids[ids >= 0], weights, bias)

    @property
    def means(self) -> npt.NDArray[np.float32]:
        """The means of the classes, `(C, D)`."""
        classes = range(self.weights.shape[1])
        return np.stack([self.rows[self.class_ids == c].mean(axis=0) for c in classes])


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """A head for frames of the new conditions.

    Attributes:
        shift: `(D,)` float32, how far features of length 1 have moved.
        weights: `(D, C)` float32.
        bias: `(C,)` float32; the shift is in it, so both are applied to frames as they come.
        seen: `(C,)` int64, how many frames were recognised as each class.
    """

    shift: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    seen: npt.NDArray[np.int64]


def enough(classes: int) -> int:
    """Say how many frames of each class are asked for: fewer where a buffer would not hold them."""
    return max(1, min(ENOUGH, MAX_FRAMES // (2 * classes)))


def asked_difference(class_name: str, count: int, wanted: int) -> float:
    """Say how far a frame that is shown must be from those of which there are `count`.

    The empty scene is the same in every frame, so until there are enough it need not differ.
    """
    return SAME if class_name == BACKGROUND and count < wanted else DIFFERS


def what_changed(
    familiar: tuple[float, float], seen: npt.NDArray[np.int64], evidence: Evidence
) -> str:
    """Put in words how familiar frames are, before and after, and how many classes were seen."""
    before, after = familiar
    enough = int((seen >= evidence.frames).sum())
    return (
        f"familiar {before:.2f} → {after:.2f}; {enough} of {len(seen)} "
        f"{'class' if len(seen) == 1 else 'classes'} seen"
    )


def is_familiar(
    unknown: UnknownDetector, features: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Say which frames, features `(N, D)` and scores `(N, C)`, may take part in adapting.

    By the measure of "unknown" as it was taught.
    """
    return unknown.similarity(features, scores) >= unknown.floor


def count_seen(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Count the frames that scores `(N, C)` recognise as each class, `(C,)`."""
    recognised = scores.max(axis=1, initial=0.0) > _RECOGNISED
    return np.bincount(scores.argmax(axis=1)[recognised], minlength=scores.shape[1])


def adapt(
    taught: Taught, rows: npt.NDArray[np.float32], evidence: Evidence = SHOWN
) -> Adapted | None:
    """Adapt a head to frames, `(N, D)` features of length 1 that are familiar.

    Returns:
        `None` until enough frames of `MIN_SEEN` classes were seen (of the only class, where there
        is one), and where it would do harm to classes that were not.
    """
    classes = len(taught.bias)
    if not len(rows):
        return None
    seen = count_seen(softmax(rows @ taught.weights + taught.bias)) >= evidence.frames
    if seen.sum() < min(MIN_SEEN, classes):
        return None
    first = _shift(taught, rows, evidence.prior)
    if first is None:
        return None
    balanced = _balanced(taught, rows, first, evidence)
    recognised = count_seen(softmax((rows - first) @ taught.weights + taught.bias))
    # The fewer were seen, the likelier it is that they were just taken for each other.
    believed = float((recognised >= evidence.frames).mean())
    whole = _shift(taught, balanced, evidence.prior)
    if whole is None:
        return None
    for scale in _SCALES:
        shift = whole * np.float32(scale * believed)
        now = count_seen(softmax((rows - shift) @ taught.weights + taught.bias))
        weights, bias = taught.weights, taught.bias
        if not evidence.every_class or (now >= evidence.frames).all():
            weights, bias = _learned(taught, balanced - shift)
        adapted = Adapted(shift, weights, bias - shift @ weights, now)
        if _is_safe(taught, adapted, now < evidence.frames):
            return adapted
    return None


def _balanced(
    taught: Taught,
    rows: npt.NDArray[np.float32],
    shift: npt.NDArray[np.float32],
    evidence: Evidence,
) -> npt.NDArray[np.float32]:
    """Thin out classes that came much more often than the one that came least, if it did."""
    class_ids = ((rows - shift) @ taught.weights + taught.bias).argmax(axis=1)
    counts = np.bincount(class_ids)
    most = _MOST_OFTEN * max(evidence.frames, int(counts[counts > 0].min()))
    picks = pick_evenly(class_ids, np.full(len(counts), most))
    balanced: npt.NDArray[np.float32] = rows[picks]
    return balanced


def adapted_detector(
    unknown: UnknownDetector, found: Adapted, rows: npt.NDArray[np.float32]
) -> UnknownDetector:
    """Adapt the measure of "unknown", too: some of the rows `(N, D)` become references."""
    added = rows[added_rows(found, rows)]
    farther = np.float32(_FARTHER if len(added) >= NEIGHBOURS else 1.0)
    return replace(
        unknown,
        references=np.concatenate([unknown.references, added - found.shift]),
        scales=np.append(unknown.scales * farther, np.ones(len(added), np.float32)),
        class_ids=np.append(
            unknown.reference_ids, (added @ found.weights + found.bias).argmax(axis=1)
        ),
        shift=found.shift,
    )


def familiar_before_and_after(
    taught: Taught,
    unknown: UnknownDetector,
    found: Adapted,
    detector: UnknownDetector,
    rows: npt.NDArray[np.float32],
) -> tuple[float, float]:
    """Say how familiar the frames that were adapted to are (median), before and after.

    Of features `(N, D)` of length 1, by the measure of "unknown" as it was taught and by the
    `adapted_detector`. None counts as familiar for being its own reference.
    """
    before = unknown.similarity(rows, softmax(rows @ taught.weights + taught.bias))
    similar = detector.similarities(rows)
    added = added_rows(found, rows)
    similar[added, len(unknown.references) + np.arange(len(added))] = 0.0
    after = detector.familiarity(similar, softmax(rows @ found.weights + found.bias))
    return float(np.median(before)), float(np.median(after))


def added_rows(found: Adapted, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Choose the rows that become references: recognised surely, thinned out evenly."""
    scores = softmax(rows @ found.weights + found.bias)
    sure = np.flatnonzero(scores.max(axis=1) > SURE)
    chosen: npt.NDArray[np.int64] = sure[evenly(len(sure), MAX_ADDED)]
    return chosen


def _shift(
    taught: Taught, rows: npt.NDArray[np.float32], prior: float
) -> npt.NDArray[np.float32] | None:
    """Find how far rows `(N, D)` lie from where they were taught, `(D,)`.

    The fewer classes take part, and the fewer frames, the less of it is believed.
    """
    means = taught.means
    shift: npt.NDArray[np.float32] = np.zeros(rows.shape[1], np.float32)
    for _ in range(_STEPS):
        scores = softmax((rows - shift) @ taught.weights + taught.bias)
        weight = scores.sum(axis=0)
        seen = weight > _LEAST_WEIGHT
        if seen.sum() < min(MIN_SEEN, len(means)):
            return None
        live = (scores.T @ rows) / np.maximum(weight, np.float32(1e-6))[:, None]
        total = float(weight.sum())
        believed = seen.mean() * total / (total + prior)
        shift = (live - means)[seen].mean(axis=0) * np.float32(believed)
    return shift


def _is_safe(taught: Taught, adapted: Adapted, unseen: npt.NDArray[np.bool_]) -> bool:
    """Say whether classes that were not seen are recognised where they were taught."""
    rows = unseen[taught.class_ids]
    if not rows.any():
        return True
    answers = (taught.rows[rows] @ adapted.weights + adapted.bias).argmax(axis=1)
    return float((answers == taught.class_ids[rows]).mean()) >= _SAFE


def _learned(
    taught: Taught, rows: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return weights and bias that have also learned from the rows whose scores are sure."""
    scores = softmax(rows @ taught.weights + taught.bias)
    sure = scores.max(axis=1) > SURE
    labels = scores.argmax(axis=1)[sure]
    found = None
    if len(np.unique(labels)) >= MIN_SEEN:
        both = np.concatenate([taught.rows, rows[sure]])
        ids = np.concatenate([taught.class_ids, labels])
        found = discriminant(both, ids, len(taught.bias))
    if found is None:
        return taught.weights, taught.bias
    weights, bias = (part.astype(np.float32) for part in found)
    spread = spread_of(both @ weights + bias)
    if not spread > 0:
        return taught.weights, taught.bias
    factor = np.float32(spread_of(both @ taught.weights + taught.bias) / spread)
    own, other = np.float32(_OWN_SHARE), np.float32(1.0 - _OWN_SHARE)
    return (
        own * taught.weights + other * factor * weights,
        own * taught.bias + other * factor * bias,
    )
