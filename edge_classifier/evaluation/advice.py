"""What to do next: one line in the picture, and all there is to say in `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.evaluation.suspects import Reason
from edge_classifier.learning.training import FEWEST_OF_ONE, is_enough
from edge_classifier.project.classes import key_of
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.evaluation.suspects import Suspect
    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.features.dataset import Dataset


ENOUGH_SAMPLES: Final = 20
"""Samples a class should have; few-shot accuracy still climbs visibly below that."""

_NAMED: Final = 2
"""Classes that a line names; of more it tells how many they are."""

_OFTEN: Final = 0.05
"""The part of a pair's pictures that is confused, from which that is worth a word."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What one class lacks, in a `text` for the user: `8 pictures (12 more would help)`."""

    class_name: str
    text: str


def burst_counts(dataset: Dataset, validation: Validation | None) -> dict[str, int]:
    """Bursts of each class; validation also knows recordings among what was added one by one."""
    found = {one.name: one.bursts for one in validation.classes} if validation else {}
    return {name: dataset.burst_count(name) for name in dataset.class_names} | found


def class_advice(dataset: Dataset, validation: Validation | None) -> tuple[Advice, ...]:
    """Tell which classes have too few samples, or, if validated, too much alike ones."""
    found = []
    alike = validation.too_alike if validation else ()
    bursts = burst_counts(dataset, validation)
    for name in dataset.captured_classes:
        lacks = []
        if bursts[name] == 1:
            lacks.append("one burst only (a second one, from another side, helps most)")
        count = dataset.count(name)
        if count < ENOUGH_SAMPLES:
            few = counted(count, "picture")
            lacks.append(f"{few} ({ENOUGH_SAMPLES - count} more would help)")
        if name in alike:
            lacks.append("its pictures hardly differ (move it, or the camera, while recording)")
        if lacks:
            found.append(Advice(name, "; ".join(lacks)))
    return tuple(found)


def next_hint(dataset: Dataset, validation: Validation | None = None) -> str:
    """Suggest the step that helps most now; empty where nothing is missing."""

    def how(class_name: str) -> str:
        key = key_of(dataset.class_names, class_name)
        return f"hold {key}" if key else "select it with the arrows and hold space"

    captured = dataset.captured_classes
    empty = [name for name in dataset.class_names if not dataset.count(name)]
    things = len([name for name in captured if name != BACKGROUND])
    if not captured:
        first = next((name for name in empty if name != BACKGROUND), "the first thing")
        hint = f"show {first} to the camera and hold 1"
    elif not is_enough([dataset.count(name) for name in captured]):
        more = FEWEST_OF_ONE - dataset.count(captured[0])
        hint = f"record {counted(more, 'more picture')} of {captured[0]}: {how(captured[0])}"
    elif len(captured) == 1 and dataset.burst_count(captured[0]) == 1:
        another = f"{empty[0]}: {how(empty[0])}" if empty else f"another class: hold {things + 1}"
        hint = (
            f"all but {captured[0]} is unknown, not reliably yet: record it again elsewhere "
            f"({how(captured[0])}); {another}"
        )
    elif empty:
        hint = f"capture {empty[0]}: {how(empty[0])}"
    else:
        bursts = burst_counts(dataset, validation).__getitem__
        left_out = left_out_line(validation.left_out) if validation else ""
        hint = (
            (left_out and f"{left_out}: V shows them")
            or unknown_line(dataset, how, bursts)
            or _improve(dataset, how)
            or _refine(dataset, validation, how)
        )
    return hint


def left_out_line(left_out: Sequence[Suspect]) -> str:
    """Say what nothing is learned from: `4 pictures of phone look empty and are left out`."""
    if not left_out:
        return ""
    names = list(dict.fromkeys(suspect.sample.class_name for suspect in left_out))
    named = len(names) <= _NAMED
    of_whom = " and ".join(names) if named else counted(len(names), "class", "classes")
    what = "empty" if all(one.reason is Reason.EMPTY for one in left_out) else "out of place"
    one = len(left_out) == 1
    does = f"looks {what} and is" if one else f"look {what} and are"
    return f"{counted(len(left_out), 'picture')} of {of_whom} {does} left out"


def unknown_line(
    dataset: Dataset,
    how: Callable[[str], str] | None = None,
    bursts: Callable[[str], int] | None = None,
) -> str:
    """Say what would make "unknown" reliable, `how` telling which keys; empty where it is.

    Of a class of one burst nobody knows how much the next one differs. `bursts` counts those of a
    class where that is not as they are stored.
    """
    bursts = bursts or dataset.burst_count
    single = [name for name in dataset.captured_classes if bursts(name) == 1]
    things = sorted((name for name in single if name != BACKGROUND), key=dataset.count)
    if not things:
        return ""
    what = things[0] if how or len(things) == 1 else f"each of {len(things)} classes"
    line = f'"unknown" is not reliable yet: record {what} again elsewhere'
    if how:
        line += f" ({how(things[0])})"
    if BACKGROUND not in dataset.captured_classes:
        line += f", and the empty scene ({'B' if how else BACKGROUND})"
    return line


def _improve(dataset: Dataset, how: Callable[[str], str]) -> str:
    """Suggest more of a class that has few samples."""
    fewest = min(dataset.captured_classes, key=dataset.count)
    if dataset.count(fewest) < ENOUGH_SAMPLES:
        return f"add {ENOUGH_SAMPLES - dataset.count(fewest)} more of {fewest}: {how(fewest)}"
    return ""


def _refine(dataset: Dataset, validation: Validation | None, how: Callable[[str], str]) -> str:
    """Suggest what validation has shown to be weak."""
    if validation is None:
        return ""
    if doubtful := len(validation.doubtful):
        looks = "looks" if doubtful == 1 else "look"
        return f"{counted(doubtful, 'picture')} {looks} mislabelled: V shows what to check"
    for name in validation.too_alike:
        if name in dataset.class_names:
            return f"the pictures of {name} hardly differ: move it while you {how(name)}"
    confused = validation.confused
    if confused is None or confused.part < _OFTEN:
        return ""
    first, second = confused.names
    return f"{first} and {second} are confused most: record {first} from another side: {how(first)}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Count things: `1 picture`, `12 pictures`, `2 classes` (a plural of its own)."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
