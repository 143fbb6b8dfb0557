"""What `evaluate` found: as tables for eyes, or as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.commands.console import table
from edge_classifier.commands.suggestions import Suggestions, general_advice
from edge_classifier.device.console import one_line
from edge_classifier.evaluation.advice import counted
from edge_classifier.evaluation.report import percent
from edge_classifier.learning.recordings import AddedPictures

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.evaluation.cross_validation import CurvePoint
    from edge_classifier.evaluation.metrics import Evaluation
    from edge_classifier.evaluation.suspects import Suspect
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.learning.feature_sets import ProjectFeatures

_SHOWN_CLASSES: Final = 12
"""A confusion matrix of more classes does not fit on a terminal; the report has it."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """What was evaluated, and how.

    Attributes:
        how: One line for the user.
        evaluation: `None` where nothing could be evaluated.
        paths: The picture of each row of the evaluation.
        untested: Classes without a number.
        refused: Pictures that could not be read, one line each.
        trained_on: How many of the pictures are the very ones that were trained on.
        by_bursts: Whether bursts were held out, so that a second one gives a class a number.
        added: What pictures turned out to be that were added one by one.
    """

    how: str
    evaluation: Evaluation | None
    paths: list[Path]
    untested: tuple[str, ...]
    refused: tuple[str, ...]
    curve: tuple[CurvePoint, ...]
    trained_on: int = 0
    by_bursts: bool = False
    added: AddedPictures = field(default_factory=AddedPictures)
    suggestions: Suggestions = field(default_factory=Suggestions)

    def with_advice(
        self, trained_on: ProjectFeatures | Dataset, left_out: tuple[Suspect, ...] = ()
    ) -> EvaluationResult:
        """Add what concerns the samples that were trained on, some of which may be left out."""
        general = general_advice(trained_on, left_out)
        suggestions = replace(self.suggestions, general=general, suspects=left_out)
        return replace(self, suggestions=suggestions)

    @property
    def tested(self) -> tuple[str, ...]:
        """The classes that have a number."""
        names = self.evaluation.class_names if self.evaluation else ()
        return tuple(name for name in names if name not in self.untested)

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
        if self.evaluation.alone:
            lines.append(
                f"all of them are of {one_line(tested[0])}: this says how often it is recognised, "
                "not how often something else is taken for it"
            )
        elif len(tested) == 1:
            lines.append(
                f"all of them are of {one_line(tested[0])}: this says how often it is found, "
                "not how often an answer is right"
            )
        return "; ".join(lines)

    @property
    def why_untested(self) -> str:
        """Why some classes have no number."""
        if self.by_bursts:
            return (
                "needs a second burst before it can be evaluated: how well it does in another "
                "light or place is not measured (record or add it again, there)"
            )
        return "no picture to evaluate on"

    def as_text(self) -> str:
        """Write it as tables for eyes."""
        lines = [one_line(self.how), ""]
        without_number = f"{', '.join(map(one_line, self.untested))}: {self.why_untested}"
        if self.evaluation is None:
            lines.append(f"no number: {without_number}")
        else:
            lines += self._figures(self.evaluation)
            if self.untested:
                lines.append(without_number)
            if self.caveat:
                lines.append(self.caveat)
            lines += self._worst_mistakes(self.evaluation)
        if helpful := self.suggestions.lines():
            lines += ["", "what would help:", *(f"  {line}" for line in helpful)]
        return "\n".join([*lines, ""])

    def _figures(self, evaluation: Evaluation) -> list[str]:
        names = list(map(one_line, evaluation.class_names))
        pictures = np.bincount(evaluation.class_ids, minlength=len(names))
        rows = [
            [
                name,
                str(pictures[n]),
                percent(evaluation.precision[n]),
                percent(evaluation.recall[n]),
            ]
            if evaluation.class_names[n] not in self.untested
            else [name, "-", "-", "-"]
            for n, name in enumerate(names)
        ]
        lines = [table(["class", "pictures", "precision", "recall"], rows)]
        if 1 < len(names) <= _SHOWN_CLASSES and evaluation.accuracy < 1:
            rows = [
                [name, *(str(n) if n else "·" for n in counts)]
                for name, counts in zip(names, evaluation.confusion, strict=True)
            ]
            lines.append(table(["true \\ answer", *names], rows))
        low, high = evaluation.interval
        tested, untested = len(self.tested), len(self.untested)
        of_classes = f", of {tested} of {counted(tested + untested, 'class', 'classes')}"
        threshold = evaluation.threshold
        below = "" if threshold is None else f", as less than {threshold:.2f} familiar"
        what, of_all = ("recognised", "pictures") if evaluation.alone else ("accuracy", "right")
        accuracy = (
            f"{what} {evaluation.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), "
            f"{int(evaluation.right.sum())} of {len(evaluation)} {of_all}"
        )
        lines += [
            accuracy + (of_classes if untested else ""),
            f"called unknown: {evaluation.unknown_rate:.1%}{below}",
        ]
        if not evaluation.alone:  # whose score is always 1
            lines.append(f"calibration error of the scores: {evaluation.calibration_error:.3f}")
        return lines

    def _worst_mistakes(self, evaluation: Evaluation) -> list[str]:
        names = evaluation.class_names
        lines = []
        for row in evaluation.mistakes(5):
            said = f"{one_line(names[evaluation.predicted_ids[row]])} "
            said += f"{evaluation.confidences[row]:.1%}"
            if evaluation.alone:
                said = "unknown"
            true = one_line(names[evaluation.class_ids[row]])
            path = one_line(str(self.paths[row]))
            lines.append(f"  {said} instead of {true}: {path}")
        title = "mistakes:" if evaluation.alone else "most confident mistakes:"
        return ["", title, *lines] if lines else []

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        content: dict[str, Any] = {
            "how": self.how,
            "untested": self.untested,
            "refused": self.refused,
            "added": asdict(self.added),
            "coaching": self.suggestions.as_json(),
        }
        evaluation = self.evaluation
        if evaluation is None:
            return content | {"accuracy": None}
        confusion = evaluation.confusion
        return content | {
            "accuracy": evaluation.accuracy,
            "interval": evaluation.interval,
            "pictures": len(evaluation),
            "trained_on": self.trained_on,
            "unknown_rate": evaluation.unknown_rate,
            "unknown_threshold": evaluation.threshold,
            "calibration_error": None if evaluation.alone else evaluation.calibration_error,
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
