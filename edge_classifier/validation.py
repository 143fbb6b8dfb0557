"""How good what was just trained is, told in one line: cross-validated, bursts never split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.cross_validation import CrossValidation, cross_validate
from edge_classifier.suspects import Suspect, doubtful_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.evaluation import Evaluation
    from edge_classifier.frame import FeatureSet, Sample
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.training import HeadSettings

_NAMED: Final = 2
"""Classes that a line names; of more it tells how many they are."""


@dataclass(frozen=True, slots=True)
class ClassValidation:
    """One class, cross-validated.

    Attributes:
        name: Of the class.
        bursts: How many it has.
        pictures: How many of its pictures were held out; 0 where it has a single burst.
        recall: The part of them that was answered right, or `None` where there was none.
    """

    name: str
    bursts: int
    pictures: int
    recall: float | None


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """The two classes that are taken for each other most.

    Attributes:
        names: Both classes; the one whose pictures are taken for the other more often first.
        mistakes: How many pictures of either were taken for the other.
        part: Of all held-out pictures of both.
        examples: A picture of the first taken for the second, and one of the second taken for
            the first, or the clearest of its own where there was no such mistake.
    """

    names: tuple[str, str]
    mistakes: int
    part: float
    examples: tuple[Sample, Sample]


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """What can be said of pictures that the model has not seen.

    Attributes:
        accuracy: The part of held-out pictures that was answered right, or `None` where fewer
            than two classes could be held out: a single one cannot be mistaken among its kind.
        margin: How far the accuracy on new bursts may be from that, at 95 % confidence: the
            larger distance to an end of `evaluation.accuracy_interval`, which knows that
            pictures of one burst resemble each other (its design effect).
        bursts: How many were held out.
        single_pictures: Whether most of them are of one picture, as pictures added from files
            are: nobody knows then which of them belong together.
        classes: Each class.
        untested: Classes that need a second burst before they have a number.
        confused: The pair most confused, if any mistake was made.
        weakest: The class with the lowest recall, if any mistake was made.
        doubtful: Samples that look mislabelled, the clearest first.
    """

    accuracy: float | None
    margin: float | None
    bursts: int
    single_pictures: bool
    classes: tuple[ClassValidation, ...]
    untested: tuple[str, ...]
    confused: ConfusedPair | None
    weakest: str | None
    doubtful: tuple[Suspect, ...]

    def line(self) -> str:
        """Tell it in one line: `validated 94 % ± 3 on 5 bursts`."""
        missing = ""
        if self.untested:
            names = ", ".join(self.untested[:_NAMED])
            more = len(self.untested) - _NAMED
            missing = f"needs a second burst: {names}{f' and {more} more' if more > 0 else ''}"
        if self.accuracy is None or self.margin is None:
            return missing
        what = "pictures" if self.single_pictures else "bursts"
        number = f"validated {self.accuracy:.0%} ± {self.margin * 100:.0f} on {self.bursts} {what}"
        number = number.replace("%", " %")
        return f"{number} · {missing}" if missing else number


def validate(
    samples: Sequence[Sample],
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    cancelled: Cancelled = lambda: False,
    progress: Progress = lambda _done, _what=None: None,
) -> Validation:
    """Train without some bursts in turn, and look how the pictures of these are answered.

    Args:
        samples: N of them.
        feature_set: Their features, in the same order.
        settings: How heads are trained.
        cancelled: Asked whether to stop.
        progress: Told the part done.

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
        CancelledError: if `cancelled` said so.
    """
    found = cross_validate(feature_set, settings, cancelled=cancelled, progress=progress)
    return summarise(samples, feature_set, found)


def summarise(
    samples: Sequence[Sample], feature_set: FeatureSet, found: CrossValidation
) -> Validation:
    """Tell what a cross-validation means.

    Args:
        samples: N of them.
        feature_set: Their features, in the same order.
        found: The cross-validation of these.
    """
    names = feature_set.class_names
    classes = tuple(
        _of_class(name, class_id, feature_set, found.evaluation)
        for class_id, name in enumerate(names)
    )
    tested = [c for c in classes if c.recall is not None]
    accuracy = margin = None
    bursts = 0
    single = False
    if found.evaluation is not None:
        _, sizes = np.unique(feature_set.burst_ids[found.rows], return_counts=True)
        bursts = len(sizes)
        single = bool((sizes == 1).sum() * 2 > len(sizes))
        if len(tested) > 1:
            accuracy = found.evaluation.accuracy
            low, high = found.evaluation.interval
            margin = max(accuracy - low, high - accuracy)
    confused = _most_confused(samples, found)
    return Validation(
        accuracy=accuracy,
        margin=margin,
        bursts=bursts,
        single_pictures=single,
        classes=classes,
        untested=found.untested,
        confused=confused,
        weakest=min(tested, key=lambda c: c.recall or 0.0).name if confused else None,
        doubtful=doubtful_labels(samples, feature_set, found),
    )


def _of_class(
    name: str, class_id: int, feature_set: FeatureSet, evaluation: Evaluation | None
) -> ClassValidation:
    own = feature_set.class_ids == class_id
    bursts = len(np.unique(feature_set.burst_ids[own]))
    if evaluation is None:
        return ClassValidation(name, bursts, 0, None)
    held_out = evaluation.class_ids == class_id
    pictures = int(held_out.sum())
    recall = float(evaluation.right[held_out].mean()) if pictures else None
    return ClassValidation(name, bursts, pictures, recall)


def _most_confused(samples: Sequence[Sample], found: CrossValidation) -> ConfusedPair | None:
    """Find the pair with the largest part of its pictures taken for each other."""
    evaluation = found.evaluation
    if evaluation is None or bool(evaluation.right.all()):
        return None
    confusion = evaluation.confusion.astype(np.float64)
    np.fill_diagonal(confusion, 0.0)
    mistakes = confusion + confusion.T
    totals = np.bincount(evaluation.class_ids, minlength=len(confusion)).astype(np.float64)
    both = np.maximum(totals[:, None] + totals[None, :], 1.0)
    a, b = np.unravel_index(int(np.argmax(mistakes / both)), mistakes.shape)
    if confusion[a, b] < confusion[b, a]:
        a, b = b, a

    def example(true: int, answer: int) -> Sample:
        of_class = np.flatnonzero(evaluation.class_ids == true)
        if not len(of_class):  # a class that could not be held out: any picture of it
            name = evaluation.class_names[true]
            return next(s for s in samples if s.class_name == name)
        wrong = of_class[evaluation.predicted_ids[of_class] == answer]
        rows = wrong if len(wrong) else of_class
        wanted = answer if len(wrong) else true
        best = rows[int(np.argmax(evaluation.scores[rows, wanted]))]
        return samples[int(found.rows[best])]

    return ConfusedPair(
        (evaluation.class_names[a], evaluation.class_names[b]),
        int(mistakes[a, b]),
        float(mistakes[a, b] / both[a, b]),
        (example(int(a), int(b)), example(int(b), int(a))),
    )
