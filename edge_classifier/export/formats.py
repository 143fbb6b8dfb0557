"""The kinds of model files there are, and how much each may differ from the Keras graph."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_classifier.values import BackboneInfo

FLOAT32: Final = "float32"
INT8: Final = "int8"
ALL: Final = "all"
AUTO: Final = "auto"

SCORES: Final = "scores"
SIMILARITIES: Final = "similarities"
"""The names of a file's outputs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may differ from the Keras graph and still count as the same classifier.

    Attributes:
        agreement: The part of samples that must get the same label.
        difference: The largest difference of a score, or `None` where only labels count.
        accuracy_loss: How much accuracy may be lost, as a part of all samples.
    """

    agreement: float
    difference: float | None = None
    accuracy_loss: float = 1.0


LIMITS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        FLOAT32: Limits(1.0, difference=1e-3),
        "float16": Limits(0.995),
        "dynamic": Limits(0.98, accuracy_loss=0.01),
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
