"""Samples that a person should look at again: mislabelled, blurred, badly exposed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_classifier.frame import Sample
    from edge_classifier.picture_quality import PictureQuality
    from edge_classifier.validation import Validation

_CLEARLY: Final = 0.9
"""The score of another class from which a held-out sample looks mislabelled."""


class Reason(Enum):
    """Why a sample is suspect."""

    MISLABELLED = "mislabelled"
    BLURRED = "blurred"
    TOO_BRIGHT = "over-exposed"
    TOO_DARK = "under-exposed"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sample that may do more harm than good.

    Attributes:
        sample: The sample.
        reason: Why.
        text: For the user, one phrase: `looks like phone, not mug`.
        severity: From 0 to 1; the list is ordered by it.
        looks_like: The class that it seems to be of, where it looks mislabelled.
    """

    sample: Sample
    reason: Reason
    text: str
    severity: float
    looks_like: str | None = None


def find_suspects(
    validation: Validation | None, qualities: Mapping[str, PictureQuality]
) -> tuple[Suspect, ...]:
    """List suspect samples, the worst first; a sample is listed once, for its worst reason.

    Args:
        validation: What held-out samples were answered; without it no label is doubted.
        qualities: Of the pictures that were measured, by image hash.
    """
    if validation is None or validation.found.evaluation is None or qualities is None:
        return ()
    evaluation = validation.found.evaluation
    found = []
    for row in evaluation.mistakes():
        score = float(evaluation.confidences[row])
        if score >= _CLEARLY:
            sample = validation.samples[int(validation.found.rows[row])]
            other = evaluation.class_names[int(evaluation.predicted_ids[row])]
            text = f"looks like {other}, not {sample.class_name}"
            found.append(Suspect(sample, Reason.MISLABELLED, text, score, other))
    return tuple(sorted(found, key=lambda s: -s.severity))
