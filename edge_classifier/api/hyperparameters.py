"""The hyperparameters of an `ImageClassifier`: what they mean for the head, and which can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_classifier.errors import InvalidValueError
from edge_classifier.learning.settings import HeadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


def project_head_settings(values: Mapping[str, Any]) -> HeadSettings:
    """Return how the head is trained.

    Args:
        values: Hyperparameters by name.

    Raises:
        InvalidValueError: if one is out of its range.
        TypeError: if one is of another type.
    """
    return HeadSettings(
        kind=values["head"],
        penalty=values["penalty"],
        units=values["units"],
        learning_rate=values["learning_rate"],
        epochs=values["epochs"],
        batch_fraction=values["batch_fraction"],
        seed=values["random_state"],
    )


def hyperparameters_of(settings: HeadSettings) -> dict[str, Any]:
    """Return the hyperparameters that `project_head_settings` turns into these."""
    return {
        "head": settings.kind,
        "penalty": settings.penalty,
        "units": settings.units,
        "learning_rate": settings.learning_rate,
        "epochs": settings.epochs,
        "batch_fraction": settings.batch_fraction,
        "random_state": settings.seed,
    }


def check_hyperparameters(values: Mapping[str, Any]) -> None:
    """Refuse hyperparameters from a file that no `save` has written.

    Args:
        values: All of them, by name.

    Raises:
        InvalidValueError: naming the first one.
    """
    texts = ("backbone", "features", "head", "colour_order")
    for name in (*texts, *(("weights",) if values["weights"] is not None else ())):
        if not isinstance(values[name], str):
            raise InvalidValueError(f"Expected text for {name}.")
    if values["features"] not in ("pooled", "spatial"):
        raise InvalidValueError(f"Expected features pooled or spatial, not {values['features']!r}.")
    if not isinstance(values["n_jobs"], (int, type(None))):
        raise InvalidValueError("Expected a whole number for n_jobs.")
    try:
        project_head_settings(values)
    except TypeError as error:
        raise InvalidValueError(f"Expected numbers for the head: {error}.") from error
