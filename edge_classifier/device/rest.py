"""Leaves out frames that show what the last one did, so that a still scene costs little."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from .preprocessing import centred_square

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .preprocessing import Image
    from .verdict import Prediction


class Predicts(Protocol):
    """The part of `Classifier` that is used."""

    asked: int

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image into the network's input."""

    def predict_prepared(self, pixels: npt.NDArray[Any]) -> Prediction:
        """Predict from what `prepare` gave."""


_SIZE: Final = 60
"""Pixels a side of the small picture that is compared, each for 8 x 8 of a webcam's 480 rows,
which leaves little of the noise, and nothing that a network would see alone."""

_REGIONS: Final = 10
"""The small picture is compared in so many regions a side: what moves in one of them counts."""

LARGER: Final = 2.5
"""How many times its noise a region may differ by. Of a still scene none does by more than 2.4
times, those with edges in a JPEG by most."""

_LEAST: Final = 0.25
"""By so many grey levels a region may differ even where there is no noise."""

_APART: Final = 2.0
"""A region's noise is at most so many times that of the middle one: where there is more, something
moves there."""

_MOST_NOISE: Final = 4.0
"""What is taken for more noise than that is more likely a camera that moves: then nothing rests."""

_ANSWERS: Final = 8
"""Of so many pictures that equal each other the mean answer is kept: one alone has its noise."""

_NEAR: Final = 0.02
"""An answer hesitates whose similarity is so near to the threshold of unknown: while frames rest it
is off by up to 0.007, when the light fades."""

_TIMES: Final = 20.0
"""Or whose best score is less than so many times the next one, which is 3 in the logits."""

_MEAN_COLOUR: Final = np.full(3, 1 / 3, np.float32)

_PICTURES: Final = 60
_EVERY: Final = 10
"""So often the noise of three successive pictures counts, and it is measured anew with every tenth,
since that costs as much as ten comparisons."""


class Stillness:
    """Says whether a picture shows what another one did, up to the camera's noise.

    Each region's difference is the root mean square over its pixels and colours, in grey levels of
    the small picture. Its noise is what a picture differs by from the mean of the one before and
    the one after, which light that fades leaves alone: the median over the last pictures, so that
    nothing counts that happens now and then, and what is usual in all regions, so that nothing
    counts that always moves in less than half of the picture.

    Args:
        larger: How many times its noise a region may differ by.
    """

    def __init__(self, larger: float = LARGER) -> None:
        self._larger = larger
        self._last: deque[Image] = deque(maxlen=3)
        self._newest: Image | None = None
        self._reference: Image | None = None
        self._noises: deque[npt.NDArray[np.float32]] = deque(maxlen=_PICTURES)
        self._taken = 0
        self._limits: npt.NDArray[np.float32] | None = None

    def is_still(self, image: Image) -> bool:
        """Take the next picture, `(H, W, 3)` uint8 BGR; say if it shows what is referred to."""
        self._newest = small = _small(image)
        self._last.append(small)
        if len(self._last) == self._last.maxlen:
            self._noises.append(_out_of_line(*self._last))
            self._taken += 1
            if self._taken % _EVERY == 0:
                self._measure()
            if self._limits is not None:  # then there is time
                self._last.clear()
        if self._reference is None or self._limits is None:
            return False
        return bool((_differences(small, self._reference) <= self._limits).all())

    def _measure(self) -> None:
        noises = np.median(np.stack(self._noises), axis=0)
        usual = float(np.median(noises))
        noises = noises.clip(usual, _APART * usual)
        self._limits = None if usual > _MOST_NOISE else (self._larger * noises).clip(min=_LEAST)

    def refer_to_last(self) -> None:
        """Compare those that come with the last one that was taken."""
        self._reference = self._newest


class Rest:
    """Answers pictures of a source, or of one part of them; the answer stays while all is still.

    One that hesitates does not stay: a little less light could change it.

    Only the loop's thread asks; `resting` may be read in any.

    Attributes:
        every_frame: Whether nothing is ever kept.
        resting: Whether the last picture was not inferred on.
        rested: How many were not.
    """

    def __init__(self, *, every_frame: bool = False, stillness: Stillness | None = None) -> None:
        self.every_frame = every_frame
        self.resting = False
        self.rested = 0
        self._stillness = stillness or Stillness()
        self._answers: deque[Prediction] = deque(maxlen=_ANSWERS)
        self._kept: Prediction | None = None
        self._classifier: Predicts | None = None
        self._asked = 0
        self._hesitates = False

    def prediction_of(
        self,
        classifier: Predicts,
        image: Image,
        prepared: npt.NDArray[Any] | None = None,
        *,
        read: bool = False,
    ) -> Prediction:
        """Give the prediction of a picture, `(H, W, 3)` uint8 BGR, or of those that it equals.

        Args:
            classifier: Who is asked; another one than before is asked in any case.
            image: The picture.
            prepared: What the classifier makes of it, where that is there already.
            read: Whether more is read of the classifier afterwards: features, heat. It is asked
                anew, then, where somebody else has asked it meanwhile.
        """
        still = not self.every_frame and self._stillness.is_still(image)
        if not still or classifier is not self._classifier:
            self._kept = None
            self._answers.clear()
        self.resting = (
            self._kept is not None
            and not self._hesitates
            and not (read and classifier.asked != self._asked)
        )
        if self._kept is not None and self.resting:
            self.rested += 1
            return self._kept
        pixels = classifier.prepare(image) if prepared is None else prepared
        prediction = classifier.predict_prepared(pixels)
        self._classifier, self._asked = classifier, classifier.asked
        if not self.every_frame:
            self._keep(prediction)
        return prediction

    def answered(self, prediction: Prediction) -> None:
        """Take what was made of the last prediction: an adapted one hesitates elsewhere."""
        if prediction.adapted:
            self._hesitates = _hesitates(prediction)

    def _keep(self, prediction: Prediction) -> None:
        if not self._answers:
            self._stillness.refer_to_last()
        self._answers.append(prediction)
        if len(self._answers) == _ANSWERS:
            self._kept = _mean(self._answers)
            self._hesitates = _hesitates(self._kept)


def _mean(predictions: Sequence[Prediction]) -> Prediction:
    """Return the mean of predictions of the same classes."""
    found = [p.similarity for p in predictions if p.similarity is not None]
    return replace(
        predictions[-1],
        scores=np.mean([p.scores for p in predictions], axis=0),
        similarity=float(np.mean(found)) if found else None,
    )


def _hesitates(prediction: Prediction) -> bool:
    """Say whether a little could change the label."""
    similarity, threshold = prediction.similarity, prediction.threshold
    if similarity is not None and threshold is not None and abs(similarity - threshold) < _NEAR:
        return True
    *_, second, best = 0.0, *sorted(prediction.scores.tolist())
    return not prediction.unknown and best < _TIMES * second


def _small(image: Image) -> Image:
    """Make the small picture, `(_SIZE, _SIZE, 3)` uint8, of what the network sees of an image."""
    import cv2  # noqa: PLC0415 - as in `preprocessing`

    # Of a large picture a part of the pixels is enough to tell, and reading all takes longer.
    double = cv2.resize(
        centred_square(image, min(image.shape[:2])),
        (2 * _SIZE, 2 * _SIZE),
        interpolation=cv2.INTER_LINEAR,
    )
    return np.asarray(cv2.resize(double, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def _differences(one: Image, other: Image) -> npt.NDArray[np.float32]:
    """Return by how much each region differs."""
    import cv2  # noqa: PLC0415 - as in `preprocessing`

    return _of_regions(cv2.subtract(one, other, dtype=cv2.CV_32F))


def _out_of_line(first: Image, middle: Image, last: Image) -> npt.NDArray[np.float32]:
    """Return by how much the regions of two pictures differ, for all that is not a steady change.

    The mean of two has half of the variance of one, so that 1.5 is counted in place of 2.
    """
    import cv2  # noqa: PLC0415 - as in `preprocessing`

    between = cv2.addWeighted(first, 0.5, last, 0.5, 0, dtype=cv2.CV_32F)
    return _of_regions(cv2.subtract(between, middle, dtype=cv2.CV_32F), 2 / 1.5)


def _of_regions(differences: npt.ArrayLike, weight: float = 1.0) -> npt.NDArray[np.float32]:
    import cv2  # noqa: PLC0415 - as in `preprocessing`

    values = np.asarray(differences, np.float32)
    squares = cv2.multiply(values, values, scale=weight)
    means = cv2.resize(squares, (_REGIONS, _REGIONS), interpolation=cv2.INTER_AREA)
    regions: npt.NDArray[np.float32] = np.sqrt(np.asarray(means).reshape(-1, 3) @ _MEAN_COLOUR)
    return regions
