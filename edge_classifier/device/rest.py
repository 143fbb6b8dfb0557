"""Leaves out frames that show what the last one did, so that a still scene costs little."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from .preprocessing import centred_square

if TYPE_CHECKING:
    from collections.abc import Iterable

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
"""Pixels a side of the small picture that is compared: each the mean of 8 x 8 of a webcam's 480
rows, which leaves little of the noise of each, and nothing that a network would see alone."""

_REGIONS: Final = 10
"""The small picture is compared in so many regions a side: what moves in one of them counts."""

LARGER: Final = 2.5
"""How many times the noise a region may differ by. The largest of the hundred of a still scene does
by 1.2 to 1.4 times, as JPEG by up to 2.1."""

_LEAST: Final = 0.25
"""By so many grey levels a region may differ even where there is no noise."""

_MOST_NOISE: Final = 4.0
"""What is taken for more noise than that is more likely a camera that moves: then nothing rests."""

_PAIRS: Final = 61
_LEAST_PAIRS: Final = 8
"""Of so many successive pictures the noise is measured."""


class Stillness:
    """Says whether a picture shows what another one did, up to the camera's noise.

    Each region's difference is the root mean square over its pixels and colours, in grey levels of
    the small picture. The noise is what successive pictures differ by, a region's own shift of
    light left out, for light that fades is none: the median over the regions, which a thing that
    moves in less than half of the picture leaves alone, then the median over the last pictures,
    which what happens now and then leaves alone.

    Args:
        larger: How many times the noise the largest difference may be.
    """

    def __init__(self, larger: float = LARGER) -> None:
        self._larger = larger
        self._before: Image | None = None
        self._reference: Image | None = None
        self._noises: deque[float] = deque(maxlen=_PAIRS)

    @property
    def noise(self) -> float | None:
        """The camera's noise, in grey levels; `None` before enough pictures came."""
        return _middle(self._noises) if len(self._noises) >= _LEAST_PAIRS else None

    def is_still(self, image: Image) -> bool:
        """Take the next picture, `(H, W, 3)` uint8 BGR; say if it shows what is referred to."""
        small = _small(image)
        before, self._before = self._before, small
        if before is not None:
            squares, shifts = _differences(small, before)
            self._noises.append(
                math.sqrt(_middle((squares - shifts * shifts).mean(axis=1).tolist()))
            )
        noise = self.noise
        if self._reference is None or noise is None or noise > _MOST_NOISE:
            return False
        largest = math.sqrt(_differences(small, self._reference)[0].mean(axis=1).max())
        return largest <= max(_LEAST, self._larger * noise)

    def refer_to_last(self) -> None:
        """Compare those that come with the last one that was taken."""
        self._reference = self._before


class Rest:
    """Answers pictures of a source, or of one part of them; the answer stays while all is still.

    Only the loop's thread asks; `resting` may be read in any.

    Attributes:
        every_frame: Whether nothing is ever kept.
        resting: Whether the last picture was not inferred on.
        rested: How many were not.
    """

    def __init__(self, *, every_frame: bool = False) -> None:
        self.every_frame = every_frame
        self.resting = False
        self.rested = 0
        self._stillness = Stillness()
        self._kept: Prediction | None = None
        self._classifier: Predicts | None = None
        self._asked = 0

    def prediction_of(
        self,
        classifier: Predicts,
        image: Image,
        prepared: npt.NDArray[Any] | None = None,
        *,
        read: bool = False,
    ) -> Prediction:
        """Give the prediction of a picture, `(H, W, 3)` uint8 BGR, or of one that it equals.

        Args:
            classifier: Who is asked; another one than before is asked in any case.
            image: The picture.
            prepared: What the classifier makes of it, where that is there already.
            read: Whether more is read of the classifier afterwards: features, heat. It is asked
                anew, then, where somebody else has asked it meanwhile.
        """
        still = not self.every_frame and self._stillness.is_still(image)
        same = classifier is self._classifier and not (read and classifier.asked != self._asked)
        self.resting = still and same
        if self._kept is None or not self.resting:
            pixels = classifier.prepare(image) if prepared is None else prepared
            self._kept = classifier.predict_prepared(pixels)
            self._classifier, self._asked = classifier, classifier.asked
            self._stillness.refer_to_last()
        else:
            self.rested += 1
        return self._kept


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


def _differences(
    one: Image, other: Image
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return each region's mean of squared differences, and of differences, both `(regions, 3)`."""
    import cv2  # noqa: PLC0415 - as in `preprocessing`

    difference = cv2.subtract(one, other, dtype=cv2.CV_32F)
    squares, means = (
        cv2.resize(values, (_REGIONS, _REGIONS), interpolation=cv2.INTER_AREA)
        for values in (cv2.multiply(difference, difference), difference)
    )
    return np.asarray(squares, np.float32).reshape(-1, 3), np.asarray(means, np.float32).reshape(
        -1, 3
    )


def _middle(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
