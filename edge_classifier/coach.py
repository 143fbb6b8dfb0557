"""What to do next, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.dataset import Dataset
    from edge_classifier.validation import Validation

ENOUGH_SAMPLES: Final = 20
"""Samples a class should have; few-shot accuracy still climbs visibly below that."""


def key_of(class_names: tuple[str, ...], class_name: str, background: str) -> str | None:
    """Return what records a class: `1` to `9`, `B` for the background, or `None` beyond nine."""
    if class_name == background:
        return "B"
    index = [name for name in class_names if name != background].index(class_name)
    return str(index + 1) if index < 9 else None  # noqa: PLR2004 - nine digit keys


def next_hint(dataset: Dataset, background: str, validation: Validation | None = None) -> str:
    """Suggest the step that helps most now; empty where nothing is missing.

    Args:
        dataset: What was captured so far.
        background: Name of the class that key B records.
        validation: How good the model is, where that is known.
    """

    def how(class_name: str) -> str:
        key = key_of(dataset.class_names, class_name, background)
        return f"hold {key}" if key else "select it with the arrows and hold space"

    captured = dataset.captured_classes
    empty = [name for name in dataset.class_names if not dataset.count(name)]
    things = len([name for name in captured if name != background])
    if not captured:
        first = next((name for name in empty if name != background), "the first thing")
        hint = f"show {first} to the camera and hold 1"
    elif len(captured) == 1 and empty:
        hint = f"capture a second class: show {empty[0]} and {how(empty[0])}"
    elif len(captured) == 1:
        hint = f"capture a second class: show it and hold {things + 1}"
    elif empty:
        hint = f"capture {empty[0]}: {how(empty[0])}"
    else:
        hint = _improve(dataset, how) or _unconfuse(validation, how)
    return hint


def _improve(dataset: Dataset, how: Callable[[str], str]) -> str:
    """Suggest more of a class that has few samples, or all from one burst."""
    fewest = min(dataset.captured_classes, key=dataset.count)
    if dataset.count(fewest) < ENOUGH_SAMPLES:
        return f"add {ENOUGH_SAMPLES - dataset.count(fewest)} more of {fewest}: {how(fewest)}"
    for name in dataset.captured_classes:
        if dataset.burst_count(name) == 1:
            return f"record {name} a second time, from another side: {how(name)}"
    return ""


def _unconfuse(validation: Validation | None, how: Callable[[str], str]) -> str:
    """Suggest more of the classes that are taken for each other."""
    if validation is None or validation.confused is None:
        return ""
    first, second = validation.confused.names
    return f"{first} and {second} are confused most: record {first} from another side: {how(first)}"
