"""Samples seen a little otherwise: what a head learns from beside the samples themselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.features.dataset import FeatureTable
from edge_classifier.values import VARIANTS, Variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.cache import FileFeatureCache
    from edge_classifier.values import Features, Sample

MOST_VARIED: Final = 400
"""With more samples none is varied: they show themselves what variants would, and training on
four times as much would take too long."""

_SPARE: Final = 64
"""Removed samples whose variants are kept, beside as many as there are samples: memory must not
grow with all that was ever recorded."""


class Variation:
    """Keeps the features of a project's varied samples; each is computed once.

    One thread at a time may use it.

    Args:
        make: Varies a picture `frame.VARIANTS` times, the same one always in the same ways.
        cache: Features of variants computed before, by `variant_sha256`.
        feature_dim: D.
    """

    def __init__(
        self, make: Callable[[Image], list[Image]], cache: FileFeatureCache, feature_dim: int
    ) -> None:
        self.make = make
        self._cache = cache
        self._table = FeatureTable(feature_dim)
        self._table.fill(*cache.load())

    def missing(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """The samples whose variants are to be computed; none where there are many samples.

        Args:
            samples: All that there are; variants of many others are forgotten.
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
