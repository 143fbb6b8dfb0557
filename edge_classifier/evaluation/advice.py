"""What to do next: one line in the picture, and all there is to say in `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.evaluation.suspects import Reason
from edge_classifier.languages.text import Text, plural
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


def next_hint(dataset: Dataset, validation: Validation | None = None) -> Text:
    """Suggest the step that helps most now; empty where nothing is missing."""

    def how(class_name: str) -> Text:
        key = key_of(dataset.class_names, class_name)
        if key is None:
            return Text("select it with the arrows and hold space")
        return Text("hold {key}", key=key)

    captured = dataset.captured_classes
    empty = [name for name in dataset.class_names if not dataset.count(name)]
    if not captured:
        named = next((name for name in empty if name != BACKGROUND), None)
        first = Text("show the first thing to the camera and hold 1")
        hint = Text("show {name} to the camera and hold 1", name=named) if named else first
    elif not is_enough([dataset.count(name) for name in captured]):
        hint = plural(
            "record {count} more picture of {name}: {how}",
            "record {count} more pictures of {name}: {how}",
            FEWEST_OF_ONE - dataset.count(captured[0]),
            name=captured[0],
            how=how(captured[0]),
        )
    elif len(captured) == 1 and dataset.burst_count(captured[0]) == 1:
        things = len([name for name in captured if name != BACKGROUND])
        another = Text("another class: hold {key}", key=things + 1)
        if empty:
            another = Text("{name}: {how}", name=empty[0], how=how(empty[0]))
        hint = Text(
            "all but {name} is unknown, not reliably yet: record it again elsewhere ({how}); "
            "{another}",
            name=captured[0],
            how=how(captured[0]),
            another=another,
        )
    elif empty:
        hint = Text("record {name}: {how}", name=empty[0], how=how(empty[0]))
    else:
        bursts = burst_counts(dataset, validation).__getitem__
        left_out = left_out_line(validation.left_out) if validation else ""
        hint = (
            Text("{left_out}: V shows them", left_out=left_out)
            if left_out
            else unknown_line(dataset, how, bursts)
            or _improve(dataset, how)
            or _refine(dataset, validation, how)
        )
    return hint


def left_out_line(left_out: Sequence[Suspect]) -> Text:
    """Say what nothing is learned from: `4 pictures of phone look empty and are left out`."""
    if not left_out:
        return Text("")
    names = list(dict.fromkeys(suspect.sample.class_name for suspect in left_out))
    of_whom: str = names[0]
    if len(names) == _NAMED:
        of_whom = Text("{first} and {second}", first=names[0], second=names[1])
    elif len(names) > _NAMED:
        of_whom = plural("{count} class", "{count} classes", len(names))
    if all(one.reason is Reason.EMPTY for one in left_out):
        return plural(
            "{count} picture of {names} looks empty and is left out",
            "{count} pictures of {names} look empty and are left out",
            len(left_out),
            names=of_whom,
        )
    return plural(
        "{count} picture of {names} looks out of place and is left out",
        "{count} pictures of {names} look out of place and are left out",
        len(left_out),
        names=of_whom,
    )


def unknown_line(
    dataset: Dataset,
    how: Callable[[str], str] | None = None,
    bursts: Callable[[str], int] | None = None,
) -> Text:
    """Say what would make "unknown" reliable, `how` telling which keys; empty where it is.

    Of a class of one burst nobody knows how much the next one differs. `bursts` counts those of a
    class where that is not as they are stored.
    """
    bursts = bursts or dataset.burst_count
    single = [name for name in dataset.captured_classes if bursts(name) == 1]
    things = sorted((name for name in single if name != BACKGROUND), key=dataset.count)
    if not things:
        return Text("")
    if how:
        line = Text(
            '"unknown" is not reliable yet: record {name} again elsewhere ({how})',
            name=things[0],
            how=how(things[0]),
        )
    elif len(things) == 1:
        line = Text('"unknown" is not reliable yet: record {name} again elsewhere', name=things[0])
    else:
        line = Text(
            '"unknown" is not reliable yet: record each of {count} classes again elsewhere',
            count=len(things),
        )
    if BACKGROUND in dataset.captured_classes:
        return line
    return Text("{line}, and the empty scene ({key})", line=line, key="B" if how else BACKGROUND)


def _improve(dataset: Dataset, how: Callable[[str], Text]) -> Text:
    """Suggest more of a class that has few samples."""
    fewest = min(dataset.captured_classes, key=dataset.count)
    missing = ENOUGH_SAMPLES - dataset.count(fewest)
    if missing <= 0:
        return Text("")
    return Text("add {count} more of {name}: {how}", count=missing, name=fewest, how=how(fewest))


def _refine(dataset: Dataset, validation: Validation | None, how: Callable[[str], Text]) -> Text:
    """Suggest what validation has shown to be weak."""
    if validation is None:
        return Text("")
    if doubtful := len(validation.doubtful):
        return plural(
            "{count} picture may be in the wrong class: V shows it",
            "{count} pictures may be in the wrong class: V shows them",
            doubtful,
        )
    for name in validation.too_alike:
        if name in dataset.class_names:
            return Text(
                "the pictures of {name} hardly differ: move it while you record ({how})",
                name=name,
                how=how(name),
            )
    confused = validation.confused
    if confused is None or confused.part < _OFTEN:
        return Text("")
    first, second = confused.names
    return Text(
        "{first} and {second} are confused most: record {first} from another side: {how}",
        first=first,
        second=second,
        how=how(first),
    )


def counted(count: int, noun: str, plural: str = "") -> str:
    """Count things: `1 picture`, `12 pictures`, `2 classes` (a plural of its own)."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
