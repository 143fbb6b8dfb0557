"""A model adapted to unlabelled frames of another light or place; see `device.adaptation`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_classifier.device.adaptation import (
    MIN_SEEN,
    SHOWN,
    Taught,
    adapt,
    adapted_detector,
    count_seen,
    familiar_before_and_after,
    is_familiar,
    what_changed,
)
from edge_classifier.device.verdict import normalise
from edge_classifier.errors import AdaptationError
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.model import Unadapted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features


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
        return what_changed(self.familiar, self.seen, SHOWN)


def taught_of(model: Model) -> Taught:
    """Return what adaptation begins from.

    Raises:
        AdaptationError: if this model has not got it.
    """
    head, unknown = model.head, model.unknown
    if not isinstance(head, LinearHead):
        raise AdaptationError("Only the linear head, which is the default, can be adapted.")
    taught = Taught.of(unknown, head.weights, head.bias) if unknown else None
    if taught is None:
        raise AdaptationError(
            "Adapting begins from what was measured in training, which this model lacks: train it "
            "again, on five pictures of each class or more."
        )
    return taught


def adapt_model(model: Model, features: Features) -> Adaptation:
    """Adapt a model, as it was taught, to frames of the new conditions, `(N, D)`.

    Raises:
        AdaptationError: if that is not possible, or would do harm; says why in one line.
    """
    taught = taught_of(model)
    if model.unknown is None or not len(features):
        raise nothing_familiar(0)
    if features.shape[1] != model.head.feature_dim:
        raise AdaptationError(
            f"Expected frames of {model.head.feature_dim} features, received {features.shape[1]}; "
            "adapt again."
        )
    scores = model.head.scores(features)
    familiar = is_familiar(model.unknown, features, scores)
    if not familiar.any():
        raise nothing_familiar(len(features))
    rows = normalise(features[familiar])
    found = adapt(taught, rows)
    if found is None:
        raise AdaptationError(_why_not(model, scores[familiar]))
    detector = adapted_detector(model.unknown, found, rows)
    head = LinearHead(model.class_names, found.weights, found.bias)
    changed = replace(model, head=head, unknown=detector, unadapted=Unadapted(model, rows))
    measured = familiar_before_and_after(taught, model.unknown, found, detector, rows)
    return Adaptation(changed, found.seen, measured)


def nothing_familiar(looked_at: int) -> AdaptationError:
    """Tell that of so many pictures none can take part."""
    if not looked_at:
        return AdaptationError("There is no picture to adapt to.")
    return AdaptationError(
        f"None of the {looked_at:,} pictures resembles what was taught; show the classes "
        "themselves, as they look now."
    )


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
