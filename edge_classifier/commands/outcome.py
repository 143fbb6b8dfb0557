"""How `evaluate` tells what it found: as tables, or as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.commands.answers import printable
from edge_classifier.commands.coaching import Coaching, as_lines
from edge_classifier.commands.coaching import as_json as coaching_as_json
from edge_classifier.commands.console import table
from edge_classifier.evaluation.advice import counted

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.evaluation.cross_validation import CurvePoint
    from edge_classifier.evaluation.metrics import Evaluation

_SHOWN_CLASSES: Final = 12
"""A confusion matrix of more classes does not fit on a terminal; the report has it."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What was evaluated, and how.

    Attributes:
        how: One line for the user.
        evaluation: `None` where nothing could be evaluated.
        paths: The picture of each row of the evaluation.
        untested: Classes without a number.
        refused: Pictures that could not be read, one line each.
        curve: Learning curve, if it was asked for.
        trained_on: How many of the pictures are the very ones that were trained on.
        by_bursts: Whether bursts were held out, so that a second one gives a class a number.
        coaching: What would help.
    """

    how: str
    evaluation: Evaluation | None
    paths: list[Path]
    untested: tuple[str, ...]
    refused: tuple[str, ...]
    curve: tuple[CurvePoint, ...]
    trained_on: int = 0
    by_bursts: bool = False
    coaching: Coaching = field(default_factory=Coaching)

    @property
    def caveat(self) -> str:
        """What keeps the figures from telling about new pictures, or nothing."""
        if self.evaluation is None:
            return ""
        lines = []
        if self.trained_on:
            lines.append(
                f"{self.trained_on} of these {counted(len(self.evaluation), 'picture')} "
                f"{'was' if self.trained_on == 1 else 'were'} trained on; on new ones expect less"
            )
        tested = self.tested
        if len(tested) == 1:
            lines.append(
                f"all of them are of {printable(tested[0])}: this says how often it is found, "
                "not how often an answer is right"
            )
        return "; ".join(lines)

    @property
    def tested(self) -> tuple[str, ...]:
        """The classes that have a number."""
        names = self.evaluation.class_names if self.evaluation else ()
        return tuple(name for name in names if name not in self.untested)

    @property
    def why_untested(self) -> str:
        """Why some classes have no number."""
        if self.by_bursts:
            return "needs a second burst before it can be evaluated (record or add it again)"
        return "no picture to evaluate on"


def as_text(outcome: Outcome) -> str:
    """Tell it as tables for eyes."""
    evaluation = outcome.evaluation
    lines = [outcome.how, ""]
    if evaluation is None:
        lines.append(f"no number: {_without_number(outcome)}")
        return "\n".join([*lines, *_what_would_help(outcome), ""])
    low, high = evaluation.interval
    rows = []
    for n, name in enumerate(evaluation.class_names):
        count = int((evaluation.class_ids == n).sum())
        if name in outcome.untested:
            rows.append([printable(name), "-", "-", "-"])
        else:
            rows.append(
                [
                    printable(name),
                    str(count),
                    _percent(evaluation.precision[n]),
                    _percent(evaluation.recall[n]),
                ]
            )
    lines.append(table(["class", "pictures", "precision", "recall"], rows))
    if len(evaluation.class_names) <= _SHOWN_CLASSES and evaluation.accuracy < 1:
        lines.append(_confusion_table(evaluation))
    lines.append(
        f"accuracy {evaluation.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), "
        f"{int(evaluation.right.sum())} of {len(evaluation)} right{_of_classes(outcome)}"
    )
    threshold = evaluation.threshold
    below = "" if threshold is None else f", as less than {threshold:.2f} familiar"
    lines.append(f"called unknown: {evaluation.unknown_rate:.1%}{below}")
    lines.append(f"calibration error of the scores: {evaluation.calibration_error:.3f}")
    if outcome.untested:
        lines.append(_without_number(outcome))
    if outcome.caveat:
        lines.append(outcome.caveat)
    worst = evaluation.mistakes(5)
    if len(worst):
        lines += ["", "most confident mistakes:"]
    for row in worst:
        said = evaluation.class_names[evaluation.predicted_ids[row]]
        true = evaluation.class_names[evaluation.class_ids[row]]
        lines.append(
            f"  {said} {evaluation.confidences[row]:.1%} instead of {true}: "
            f"{printable(str(outcome.paths[row]))}"
        )
    return "\n".join([*lines, *_what_would_help(outcome), ""])


def _of_classes(outcome: Outcome) -> str:
    """Name the classes that a number is of, where these are not all."""
    if not outcome.untested:
        return ""
    every = len(outcome.tested) + len(outcome.untested)
    return f", of {len(outcome.tested)} of {counted(every, 'class', 'classes')}"


def _what_would_help(outcome: Outcome) -> list[str]:
    lines = as_lines(outcome.coaching)
    return ["", "what would help:", *(f"  {line}" for line in lines)] if lines else []


def _confusion_table(evaluation: Evaluation) -> str:
    rows = [
        [printable(name), *(str(n) if n else "·" for n in counts)]
        for name, counts in zip(evaluation.class_names, evaluation.confusion, strict=True)
    ]
    return table(["true \\ answer", *map(printable, evaluation.class_names)], rows)


def _without_number(outcome: Outcome) -> str:
    names = ", ".join(map(printable, outcome.untested))
    return f"{names}: {outcome.why_untested}"


def _percent(part: float) -> str:
    return "-" if np.isnan(part) else f"{part:.1%}"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Tell it as what JSON can hold."""
    content: dict[str, Any] = {"how": outcome.how, "untested": outcome.untested}
    content["refused"] = outcome.refused
    content["coaching"] = coaching_as_json(outcome.coaching)
    evaluation = outcome.evaluation
    if evaluation is None:
        return content | {"accuracy": None}
    confusion = evaluation.confusion
    return content | {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "pictures": len(evaluation),
        "trained_on": outcome.trained_on,
        "unknown_rate": evaluation.unknown_rate,
        "unknown_threshold": evaluation.threshold,
        "calibration_error": evaluation.calibration_error,
        "classes": [
            {
                "name": name,
                "pictures": int(confusion[n].sum()),
                "precision": _number(evaluation.precision[n]),
                "recall": _number(evaluation.recall[n]),
            }
            for n, name in enumerate(evaluation.class_names)
        ],
        "confusion": confusion.tolist(),
    }


def _number(part: float) -> float | None:
    return None if np.isnan(part) else float(part)
