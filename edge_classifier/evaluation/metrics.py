"""How good a model is, on pictures that it was not trained on: plain NumPy, no files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features

_Z_95: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""

_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predictions whose confidence lies in one bin.

    Attributes:
        confidence: Their mean confidence; 0 in an empty bin.
        accuracy: The part of them that is right; 0 in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What a model said of N labelled pictures, and how right it was.

    The class with the highest score counts as the answer, also where the picture was called
    unknown; `unknown_rate` tells how often that was. Only a single class, of which that would
    always be right, counts as found where the picture was not called unknown.

    Attributes:
        class_names: The C classes, in the order of the scores.
        scores: `(N, C)` float32 in [0, 1].
        class_ids: `(N,)` int64, the true classes.
        unknown: `(N,)` bool, the verdicts "unknown".
        burst_ids: `(N,)` strings: which pictures are not independent of each other; `None`
            where all are.
        threshold: What was less familiar was called unknown; of several models the mean. `None`
            where no model had one.
    """

    class_names: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.bool_]
    burst_ids: npt.NDArray[np.str_] | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        rows = len(self.class_ids)
        if not rows or self.scores.shape != (rows, len(self.class_names)):
            raise InvalidValueError(
                f"Expected scores of shape (N, {len(self.class_names)}) for N = {rows} pictures "
                f"(at least one), received {self.scores.shape}."
            )
        if self.unknown.shape != (rows,):
            raise InvalidValueError(
                f"Expected {rows} verdicts, one a picture, received {self.unknown.shape}."
            )

    def __len__(self) -> int:
        """N, the number of pictures."""
        return len(self.class_ids)

    @property
    def alone(self) -> bool:
        """Whether there is a single class, whose scores mean nothing."""
        return len(self.class_names) == 1

    @property
    def predicted_ids(self) -> npt.NDArray[np.int64]:
        """`(N,)` the classes with the highest scores."""
        ids: npt.NDArray[np.int64] = self.scores.argmax(axis=1)
        return ids

    @property
    def confidences(self) -> npt.NDArray[np.float32]:
        """`(N,)` the highest scores."""
        confidences: npt.NDArray[np.float32] = self.scores.max(axis=1)
        return confidences

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """`(N,)` whether the answer is the true class."""
        right: npt.NDArray[np.bool_] = self.predicted_ids == self.class_ids
        return right & ~self.unknown if self.alone else right

    @property
    def accuracy(self) -> float:
        """The part of pictures that is answered right."""
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy; see `accuracy_interval`."""
        return accuracy_interval(self.right, self.burst_ids)

    @property
    def unknown_rate(self) -> float:
        """The part of pictures, all of known classes, that was called unknown."""
        return float(self.unknown.mean())

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """`(C, C)` counts: true classes in rows, answers in columns."""
        classes = len(self.class_names)
        flat = np.bincount(self.class_ids * classes + self.predicted_ids, minlength=classes**2)
        return flat.reshape(classes, classes)

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """`(C,)` the part of each class's pictures that is found; NaN for a class without any."""
        counts = np.bincount(self.class_ids, minlength=len(self.class_names))
        found = np.bincount(self.class_ids[self.right], minlength=len(counts))
        return _ratios(found, counts)

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """`(C,)` the part of each answer that is right; NaN for an answer never given."""
        if self.alone:  # nothing else was asked about
            return np.full(1, np.nan)
        confusion = self.confusion
        return _ratios(confusion.diagonal(), confusion.sum(axis=0))

    @property
    def reliability(self) -> tuple[Reliability, ...]:
        """Confidence against accuracy in ten equal bins (DeGroot and Fienberg, 1983)."""
        bins = np.minimum((self.confidences * _BINS).astype(np.int64), _BINS - 1)
        found = []
        for n in range(_BINS):
            rows = bins == n
            count = int(rows.sum())
            found.append(
                Reliability(
                    n / _BINS,
                    (n + 1) / _BINS,
                    count,
                    float(self.confidences[rows].mean()) if count else 0.0,
                    float(self.right[rows].mean()) if count else 0.0,
                )
            )
        return tuple(found)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error (Naeini et al., AAAI 2015): 0 where scores are honest."""
        return sum(b.count * abs(b.accuracy - b.confidence) for b in self.reliability) / len(self)

    def mistakes(self, limit: int | None = None) -> npt.NDArray[np.int64]:
        """Return the rows that are answered wrong, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        order = np.argsort(-self.confidences[wrong], kind="stable")
        return wrong[order][:limit]


@dataclass(frozen=True, slots=True)
class Confused:
    """The two classes that are taken for each other most.

    Attributes:
        names: Both; first the one whose pictures are taken for the other more often.
        mistakes: How many pictures of either were taken for the other.
        part: Of all pictures of both.
        rows: The clearest picture of the first taken for the second, and the other way round:
            rows of the evaluation. A class without such a mistake shows its clearest picture;
            `None` where it has none.
    """

    names: tuple[str, str]
    mistakes: int
    part: float
    rows: tuple[int | None, int | None]


def evaluate(
    model: Model,
    features: Features,
    class_ids: npt.NDArray[np.int64],
    burst_ids: npt.NDArray[np.str_] | None = None,
) -> Evaluation:
    """Evaluate a model on labelled features `(N, D)`, whose ids index the model's classes."""
    scores = model.head.scores(features)
    if model.unknown is None:
        unknown, threshold = np.zeros(len(features), np.bool_), None
    else:
        threshold = model.unknown.threshold
        unknown = model.unknown.similarity(features, scores) < threshold
    return Evaluation(model.class_names, scores, class_ids, unknown, burst_ids, threshold)


def most_confused(evaluation: Evaluation) -> Confused | None:
    """Find the pair of classes with the largest part of its pictures taken for each other."""
    confusion = evaluation.confusion.astype(np.float64)
    np.fill_diagonal(confusion, 0.0)
    if not confusion.any():
        return None
    mistakes = confusion + confusion.T
    totals = np.bincount(evaluation.class_ids, minlength=len(confusion)).astype(np.float64)
    parts = mistakes / np.maximum(totals[:, None] + totals[None, :], 1.0)
    a, b = (int(n) for n in np.unravel_index(int(np.argmax(parts)), parts.shape))
    if confusion[a, b] < confusion[b, a]:
        a, b = b, a

    def example(true: int, answer: int) -> int | None:
        rows = np.flatnonzero(evaluation.class_ids == true)
        wrong = rows[evaluation.predicted_ids[rows] == answer]
        rows, wanted = (wrong, answer) if len(wrong) else (rows, true)
        return int(rows[np.argmax(evaluation.scores[rows, wanted])]) if len(rows) else None

    return Confused(
        (evaluation.class_names[a], evaluation.class_names[b]),
        int(mistakes[a, b]),
        float(parts[a, b]),
        (example(a, b), example(b, a)),
    )


def wilson_interval(right: float, count: float, z: float = _Z_95) -> tuple[float, float]:
    """Estimate between which values in [0, 1] a proportion lies.

    `right` of `count` cases, above 0, went well; neither need be whole. `z` is the normal quantile.

    Source: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    JASA 1927; recommended for few cases by Brown, Cai and DasGupta, Statistical Science 2001.
    """
    part = right / count
    scale = 1 + z * z / count
    centre = (part + z * z / (2 * count)) / scale
    half = z / scale * math.sqrt(part * (1 - part) / count + z * z / (4 * count * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_interval(
    right: npt.NDArray[np.bool_], burst_ids: npt.NDArray[np.str_] | None = None
) -> tuple[float, float]:
    """Estimate the 95 % interval of an accuracy, from whether each of N pictures is right.

    Pictures of one burst resemble each other, so a thousand of them say less than a thousand
    independent ones (all, without `burst_ids`). Wilson's interval is taken with the effective
    number of pictures: all of them divided by the design effect, which is the variance between
    bursts over that of independent pictures (Korn and Graubard, Survey Methodology 1998). Where no
    picture, or every picture, is right that cannot be measured, and bursts are counted instead.
    """
    count, part = len(right), float(right.mean())
    if burst_ids is None:
        return wilson_interval(part * count, count)
    _, burst = np.unique(burst_ids, return_inverse=True)
    bursts = int(burst.max()) + 1
    effective = float(bursts)
    if 0.0 < part < 1.0 and bursts > 1:
        residuals = np.bincount(burst, right - part)
        between = bursts / (bursts - 1) * float(residuals @ residuals) / count**2
        design_effect = between / (part * (1 - part) / count)
        effective = count / max(1.0, design_effect)
    return wilson_interval(part * effective, effective)


def _ratios(parts: npt.NDArray[np.int64], wholes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    ratios = np.full(len(parts), np.nan)
    np.divide(parts, wholes, out=ratios, where=wholes > 0)
    return ratios
