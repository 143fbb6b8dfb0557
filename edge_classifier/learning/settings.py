"""How a head is trained, and where a project keeps that."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_classifier.learning.head import HeadKind
    from edge_classifier.project.store import ProjectStore


BurstChoice: TypeAlias = Literal["found", "single"]

RANGES: Final = {
    "penalty": (1e-12, 1e6),
    "units": (1, 4096),
    "learning_rate": (1e-9, 1e3),
    "epochs": (1, 100_000),
    "batch_fraction": (1e-9, 1.0),
    "seed": (0, 2**32 - 1),
}
"""What can be, both ends included. Settings come from files, too: more units and epochs would only
keep a machine busy, and other numbers are none that anything is learned with."""

_RECIPE: Final = 3
"""Raise it where the same samples and settings give a better model: those that were trained
before are then trained again."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How a head is trained; all but kind, penalty and bursts is of use for the dense one only.

    Attributes:
        kind: `linear` is a softmax on L2-normalised features, see the module `linear`; `dense`
            is the article's Dense relu → softmax, trained by Adam.
        penalty: `linear` only: weight of the squared weights beside the mean cross-entropy.
            Smaller makes surer scores.
        units: Size of the hidden layer.
        batch_fraction: Batch size as a part of all samples, at most 1.
        seed: Of initial weights and of the order of samples.
        bursts: Whether recordings are `found` among pictures that were added one by one, or each
            of these is a `single` one that resembles no other more than its class does.
    """

    kind: HeadKind = "linear"
    penalty: float = 1e-4
    units: int = 100
    learning_rate: float = 1e-4
    epochs: int = 20
    batch_fraction: float = 0.4
    seed: int = 0
    bursts: BurstChoice = "found"

    def __post_init__(self) -> None:
        if self.kind not in ("linear", "dense"):
            raise InvalidValueError(f"Expected head 'linear' or 'dense', received {self.kind!r}.")
        if self.bursts not in get_args(BurstChoice):
            raise InvalidValueError(
                f"Expected bursts 'found' or 'single', received {self.bursts!r}."
            )
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            inside = least <= value <= most
            if not inside or (isinstance(least, int) and value != int(value)):
                whole = " as a whole number" if inside else ""
                raise InvalidValueError(
                    f"Expected {name.replace('_', ' ')}{whole} from {least:g} to {most:,g}, "
                    f"received {value}."
                )


def trained_on(fingerprint: str, settings: HeadSettings) -> str:
    """Name what a model was trained on and how, to tell whether it has to be trained again.

    The result begins with the fingerprint, which is `Dataset.fingerprint` of the samples.
    """
    how = hashlib.sha256(f"{_RECIPE} {settings!r}".encode())
    return f"{fingerprint}-{how.hexdigest()[:16]}"


def project_head_settings(
    store: ProjectStore, changes: Mapping[str, Any] = MappingProxyType({})
) -> HeadSettings:
    """Return a project's head settings, with changes that the project then keeps if it can.

    A change to `None` leaves a field of `HeadSettings` as it is.

    Raises:
        InvalidValueError: if a value is out of its range.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    settings = stored_head_settings(store.settings, store.name, changes)
    stored = store.settings.get("head", {})
    changed = asdict(settings) != stored and (stored or settings != HeadSettings())
    if changes and changed and not store.read_only:
        store.update_settings(head=asdict(settings))
    return settings


def stored_head_settings(
    settings: Mapping[str, Any], project: str, changes: Mapping[str, Any] = MappingProxyType({})
) -> HeadSettings:
    """Read the head settings out of a project's settings, and change some of them.

    Raises:
        InvalidValueError: if they cannot be used; names the project.
    """
    stored = settings.get("head", {})
    known = {field.name for field in fields(HeadSettings)}
    try:
        values = {name: value for name, value in stored.items() if name in known}
        return HeadSettings(**{**values, **changes})
    except (AttributeError, TypeError) as error:
        raise InvalidValueError(
            f"The head settings in {project}/project.json cannot be used: {error}."
        ) from error
