"""A model adapted to unlabelled frames of another light or place; see `device.adaptation`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.adaptation import (
    MIN_SEEN,
    SHOWN,
    SURE,
    Adapted,
    Taught,
    adapt,
    count_seen,
)
from edge_classifier.errors import AdaptationError
from edge_classifier.learning.head import LinearHead, normalise, softmax

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.model import Model, UnknownDetector
    from edge_classifier.values import Features

FLOOR_SHARE: Final = 0.5
"""Frames take part that are more familiar than generic strangers by this part of the way to what
was measured on bursts: strangers that pass by must not move anything."""

MAX_ADDED: Final = 128
"""Frames that "unknown" is told by beside what was taught, thinned out evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """What unlabelled frames made of a model.

    Attributes:
        model: Adapted.
        seen: `(C,)` how many frames were recognised as each class.
        familiar: How familiar the frames that took part were (median), before and after.
    """

    model: Model
    seen: npt.NDArray[np.int64]
    familiar: tuple[float, float]

    def __str__(self) -> str:
        before, after = self.familiar
        seen = int((self.seen >= SHOWN.frames).sum())
        return (
            f"familiar {before:.2f} → {after:.2f}; {seen} of {len(self.seen)} "
            f"{'class' if len(self.seen) == 1 else 'classes'} seen"
        )


def taught_of(model: Model) -> Taught:
    """Return what adaptation begins from.

    Raises:
        AdaptationError: if this model has not got it.
    """
    head, unknown = model.head, model.unknown
    if not isinstance(head, LinearHead):
        raise AdaptationError("Only the linear head, which is the default, can be adapted.")
    if unknown is None or set(range(len(head.class_names))) - set(unknown.reference_ids.tolist()):
        raise AdaptationError(
            "Adapting begins from what was measured in training, which this model lacks: train it "
            "again, on five pictures of each class or more."
        )
    own = unknown.reference_ids >= 0
    return Taught(unknown.references[own], unknown.reference_ids[own], head.weights, head.bias)


def is_familiar(
    unknown: UnknownDetector, features: Features, scores: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Say which frames, features `(N, D)` and scores `(N, C)`, may take part in adapting."""
    return unknown.similarity(features, scores) >= unknown.level(FLOOR_SHARE)


def adapt_model(model: Model, features: Features) -> Adaptation:
    """Adapt a model, as it was taught, to frames of the new conditions, `(N, D)`.

    Raises:
        AdaptationError: if that is not possible, or would do harm; says why in one line.
    """
    taught = taught_of(model)
    if model.unknown is None or not len(features):
        raise nothing_familiar(0)
    scores = model.head.scores(features)
    familiar = is_familiar(model.unknown, features, scores)
    if not familiar.any():
        raise nothing_familiar(len(features))
    shown = features[familiar]
    found = adapt(taught, normalise(shown))
    if found is None:
        raise AdaptationError(_why_not(model, scores[familiar]))
    rows = normalise(shown)
    head = LinearHead(model.class_names, found.weights, found.bias)
    after, added = _with_shown(model.unknown, found, rows)
    similar = after.similarities(shown)
    # None is to count as familiar for being its own reference.
    similar[added, len(model.unknown.references) + np.arange(len(added))] = 0.0
    familiarities = (
        model.unknown.similarity(shown, scores[familiar]),
        after.familiarity(similar, head.scores(shown)),
    )
    before, now = (float(np.median(each)) for each in familiarities)
    return Adaptation(replace(model, head=head, unknown=after), found.seen, (before, now))


def nothing_familiar(looked_at: int) -> AdaptationError:
    """Tell that of so many pictures none can take part."""
    if not looked_at:
        return AdaptationError("There is no picture to adapt to.")
    return AdaptationError(
        f"None of the {looked_at:,} pictures resembles what was taught; show the classes "
        "themselves, as they look now."
    )


def _with_shown(
    unknown: UnknownDetector, found: Adapted, rows: npt.NDArray[np.float32]
) -> tuple[UnknownDetector, npt.NDArray[np.int64]]:
    """Shift "unknown", and tell it by frames recognised surely, too; returns which those are."""
    scores = softmax(rows @ found.weights + found.bias)
    sure = np.flatnonzero(scores.max(axis=1) > SURE)
    added = sure[np.unique(np.linspace(0, len(sure) - 1, min(len(sure), MAX_ADDED)).astype(int))]
    detector = replace(
        unknown,
        references=np.concatenate([unknown.references, rows[added] - found.shift]),
        scales=np.append(unknown.scales, np.ones(len(added), np.float32)),
        class_ids=np.append(unknown.reference_ids, scores[added].argmax(axis=1)),
        shift=found.shift,
    )
    return detector, added


def _why_not(model: Model, scores: npt.NDArray[np.float32]) -> str:
    seen = count_seen(scores)
    found = ", ".join(
        f"{name} ({count})" for name, count in zip(model.class_names, seen, strict=True) if count
    )
    if (seen >= SHOWN.frames).sum() < min(MIN_SEEN, len(seen)):
        return (
            f"Adapting needs {SHOWN.frames} pictures each of {min(MIN_SEEN, len(seen))} classes; "
            f"recognised were {found or 'none'}. Show each of them from several sides."
        )
    missing = [n for n, count in zip(model.class_names, seen, strict=True) if count < SHOWN.frames]
    of = f" of {', '.join(missing)}" if missing else ""
    return (
        f"Adapting to these pictures alone (recognised were {found}) would lose what was taught"
        f"{of}; show all classes, each from several sides."
    )
