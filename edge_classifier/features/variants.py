"""Variants of samples, a little nearer, tilted, in other light: made, and their features kept.

A webcam user's ten frames of a thing lie seconds apart; what changes until the classifier is
used is the distance, the tilt and the light. How the amounts were chosen, and what they gain, is
told in docs/decisions.md. Pictures are never mirrored: a left hand is no right one.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.preprocessing import centred_square
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.values import Variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.cache import FileFeatureCache
    from edge_classifier.values import Features, Sample

VARIANTS: Final = 3
"""How often a sample is varied (crop, tilt, light) for a head to learn from beside itself."""

VARIANTS_VERSION: Final = "variants 1"
"""Part of the cache's key: change it where pictures are varied in other ways."""

MOST_VARIED: Final = 400
"""With more samples none is varied: they show themselves what variants would, and training on
four times as much would take too long."""

_SPARE: Final = 64
"""Removed samples whose variants are kept, beside as many as there are samples: memory must not
grow with all that was ever recorded."""

_LONGEST_SIDE: Final = 320
"""Of the square that is varied; the smallest crop of it still fills a network's 224 pixels."""

_SMALLEST_CROP: Final = 0.7
_TILT_DEGREES: Final = 10.0
_BRIGHTNESS: Final = 0.3
_CONTRAST: Final = 0.25
_COLOUR: Final = 0.1


def make_variants(image: Image) -> list[Image]:
    """Vary a picture `VARIANTS` times; the same picture always in the same ways.

    Returns:
        Square pictures, uint8, BGR, of at most 320 pixels a side.
    """
    square = _square(image)
    generator = np.random.default_rng(zlib.crc32(square.tobytes()))
    return [_vary(square, generator) for _ in range(VARIANTS)]


def _square(image: Image) -> Image:
    """Cut out the largest centred square, as every preprocessing does, and make it small."""
    side = min(image.shape[:2])
    square = centred_square(image, side)
    if side > _LONGEST_SIDE:
        size = (_LONGEST_SIDE, _LONGEST_SIDE)
        square = np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)
    return square


def _vary(square: Image, generator: np.random.Generator) -> Image:
    side = len(square)
    crop = max(1, round(side * generator.uniform(_SMALLEST_CROP, 1.0)))
    top, left = generator.integers(0, side - crop + 1, 2).tolist()
    angle = generator.uniform(-_TILT_DEGREES, _TILT_DEGREES)
    turn = cv2.getRotationMatrix2D((left + crop / 2, top + crop / 2), angle, 1.0)
    turn[:, 2] -= (left, top)
    cut = cv2.warpAffine(square, turn, (crop, crop), borderMode=cv2.BORDER_REFLECT_101)
    light = cut.astype(np.float32) * np.float32(generator.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS))
    mean = light.mean()
    light = (light - mean) * np.float32(generator.uniform(1 - _CONTRAST, 1 + _CONTRAST)) + mean
    light *= generator.uniform(1 - _COLOUR, 1 + _COLOUR, 3).astype(np.float32)
    return np.asarray(np.clip(light, 0, 255), np.uint8)


class Variation:
    """Keeps the features of a project's varied samples; each is computed once.

    One thread at a time may use it. What was computed before is in `cache`, by `variant_sha256`.
    """

    make = staticmethod(make_variants)  # for the session, which imports no OpenCV

    def __init__(self, cache: FileFeatureCache, feature_dim: int) -> None:
        self._cache = cache
        self._table = FeatureTable(feature_dim)
        self._table.fill(*cache.load())

    def missing(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """The samples whose variants are to be computed; none where there are many samples.

        `samples` are all that there are: variants of many others are forgotten.
        """
        if len(self._table) > VARIANTS * (2 * len(samples) + _SPARE):
            # A new one: the worker may be reading the old.
            self._table = self._table.only(
                variant_sha256(s.image_sha256, n) for s in samples for n in range(VARIANTS)
            )
        if len(samples) > MOST_VARIED:
            return ()
        by_hash = {s.image_sha256: s for s in samples}
        return tuple(s for sha, s in by_hash.items() if variant_sha256(sha, 0) not in self._table)

    def keep(self, image_sha256: str, features: Features) -> None:
        """Keep the features `(VARIANTS, D)` of a sample's variants, in memory and on disk.

        Raises:
            ProjectError: if they cannot be written.
        """
        # The first one last: it stands for all.
        for number in reversed(range(VARIANTS)):
            self._cache.append(variant_sha256(image_sha256, number), features[number])
            self._table.add(variant_sha256(image_sha256, number), features[number])

    def of(self, samples: Iterable[Sample]) -> Variants | None:
        """Collect what is known of the variants of samples, or `None` if there are none."""
        shas = [s.image_sha256 for s in samples]
        if len(shas) > MOST_VARIED:
            return None
        table = self._table
        rows = [n for n, sha in enumerate(shas) if variant_sha256(sha, 0) in table]
        if not rows:
            return None
        keys = [variant_sha256(shas[row], n) for row in rows for n in range(VARIANTS)]
        return Variants(table.take(keys), np.repeat(np.array(rows, np.int64), VARIANTS))

    def close(self) -> None:
        """Release the file; may be called twice."""
        self._cache.close()


def variant_sha256(image_sha256: str, number: int) -> str:
    """Return the key that the features of a sample's variant are kept under, hexadecimal."""
    return hashlib.sha256(f"{image_sha256} variant {number}".encode()).hexdigest()
