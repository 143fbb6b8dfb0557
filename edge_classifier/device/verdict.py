"""From features, scores and similarities to a label, a confidence, or unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

UNKNOWN: Final = "unknown"

BACKGROUND: Final = "background"
"""The name of the ordinary class that shows the empty scene."""

SMOOTHING_S: Final = 0.2
"""Time constant of the steady label in seconds, unless its user wants another."""


def normalise(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale each row of `(N, D)` to length 1; a row of zeros stays zeros."""
    rows: npt.NDArray[np.float32] = features * inverse_norms(features)[:, None]
    return rows


def inverse_norms(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what each row of `(N, D)` has to be multiplied by to get length 1, `(N,)`.

    Multiplying products by it instead of rows saves a copy of all features.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))
    inverse: npt.NDArray[np.float32] = np.float32(1.0) / np.maximum(lengths, np.float32(1e-12))
    return inverse


def softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Turn logits `(N, C)` into scores that sum to 1 in each row."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: npt.NDArray[np.float32] = (exponents / exponents.sum(axis=1, keepdims=True)).astype(
        np.float32, copy=False
    )
    return scores


def familiarity(
    similarities: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    neighbours: int,
    hesitation_weight: float,
) -> npt.NDArray[np.float32]:
    """Say how familiar images are: similar to a few references, and of one class only.

    Args:
        similarities: `(N, M)` of N images to M references, at most 1; a little more where a shift
            was taken off them.
        scores: `(N, C)` of the classes.
        neighbours: The similarities to how many of the nearest references are averaged.
        hesitation_weight: How much less familiar one nat of entropy of the scores makes it.

    Returns:
        `(N,)` in [0, 1].
    """
    count = min(neighbours, similarities.shape[1])
    nearest = np.partition(similarities, -count, axis=1)[:, -count:].mean(axis=1)
    familiar: npt.NDArray[np.float32] = (nearest - hesitation_weight * entropy(scores)).astype(
        np.float32, copy=False
    )
    np.clip(familiar, np.float32(0), np.float32(1), out=familiar)
    return familiar


def entropy(scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Return how much scores `(N, C)` hesitate between classes, `(N,)` in nats: 0 if not at all."""
    nats: npt.NDArray[np.float32] = -(scores * np.log(np.maximum(scores, 1e-12))).sum(axis=1)
    return nats.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says of one image.

    Attributes:
        class_names: The C classes, in the order of the scores.
        scores: `(C,)` float32 in [0, 1], summing to 1.
        similarity: How familiar the image is, 0 to 1 (see `familiarity`), or `None` where that
            was not measured.
        threshold: The similarity below which an image is unknown, or `None` likewise.
        adapted: Whether the device has adapted to what it sees.
    """

    class_names: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    similarity: float | None = None
    threshold: float | None = None
    adapted: bool = False

    def __post_init__(self) -> None:
        if self.scores.shape != (len(self.class_names),) or not self.class_names:
            raise InvalidValueError(
                f"Expected one score for each of {len(self.class_names)} classes (at least one), "
                f"received shape {self.scores.shape}."
            )

    @property
    def unknown(self) -> bool:
        """Whether the image resembles none of the classes."""
        if self.similarity is None or self.threshold is None:
            return False
        return self.similarity < self.threshold

    @property
    def class_id(self) -> int:
        """Index of the highest score; the first one of equals."""
        return int(np.argmax(self.scores))

    @property
    def class_name(self) -> str:
        """Name of the class with the highest score, whether or not the image is unknown."""
        return self.class_names[self.class_id]

    @property
    def label(self) -> str:
        """The class name, or `unknown`."""
        return UNKNOWN if self.unknown else self.class_name

    @property
    def confidences(self) -> npt.NDArray[np.float32]:
        """What to show of each class, `(C,)` in [0, 1]: its score.

        The score of a single class is always 1 and says nothing; its similarity stands in for it.
        """
        if len(self.scores) > 1 or self.similarity is None:
            return self.scores
        return np.array([self.similarity], np.float32)

    @property
    def confidence(self) -> float:
        """The highest of `confidences`."""
        return float(self.confidences.max())


class TimeAverage:
    """Exponential moving average over time, not over frames.

    So it behaves the same at 5 and at 500 frames per second.

    After a jump `time_constant_s` brings the average 63 % of the way; 0 switches averaging off.
    """

    def __init__(self, time_constant_s: float) -> None:
        self.time_constant_s = time_constant_s
        self._average: npt.NDArray[np.float32] | None = None
        self._last_s = 0.0

    def reset(self) -> None:
        """Forget what came before."""
        self._average = None

    def update(self, values: npt.NDArray[np.float32], now_s: float) -> npt.NDArray[np.float32]:
        """Take new values and return the average; `now_s` is in seconds of a monotonic clock."""
        before = self._average
        if self.time_constant_s <= 0 or before is None or before.shape != values.shape:
            self._average = values
        else:
            weight = 1.0 - math.exp(-max(0.0, now_s - self._last_s) / self.time_constant_s)
            self._average = (before + weight * (values - before)).astype(np.float32, copy=False)
        self._last_s = now_s
        return self._average


class Smoother:
    """Averages scores and similarity by a `TimeAverage` each, so that the label is steady.

    Frames that have said the same for half the time constant, and something else than the
    average, are believed: it starts anew from them. Otherwise a known thing that is not much more
    familiar than it must be would stay unknown for long after what was quite strange.
    """

    def __init__(self, time_constant_s: float = SMOOTHING_S) -> None:
        self.time_constant_s = time_constant_s
        self._class_names: tuple[str, ...] = ()
        self._scores = TimeAverage(time_constant_s)
        self._similarity = TimeAverage(time_constant_s)
        self._contrary = ""
        self._contrary_since_s = 0.0

    def reset(self) -> None:
        """Forget what came before."""
        self._scores.reset()
        self._similarity.reset()
        self._contrary = ""

    def update(self, prediction: Prediction, now_s: float) -> Prediction:
        """Take the newest frame's prediction, of a time in seconds; return the steady one."""
        if self.time_constant_s <= 0:
            return prediction
        if prediction.class_names != self._class_names:
            self.reset()
            self._class_names = prediction.class_names
        steady = self._averaged(prediction, now_s)
        if steady.label == prediction.label:
            self._contrary = ""
        elif self._contrary != prediction.label:
            self._contrary, self._contrary_since_s = prediction.label, now_s
        elif now_s - self._contrary_since_s >= self.time_constant_s / 2:
            self.reset()
            return self._averaged(prediction, now_s)
        return steady

    def _averaged(self, prediction: Prediction, now_s: float) -> Prediction:
        scores = self._scores.update(prediction.scores, now_s)
        similarity = prediction.similarity
        if similarity is None:
            self._similarity.reset()
        else:
            value = np.array([similarity], np.float32)
            similarity = float(self._similarity.update(value, now_s)[0])
        return replace(prediction, scores=scores, similarity=similarity)


class Hold:
    """Tells of a new label only once it has held for so many frames in a row."""

    def __init__(self, frames: int) -> None:
        self.label: str | None = None
        """The label that counts, or `None` before the first."""
        self._frames = frames
        self._candidate: str | None = None
        self._seen = 0

    def update(self, label: str) -> bool:
        """Take one frame's label and say whether the label that counts has just changed."""
        self._seen = self._seen + 1 if label == self._candidate else 1
        self._candidate = label
        if label == self.label or self._seen < self._frames:
            return False
        self.label = label
        return True
