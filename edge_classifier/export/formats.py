"""The formats of model files, and whether a file is the same classifier as the live path."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from edge_classifier.values import BackboneInfo

FLOAT32: Final = "float32"
FLOAT16: Final = "float16"
DYNAMIC: Final = "dynamic"
INT8: Final = "int8"
ALL: Final = "all"
AUTO: Final = "auto"

SCORES: Final = "scores"
SIMILARITIES: Final = "similarities"
FEATURES: Final = "features"
SPATIAL: Final = "spatial"
OUTPUTS: Final = (SCORES, SIMILARITIES, FEATURES, SPATIAL)
"""The names of a file's outputs, in their order; `SIMILARITIES` only where unknown can be told.
`FEATURES`, `(1, D)`, are those that the head was given; `SPATIAL`, `(1, h * w * c)`, the feature
map that they are pooled of, flattened because MediaPipe refuses outputs of other ranks. Features
that are not pooled are that map themselves, and it comes once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may differ from the live path and still count as the same classifier.

    Attributes:
        agreement: The part of samples that must get the same label, and the part that must get
            the same verdict "unknown".
        difference: The largest difference of a score, or `None` where only labels count.
        accuracy_loss: How much accuracy may be lost, as a part of all samples.
    """

    agreement: float
    difference: float | None = None
    accuracy_loss: float = 1.0


LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        FLOAT32: Limits(1.0, difference=1e-3),
        FLOAT16: Limits(0.995),
        DYNAMIC: Limits(0.98, accuracy_loss=0.01),
        INT8: Limits(0.98, accuracy_loss=0.01),
    }
)
"""By format: `float32`; `float16` (half the size); `dynamic` (int8 weights, float arithmetic);
`int8` (all integers, uint8 pixels in and uint8 scores out)."""


def chosen_formats(requested: str) -> tuple[str, ...]:
    """Turn a format, `all` or `auto` into formats to convert to.

    Raises:
        InvalidValueError: if there is no such format.
    """
    if requested in (ALL, AUTO):
        return tuple(LIMITS)
    if requested not in LIMITS:
        raise InvalidValueError(
            f"Expected a format out of {', '.join((*LIMITS, ALL, AUTO))}, received {requested!r}."
        )
    return (requested,)


def possible_formats(
    formats: Sequence[str], info: BackboneInfo
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Part formats into those that a backbone can be had in, and why not the others."""
    if not info.name.startswith("v3"):
        return tuple(formats), {}
    reason = (
        f"{info.name} loses accuracy and speed in int8 (its hard-swish layers are not made "
        "for it); choose float16, or a v1 or v2 backbone"
    )
    left_out = {f: reason for f in formats if f == INT8}
    return tuple(f for f in formats if f not in left_out), left_out


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What one implementation said of N samples.

    Attributes:
        scores: `(N, C)` float32.
        unknown: `(N,)` bool, the verdicts "unknown", or `None`.
        bytes: Size of its file, or `None` for what is none.
        ms: Milliseconds a frame (median), or `None` if not measured.
    """

    scores: npt.NDArray[np.float32]
    unknown: npt.NDArray[np.bool_] | None = None
    bytes: int | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an implementation differs from the reference on N samples.

    Attributes:
        name: What was asked: `live path`, `float32`, …
        agreement: The part of samples with the same label.
        difference: The largest difference of a score.
        worst: Indices of the samples that differ most, the worst first.
        accuracy: The part of samples labelled right, or `None` without labels.
        reference_accuracy: The same of the reference.
        unknown_agreement: The part of samples with the same verdict "unknown", or `None`.
    """

    name: str
    samples: int
    agreement: float
    difference: float
    worst: tuple[int, ...]
    accuracy: float | None
    reference_accuracy: float | None
    unknown_agreement: float | None = None
    bytes: int | None = None
    ms: float | None = None

    def problem(self, limits: Limits) -> str | None:
        """Say in which way it differs too much, or `None` if it does not."""
        if self.agreement < limits.agreement:
            return (
                f"only {self.agreement:.1%} of {self.samples} samples get the same label, "
                f"{limits.agreement:.1%} are needed"
            )
        if self.unknown_agreement is not None and self.unknown_agreement < limits.agreement:
            return (
                f"only {self.unknown_agreement:.1%} of {self.samples} samples get the same verdict "
                f'"unknown" or not, {limits.agreement:.1%} are needed'
            )
        if not np.isfinite(self.difference):
            return "it gives scores that are no numbers"
        if limits.difference is not None and self.difference > limits.difference:
            return f"a score differs by {self.difference:.2g}, {limits.difference:g} is allowed"
        if self.accuracy is not None and self.reference_accuracy is not None:
            loss = self.reference_accuracy - self.accuracy
            # One sample says nothing: of few it would be more than a point.
            if round(loss * self.samples) > max(1, limits.accuracy_loss * self.samples):
                return f"{loss:.1%} of accuracy is lost, {limits.accuracy_loss:.1%} is allowed"
        return None


def compare(
    name: str, replay: Replay, reference: Replay, class_ids: npt.NDArray[np.int64] | None = None
) -> Comparison:
    """Compare what an implementation said with what the reference said of the same samples.

    The true classes, `(N,)`, are not always known.

    Raises:
        InvalidValueError: if there is no sample, or the two are of different ones.
    """
    if replay.scores.shape != reference.scores.shape or not len(reference.scores):
        raise InvalidValueError(
            "Expected scores of the same samples (at least one), received "
            f"{replay.scores.shape} and {reference.scores.shape}."
        )
    labels, expected = replay.scores.argmax(axis=1), reference.scores.argmax(axis=1)
    differences = np.abs(replay.scores - reference.scores).max(axis=1)
    unknown_agreement = None
    if replay.unknown is not None and reference.unknown is not None:
        unknown_agreement = float(np.mean(replay.unknown == reference.unknown))
        if reference.scores.shape[1] == 1:  # "unknown" is the only other label
            labels, expected = replay.unknown.astype(int), reference.unknown.astype(int)
    return Comparison(
        name=name,
        samples=len(labels),
        agreement=float(np.mean(labels == expected)),
        difference=float(differences.max()),
        worst=tuple(int(n) for n in np.argsort(-differences, kind="stable")),
        accuracy=None if class_ids is None else float(np.mean(labels == class_ids)),
        reference_accuracy=None if class_ids is None else float(np.mean(expected == class_ids)),
        unknown_agreement=unknown_agreement,
        bytes=replay.bytes,
        ms=replay.ms,
    )
