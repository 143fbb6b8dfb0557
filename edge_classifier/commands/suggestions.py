"""What `evaluate` says would help: classes, the pair most confused, suspect pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.console import one_line
from edge_classifier.evaluation.advice import (
    Advice,
    class_advice,
    counted,
    left_out_line,
    unknown_line,
)
from edge_classifier.evaluation.metrics import Confused, Evaluation, most_confused
from edge_classifier.evaluation.quality import PictureQuality, measure_quality
from edge_classifier.evaluation.suspects import Suspect, find_suspects
from edge_classifier.evaluation.validation import summarise
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.dataset import Dataset
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.evaluation.cross_validation import CrossValidation
    from edge_classifier.learning.feature_sets import ProjectFeatures
    from edge_classifier.protocols import Progress

_SHOWN: Final = 10
"""Suspects that are printed; JSON has all."""


@dataclass(frozen=True, slots=True, eq=False)
class Suggestions:
    """What would help.

    Attributes:
        general: What concerns no single class, one line each.
        gains_most: The class that gains most from more pictures, and its recall.
        examples: A picture of each of that pair.
        suspects: Samples to look at again, the worst first.
    """

    advice: tuple[Advice, ...] = ()
    general: tuple[str, ...] = ()
    gains_most: tuple[str, float] | None = None
    confused: Confused | None = None
    examples: tuple[Path, ...] = ()
    suspects: tuple[Suspect, ...] = ()

    def class_lines(self) -> list[str]:
        """Write what concerns whole classes; no line where there is nothing to say."""
        lines = [one_line(line) for line in self.general]
        lines += [f"{one_line(one.class_name)}: {one.text}" for one in self.advice]
        if self.gains_most:
            name, recall = self.gains_most
            lines.append(
                f"{one_line(name)} gains most from more pictures: {recall:.1%} of it is found"
            )
        if self.confused:
            first, second = map(one_line, self.confused.names)
            lines.append(
                f"{first} and {second} are confused most, "
                f"{counted(self.confused.mistakes, 'picture')}: "
                + ", ".join(one_line(str(path)) for path in self.examples)
            )
        return lines

    def lines(self) -> list[str]:
        """Write all of it for eyes; no line where there is nothing to say."""
        lines = self.class_lines() + [
            f"{suspect.text}: {one_line(str(suspect.sample.path))}"
            for suspect in self.suspects[:_SHOWN]
        ]
        if (more := len(self.suspects) - _SHOWN) > 0:
            lines.append(f"and {counted(more, 'more suspect picture')}; --json has all")
        return lines

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        confused = self.confused
        return {
            "classes": [{"name": one.class_name, "advice": one.text} for one in self.advice],
            "general": self.general,
            "gains_most": self.gains_most and self.gains_most[0],
            "confused": confused
            and {
                "classes": confused.names,
                "mistakes": confused.mistakes,
                "part": confused.part,
                "examples": [str(path) for path in self.examples],
            },
            "suspects": [
                {
                    "path": str(suspect.sample.path),
                    "class": suspect.sample.class_name,
                    "reason": suspect.reason.value,
                    "severity": suspect.severity,
                    "looks_like": suspect.looks_like,
                }
                for suspect in self.suspects
            ],
        }


def suggest_from_bursts(
    gathered: ProjectFeatures,
    found: CrossValidation,
    progress: Progress,
    threads: int | None,
) -> Suggestions:
    """Look at what cross-validation found, and at every picture itself, which takes a while.

    `threads` decode the pictures; as many as there are cores if `None`.
    """
    validation = summarise(gathered.samples, gathered.feature_set, found)
    qualities: dict[str, PictureQuality] = {}
    computed = compute_all(
        gathered.samples, lambda s: read_image(s.path), _quality_rows, threads=threads
    )
    for done, one in enumerate(computed):
        if one.values is not None:
            qualities[one.item.image_sha256] = PictureQuality(*one.values.tolist())
        progress((done + 1) / len(gathered.samples), "looking for suspect pictures")
    weakest = next((c for c in validation.classes if c.name == validation.weakest), None)
    return Suggestions(
        class_advice(gathered.dataset, validation),
        general_advice(gathered, validation.left_out),
        (weakest.name, weakest.recall or 0.0) if weakest else None,
        validation.confused,
        tuple(sample.path for sample in validation.examples),
        find_suspects(
            gathered.samples,
            qualities,
            (*validation.doubtful, *validation.left_out),
            gathered.dataset.reviewed,
        ),
    )


def general_advice(
    trained_on: ProjectFeatures | Dataset, left_out: Sequence[Suspect]
) -> tuple[str, ...]:
    """Tell how far "unknown" can be relied on, and what is not learned from."""
    line = left_out_line(left_out)
    reviewed = line and f"{line} until they were reviewed: V in the window"
    dataset = trained_on if isinstance(trained_on, Dataset) else trained_on.dataset
    unknown = unknown_line(dataset, bursts=trained_on.burst_count)
    return tuple(line for line in (unknown, reviewed) if line)


def _quality_rows(images: list[Image]) -> npt.NDArray[np.float32]:
    measured = [measure_quality(image) for image in images]
    return np.array([(q.sharpness, q.contrast, q.white, q.black) for q in measured], np.float32)


def suggest_from_held_out(evaluation: Evaluation, paths: Sequence[Path]) -> Suggestions:
    """Look at what held-out pictures, one path a row of the evaluation, were taken for."""
    confused = most_confused(evaluation)
    if confused is None:
        return Suggestions()
    weakest = int(np.nanargmin(evaluation.recall))
    return Suggestions(
        gains_most=(evaluation.class_names[weakest], float(evaluation.recall[weakest])),
        confused=confused,
        examples=tuple(paths[row] for row in confused.rows if row is not None),
    )
