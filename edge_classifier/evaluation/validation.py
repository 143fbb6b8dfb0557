"""How good what was just trained is, told in one line: cross-validated, bursts never split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.evaluation.cross_validation import CrossValidation, cross_validate
from edge_classifier.evaluation.metrics import Confused, most_confused
from edge_classifier.evaluation.suspects import Suspect, doubtful_labels, out_of_place
from edge_classifier.languages.text import Text, joined, plural
from edge_classifier.learning.head import class_sums
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.evaluation.metrics import Evaluation
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet, Sample

TOO_ALIKE: Final = 0.15
"""Variety below which the pictures of a class are too alike.

Measured on real sets with three kinds of features: single bursts of a camera 0.01 to 0.16 (nine
of ten below 0.13; the ones that move most 0.27), classes recorded in eight takes 0.23 to 0.80,
a capture before a webcam with the head turning 0.26 to 0.54, photographs 0.25 to 0.97.
"""

_NAMED: Final = 2
"""Classes that a line names; of more it tells how many they are."""


@dataclass(frozen=True, slots=True)
class ClassValidation:
    """One class, cross-validated.

    Attributes:
        pictures: How many of its pictures were held out; 0 where it has a single burst.
        recall: The part of them that was answered right, or `None` where there was none.
        variety: As `class_variety` measures it, or `None` where nothing can be compared.
    """

    name: str
    bursts: int
    pictures: int
    recall: float | None
    variety: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What can be said of pictures that the model has not seen.

    Attributes:
        accuracy: The part of held-out pictures that was answered right, or `None` where of
            several classes fewer than two could be held out: one cannot be mistaken among its
            kind. Of a class that has no others, the part that was not called unknown.
        margin: How far the accuracy on new bursts may be from that, at 95 % confidence: the
            larger distance to an end of `metrics.accuracy_interval`, which knows that
            pictures of one burst resemble each other (its design effect).
        bursts: How many were held out.
        single_pictures: Whether most of them are of one picture, as pictures added from files
            are: nobody knows then which of them belong together.
        untested: Classes that need a second burst before they have a number.
        confused: The pair most confused, if any mistake was made.
        examples: A sample of each of that pair, as in `Confused.rows`.
        doubtful: Samples that look mislabelled, the clearest first.
        left_out: Samples that nothing is learned from until a person has reviewed them: see
            `suspects.out_of_place`.
    """

    accuracy: float | None
    margin: float | None
    bursts: int
    single_pictures: bool
    classes: tuple[ClassValidation, ...]
    untested: tuple[str, ...]
    confused: Confused | None
    examples: tuple[Sample, ...]
    doubtful: tuple[Suspect, ...]
    left_out: tuple[Suspect, ...] = ()

    @property
    def weakest(self) -> str | None:
        """The class with the lowest recall, if any mistake was made: it gains most from more.

        Measured on hand signs and clothes (6 of 10 classes, 5 to 8 pictures each, 32 tasks):
        six more pictures of that class add 1.0 points of accuracy, of a class by chance 0.2.
        """
        tested = [c for c in self.classes if c.recall is not None]
        return min(tested, key=lambda c: c.recall or 0.0).name if self.confused else None

    @property
    def too_alike(self) -> tuple[str, ...]:
        """The classes whose pictures hardly differ; see `TOO_ALIKE`."""
        return tuple(
            c.name for c in self.classes if c.variety is not None and c.variety < TOO_ALIKE
        )

    def line(self) -> Text:
        """Tell it in one line: `94 % right, ± 3, on 5 held-out rounds`."""
        missing, names = Text(""), ", ".join(self.untested[:_NAMED])
        more = len(self.untested) - _NAMED
        if more > 0:
            missing = Text(
                "needs a second round: {names} and {count} more", names=names, count=more
            )
        elif self.untested:
            missing = Text("needs a second round: {names}", names=names)
        if self.accuracy is None or self.margin is None:
            return missing
        measured = {"percent": f"{self.accuracy * 100:.0f}", "margin": f"{self.margin * 100:.0f}"}
        if len(self.classes) == 1 and self.single_pictures:
            found = plural(
                "{percent} % recognised, ± {margin}, on {count} held-out picture",
                "{percent} % recognised, ± {margin}, on {count} held-out pictures",
                self.bursts, **measured,
            )  # fmt: skip
        elif len(self.classes) == 1:
            found = plural(
                "{percent} % recognised, ± {margin}, on {count} held-out round",
                "{percent} % recognised, ± {margin}, on {count} held-out rounds",
                self.bursts, **measured,
            )  # fmt: skip
        elif self.single_pictures:
            found = plural(
                "{percent} % right, ± {margin}, on {count} held-out picture",
                "{percent} % right, ± {margin}, on {count} held-out pictures",
                self.bursts, **measured,
            )  # fmt: skip
        else:
            found = plural(
                "{percent} % right, ± {margin}, on {count} held-out round",
                "{percent} % right, ± {margin}, on {count} held-out rounds",
                self.bursts, **measured,
            )  # fmt: skip
        return joined(" · ", found, missing)


def validate(
    samples: Sequence[Sample],
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    cancelled: Cancelled = never_cancelled,
    progress: Progress = ignore_progress,
) -> Validation:
    """Train without some bursts in turn, and look how the pictures of these are answered.

    Raises:
        NotEnoughSamplesError: as `training.train` does.
        CancelledError: if `cancelled` said so.
    """
    found = cross_validate(feature_set, settings, cancelled=cancelled, progress=progress)
    return summarise(samples, feature_set, found)


def summarise(
    samples: Sequence[Sample], feature_set: FeatureSet, found: CrossValidation
) -> Validation:
    """Tell what a cross-validation of samples with their features means."""
    variety = class_variety(feature_set)
    classes = tuple(
        _of_class(class_id, feature_set, found.evaluation, float(variety[class_id]))
        for class_id in range(len(feature_set.class_names))
    )
    tested = [c for c in classes if c.recall is not None]
    accuracy = margin = None
    bursts = 0
    single = False
    if found.evaluation is not None:
        _, sizes = np.unique(feature_set.burst_ids[found.rows], return_counts=True)
        bursts = len(sizes)
        single = bool((sizes == 1).sum() * 2 > len(sizes))
        if len(tested) > 1 or found.evaluation.alone:
            accuracy = found.evaluation.accuracy
            low, high = found.evaluation.interval
            margin = max(accuracy - low, high - accuracy)
    confused = most_confused(found.evaluation) if found.evaluation else None
    rows = [row for row in confused.rows if row is not None] if confused else []
    return Validation(
        accuracy=accuracy,
        margin=margin,
        bursts=bursts,
        single_pictures=single,
        classes=classes,
        untested=found.untested,
        confused=confused,
        examples=tuple(samples[int(found.rows[row])] for row in rows),
        doubtful=doubtful_labels(samples, feature_set, found),
        left_out=out_of_place(samples, feature_set),
    )


def _of_class(
    class_id: int, feature_set: FeatureSet, evaluation: Evaluation | None, variety: float
) -> ClassValidation:
    own = feature_set.class_ids == class_id
    bursts = len(np.unique(feature_set.burst_ids[own]))
    pictures, recall = 0, None
    if evaluation is not None:
        held_out = evaluation.class_ids == class_id
        pictures = int(held_out.sum())
        recall = float(evaluation.right[held_out].mean()) if pictures else None
    return ClassValidation(
        feature_set.class_names[class_id],
        bursts,
        pictures,
        recall,
        None if math.isnan(variety) else variety,
    )


def class_variety(feature_set: FeatureSet) -> npt.NDArray[np.float64]:
    """Compare how much pictures of a class differ with how much they differ from other classes.

    Returns:
        `(C,)` the mean cosine distance between pictures of a class, over the mean distance to
        those of all others; NaN for a class of one picture, or without others.
    """
    classes = len(feature_set.class_names)
    sums = class_sums(feature_set).astype(np.float64)
    counts = np.array(feature_set.counts, np.float64)
    products = sums @ sums.T
    own = products.diagonal()
    variety = np.full(classes, np.nan)
    for n in range(classes):
        pairs = counts[n] * (counts[n] - 1)
        other_pairs = counts[n] * (counts.sum() - counts[n])
        if pairs > 0 and other_pairs > 0:
            within = 1.0 - (own[n] - counts[n]) / pairs
            between = 1.0 - (products[n].sum() - own[n]) / other_pairs
            variety[n] = within / max(between, 1e-9)
    return variety
