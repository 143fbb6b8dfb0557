"""The features that are known, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_classifier.values import Features


_BLOCK_BYTES: Final = 4 << 20


class FeatureTable:
    """Features `(D,)` by the SHA-256 of the picture file.

    They lie in blocks that are never copied: all of a large project would take a second.

    Attributes:
        feature_dim: D, the number of features per image.
    """

    def __init__(self, feature_dim: int) -> None:
        self.feature_dim = feature_dim
        self._rows: dict[str, int] = {}
        self._filled: Features = np.empty((0, feature_dim), np.float32)
        self._block_rows = max(1, _BLOCK_BYTES // (4 * feature_dim))
        self._blocks: list[Features] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_sha256: str) -> bool:
        return image_sha256 in self._rows

    def add(self, image_sha256: str, features: Features) -> None:
        """Add one image's features, `(D,)` float32; adding a known image changes nothing."""
        if image_sha256 in self._rows:
            return
        row = len(self._rows)
        block, place = divmod(row - len(self._filled), self._block_rows)
        if block == len(self._blocks):
            self._blocks.append(np.empty((self._block_rows, self.feature_dim), np.float32))
        self._blocks[block][place] = features
        self._rows[image_sha256] = row

    def fill(self, image_sha256s: Sequence[str], features: Features) -> None:
        """Take over a whole array `(N, D)`, for an empty table; the array is not copied.

        Raises:
            InvalidValueError: if the table is not empty or the sizes do not agree.
        """
        if self._rows or features.shape != (len(image_sha256s), self.feature_dim):
            raise InvalidValueError(
                f"Expected an empty table and {len(image_sha256s)} rows of "
                f"{self.feature_dim} features, received {features.shape}."
            )
        self._rows = {sha: row for row, sha in enumerate(image_sha256s)}
        self._filled = features

    def only(self, image_sha256s: Iterable[str]) -> FeatureTable:
        """Copy what is known of these images into a table of its own; this one stays as it is."""
        kept = dict.fromkeys(sha for sha in image_sha256s if sha in self._rows)
        table = FeatureTable(self.feature_dim)
        table.fill(list(kept), self.take(list(kept)))
        return table

    def take(self, image_sha256s: Sequence[str]) -> Features:
        """Copy the features of known images, `(N, D)` float32.

        Raises:
            KeyError: if an image is not known.
        """
        rows = np.array([self._rows[sha] for sha in image_sha256s], np.int64)
        taken = np.empty((len(rows), self.feature_dim), np.float32)
        start = 0
        for block in (self._filled, *self._blocks):
            inside = np.flatnonzero((rows >= start) & (rows < start + len(block)))
            taken[inside] = block[rows[inside] - start]
            start += len(block)
        return taken
