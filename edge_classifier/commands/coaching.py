"""What `evaluate` says would help: classes, the pair most confused, suspect pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.commands.answers import printable
from edge_classifier.evaluation.advice import Advice, class_advice, counted
from edge_classifier.evaluation.metrics import Confused, Evaluation, most_confused
from edge_classifier.evaluation.quality import PictureQuality, measure_quality
from edge_classifier.evaluation.suspects import Suspect, find_suspects
from edge_classifier.evaluation.validation import summarise
from edge_classifier.features.bulk import compute_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.evaluation.cross_validation import CrossValidation
    from edge_classifier.learning.feature_sets import ProjectFeatures
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Progress

_SHOWN: Final = 10
"""Suspects that are printed; JSON has all."""


@dataclass(frozen=True, slots=True, eq=False)
class Coaching:
    """What would help.

    Attributes:
        advice: What classes lack.
        gains_most: The class that gains most from more pictures, and its recall.
        confused: The pair most confused.
        examples: A picture of each of that pair.
        suspects: Samples to look at again, the worst first.
    """

    advice: tuple[Advice, ...] = ()
    gains_most: tuple[str, float] | None = None
    confused: Confused | None = None
    examples: tuple[Path, ...] = ()
    suspects: tuple[Suspect, ...] = ()


def coach_bursts(
    store: ProjectStore,
    gathered: ProjectFeatures,
    found: CrossValidation,
    progress: Progress,
    threads: int | None,
) -> Coaching:
    """Look at what cross-validation found and at the pictures themselves.

    Args:
        store: The project.
        gathered: Its samples and features.
        found: Their cross-validation.
        progress: Told the part done: every picture is decoded.
        threads: How many decode; all cores if `None`.
    """
    validation = summarise(gathered.samples, gathered.feature_set, found)
    qualities: dict[str, PictureQuality] = {}
    computed = compute_all(gathered.samples, store.read_image, _quality_row, threads=threads)
    for done, one in enumerate(computed):
        if one.values is not None:
            qualities[one.item.image_sha256] = PictureQuality(*one.values.tolist())
        progress((done + 1) / len(gathered.samples), "looking for suspect pictures")
    weakest = next((c for c in validation.classes if c.name == validation.weakest), None)
    return Coaching(
        class_advice(gathered.dataset, validation),
        (weakest.name, weakest.recall or 0.0) if weakest else None,
        validation.confused,
        tuple(sample.path for sample in validation.examples),
        find_suspects(gathered.samples, qualities, validation.doubtful),
    )


def coach_held_out(evaluation: Evaluation, paths: Sequence[Path]) -> Coaching:
    """Look at what held-out pictures were taken for.

    Args:
        evaluation: What was said of them.
        paths: The picture of each of its rows.
    """
    confused = most_confused(evaluation)
    if confused is None:
        return Coaching()
    weakest = int(np.nanargmin(evaluation.recall))
    return Coaching(
        gains_most=(evaluation.class_names[weakest], float(evaluation.recall[weakest])),
        confused=confused,
        examples=tuple(paths[row] for row in confused.rows if row is not None),
    )


def _quality_row(images: list[Image]) -> npt.NDArray[np.float32]:
    measured = [measure_quality(image) for image in images]
    return np.array([(q.sharpness, q.contrast, q.white, q.black) for q in measured], np.float32)


def class_lines(coaching: Coaching) -> list[str]:
    """Tell of classes, in some lines; none where there is nothing to say."""
    lines = [f"{printable(one.class_name)}: {one.text}" for one in coaching.advice]
    if coaching.gains_most:
        name, recall = coaching.gains_most
        lines.append(
            f"{printable(name)} gains most from more pictures: {recall:.1%} of it is found"
        )
    if coaching.confused:
        first, second = map(printable, coaching.confused.names)
        lines.append(
            f"{first} and {second} are confused most, "
            f"{counted(coaching.confused.mistakes, 'picture')}: "
            + ", ".join(printable(str(path)) for path in coaching.examples)
        )
    return lines


def as_lines(coaching: Coaching) -> list[str]:
    """Tell it in some lines; none where there is nothing to say."""
    lines = class_lines(coaching) + [
        f"{suspect.text}: {printable(str(suspect.sample.path))}"
        for suspect in coaching.suspects[:_SHOWN]
    ]
    if (more := len(coaching.suspects) - _SHOWN) > 0:
        lines.append(f"and {counted(more, 'more suspect picture')}; --json has all")
    return lines


def as_json(coaching: Coaching) -> dict[str, Any]:
    """Tell it as what JSON can hold."""
    confused = coaching.confused
    return {
        "classes": [{"name": one.class_name, "advice": one.text} for one in coaching.advice],
        "gains_most": coaching.gains_most and coaching.gains_most[0],
        "confused": confused
        and {
            "classes": confused.names,
            "mistakes": confused.mistakes,
            "part": confused.part,
            "examples": [str(path) for path in coaching.examples],
        },
        "suspects": [
            {
                "path": str(suspect.sample.path),
                "class": suspect.sample.class_name,
                "reason": suspect.reason.value,
                "severity": suspect.severity,
                "looks_like": suspect.looks_like,
            }
            for suspect in coaching.suspects
        ],
    }
