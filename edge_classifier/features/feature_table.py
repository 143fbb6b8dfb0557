"""The features that are known, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_classifier.values import Features


class FeatureTable:
    """Features `(D,)` by the SHA-256 of the picture file, in one array that grows."""

    def __init__(self, feature_dim: int) -> None:
        self._rows: dict[str, int] = {}
        self._features = np.empty((0, feature_dim), np.float32)

    @property
    def feature_dim(self) -> int:
        """D, the number of features per image."""
        return int(self._features.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_sha256: str) -> bool:
        return image_sha256 in self._rows

    def add(self, image_sha256: str, features: Features) -> None:
        """Add one image's features, `(D,)` float32; adding a known image changes nothing."""
        if image_sha256 in self._rows:
            return
        row = len(self._rows)
        if row == len(self._features):
            grown = np.empty((max(64, row + row // 2), self._features.shape[1]), np.float32)
            grown[:row] = self._features
            self._features = grown
        self._features[row] = features
        self._rows[image_sha256] = row

    def fill(self, image_sha256s: Sequence[str], features: Features) -> None:
        """Take over a whole array `(N, D)`, for an empty table; the array is not copied.

        Raises:
            InvalidValueError: if the table is not empty or the sizes do not agree.
        """
        if self._rows or features.shape != (len(image_sha256s), self._features.shape[1]):
            raise InvalidValueError(
                f"Expected an empty table and {len(image_sha256s)} rows of "
                f"{self._features.shape[1]} features, received {features.shape}."
            )
        self._rows = {sha: row for row, sha in enumerate(image_sha256s)}
        self._features = features

    def only(self, image_sha256s: Iterable[str]) -> FeatureTable:
        """Copy what is known of these images into a table of its own; this one stays as it is."""
        kept = dict.fromkeys(sha for sha in image_sha256s if sha in self._rows)
        table = FeatureTable(self._features.shape[1])
        table.fill(list(kept), self.take(list(kept)))
        return table

    def take(self, image_sha256s: Sequence[str]) -> Features:
        """Copy the features of known images, `(N, D)` float32.

        Raises:
            KeyError: if an image is not known.
        """
        return self._features[[self._rows[sha] for sha in image_sha256s]]
