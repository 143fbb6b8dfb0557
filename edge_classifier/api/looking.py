"""Looking at the pictures of an `ImageClassifier`: from anything that is a picture to features."""

from __future__ import annotations

import functools
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.api.images import ColourOrder, as_image
from edge_classifier.api.samples import SeenSamples, checked_labels
from edge_classifier.errors import InvalidValueError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.variants import MOST_VARIED, VARIANTS, make_variants
from edge_classifier.values import Variants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from edge_classifier.protocols import Backbone
    from edge_classifier.values import FeatureKind, Features


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """How pictures are looked at.

    Attributes:
        backbone: Opens the network; is called once it is needed.
        colour_order: Of arrays: `rgb` or `bgr`.
        n_jobs: Pictures looked at at the same time; `None` or -1 for all cores.
    """

    backbone: Callable[[], Backbone]
    colour_order: ColourOrder
    n_jobs: int | None

    def rows(self, images: Iterable[object], *, varied: bool = False) -> Iterator[Features]:
        """Compute the features of one picture after the other.

        Args:
            images: Pictures.
            varied: Whether to vary them.

        Yields:
            `(D,)`, or `(1 + VARIANTS, D)` of a picture and its variants.

        Raises:
            InvalidValueError: if `colour_order` is none, or `images` is a single path.
            InvalidImageError: if a picture cannot be read.
        """
        if self.colour_order not in ("rgb", "bgr"):
            raise InvalidValueError(
                f"Expected colour order 'rgb' or 'bgr', received {self.colour_order!r}."
            )
        if isinstance(images, (str, Path)):
            raise InvalidValueError(
                f"Expected several pictures, received the one path {images}; put it in a list."
            )
        extract = self.backbone().extract
        threads = None if self.n_jobs in (None, -1) else self.n_jobs
        results = compute_all(
            images,
            lambda picture: as_image(picture, self.colour_order),
            (lambda few: extract([few[0], *make_variants(few[0])])[None]) if varied else extract,
            threads=threads,
        )
        for result in results:
            if result.values is None:
                assert result.problem is not None  # noqa: S101 - one of them is there
                raise result.problem
            yield result.values

    def features(self, images: Iterable[object]) -> Features:
        """Compute the features of N pictures, `(N, D)` float32; raises as `rows` does."""
        rows = list(self.rows(images))
        if not rows:
            return np.empty((0, self.backbone().info.feature_dim), np.float32)
        return np.stack(rows)

    def samples(
        self, images: Iterable[object], labels: npt.ArrayLike, *, varied: bool
    ) -> SeenSamples:
        """Look at labelled pictures.

        Args:
            images: N pictures.
            labels: `(N,)` what they show.
            varied: Whether to vary them, unless there are too many.

        Raises:
            InvalidValueError: as `rows` does, or if the labels are not one a picture.
            InvalidImageError: if a picture cannot be read.
        """
        # The labels first: looking at the pictures takes long.
        count = len(images) if isinstance(images, Sized) else None
        checked = checked_labels(labels, count)
        if not varied or len(checked) > MOST_VARIED:
            features = self.features(images)
            return SeenSamples(features, checked_labels(labels, len(features)))
        rows = [*self.rows(images, varied=True)]
        checked = checked_labels(labels, len(rows))
        dim = self.backbone().info.feature_dim
        together = np.reshape(np.array(rows, np.float32), (len(rows), 1 + VARIANTS, dim))
        own = np.repeat(np.arange(len(rows), dtype=np.int64), VARIANTS)
        variants = Variants(together[:, 1:].reshape(-1, dim), own)
        return SeenSamples(np.ascontiguousarray(together[:, 0]), checked, variants)


@functools.lru_cache(maxsize=4)
def open_backbone(name: str, weights: Path | None, features: FeatureKind) -> Backbone:
    """Open a backbone once for all classifiers of this process.

    Raises:
        BackboneError: if it cannot be had.
    """
    return load_backbone(name, weights=weights, feature_kind=features)
