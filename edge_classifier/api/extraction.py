"""From anything that is a picture to the features that an `ImageClassifier` learns from."""

from __future__ import annotations

import functools
import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from PIL import Image as PillowImage

from edge_classifier.device.pillow_decoder import image_of
from edge_classifier.errors import InvalidImageError, InvalidValueError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.variants import VARIANTS, make_variants
from edge_classifier.project.picture_file import read_image
from edge_classifier.values import Variants

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.errors import ProjectError
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import FeatureKind, Features

ColourOrder: TypeAlias = Literal["rgb", "bgr"]
Refusal: TypeAlias = "InvalidImageError | ProjectError"
"""Why a picture cannot be read."""

_GREY: Final = 2
_COLOUR: Final = 3
_TRANSPARENT: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class FeatureExtractor:
    """Computes the features of pictures.

    Attributes:
        open_backbone: Opens the network; called once it is needed.
        colour_order: Of arrays: `rgb` or `bgr`.
        n_jobs: Pictures looked at at the same time; `None` or -1 for all cores.
    """

    open_backbone: Callable[[], Backbone]
    colour_order: ColourOrder
    n_jobs: int | None

    def rows(self, images: Iterable[object], *, varied: bool = False) -> Iterator[Features]:
        """Compute the features of one picture after the other, as `computed` does.

        Yields:
            `(D,)`, or `(1 + VARIANTS, D)` of a picture and its variants.

        Raises:
            InvalidValueError: if `colour_order` is none, or `images` is a single path.
            InvalidImageError: if a picture cannot be read.
        """
        # Not left to the garbage collector, which one of the threads may run that are waited for.
        with closing(self.computed(images, varied=varied)) as computed:
            for _, row in computed:
                if isinstance(row, Exception):
                    raise row
                yield row

    def computed(
        self, images: Iterable[object], *, varied: bool = False
    ) -> Generator[tuple[object, Features | Refusal], None, None]:
        """Compute the features of one picture after the other, with a batch in memory at most.

        Yields:
            Each picture with its row, as `rows` gives it, or with why there is none.

        Raises:
            InvalidValueError: if `colour_order` is none, or `images` is a single path.
        """
        if self.colour_order not in ("rgb", "bgr"):
            raise InvalidValueError(
                f"Expected colour order 'rgb' or 'bgr', received {self.colour_order!r}."
            )
        if isinstance(images, (str, Path)):
            raise InvalidValueError(
                f"Expected several pictures, received the one path {images}; put it in a list."
            )
        extract = self.open_backbone().extract
        results = compute_all(
            images,
            lambda picture: as_image(picture, self.colour_order),
            (lambda few: extract([few[0], *make_variants(few[0])])[None]) if varied else extract,
            threads=None if self.n_jobs == -1 else self.n_jobs,
        )
        with closing(results):
            for result in results:
                row = result.problem if result.values is None else result.values
                assert row is not None  # noqa: S101 - one of them is there
                yield result.item, row

    def features(
        self,
        images: Iterable[object],
        *,
        varied: bool = False,
        told: Callable[[int], None] = lambda _done: None,
    ) -> tuple[Features, Variants | None]:
        """Compute the features of N pictures, as `rows` does; `told` takes how many are done.

        Returns:
            `(N, D)` float32, and the features of the variants if there are any.
        """
        rows = []
        for row in self.rows(images, varied=varied):
            rows.append(row)
            told(len(rows))
        each = 1 + VARIANTS if varied else 1
        dim = self.open_backbone().info.feature_dim
        together = np.reshape(np.array(rows, np.float32), (len(rows), each, dim))
        features = np.ascontiguousarray(together[:, 0])
        if not varied:
            return features, None
        own = np.repeat(np.arange(len(rows), dtype=np.int64), VARIANTS)
        return features, Variants(together[:, 1:].reshape(-1, dim), own)


@functools.lru_cache(maxsize=4)
def shared_backbone(
    name: str, weights: Path | None, features: FeatureKind, weights_sha256: str | None
) -> Backbone:
    """Open a backbone once for all classifiers of this process; see `load_backbone`.

    Raises:
        BackboneError: if it cannot be had.
    """
    return load_backbone(
        name, weights=weights, weights_sha256=weights_sha256, feature_kind=features
    )


def as_image(picture: object, colour_order: ColourOrder = "rgb") -> Image:
    """Turn what a user calls a picture into an image.

    Args:
        picture: The path of a file; a PIL image; or a uint8 array, `(H, W)` or `(H, W, 1)` grey,
            `(H, W, 3)` colour or `(H, W, 4)` with alpha.
        colour_order: Of arrays. PIL, scikit-image and matplotlib have RGB, OpenCV has BGR.

    Returns:
        `(H, W, 3)` uint8, BGR: the order that the rest of this package has.

    Raises:
        InvalidImageError: if it is none of these, or cannot be read.
    """
    if isinstance(picture, (str, os.PathLike)):
        return read_image(Path(picture))
    if isinstance(picture, PillowImage.Image):
        return image_of(picture, "The PIL image")[0]
    return _from_array(np.asarray(picture), colour_order)


def _from_array(array: np.ndarray[Any, Any], colour_order: ColourOrder) -> Image:
    channels = array.shape[2] if array.ndim == _COLOUR else 1
    if (
        array.dtype != np.uint8
        or array.ndim not in (_GREY, _COLOUR)
        or channels not in (1, _COLOUR, _TRANSPARENT)
        or not array.size
    ):
        raise InvalidImageError(
            "Expected a path, a PIL image, or an array of shape (H, W), (H, W, 3) or (H, W, 4) and "
            f"dtype uint8 (0 to 255), received shape {array.shape} and dtype {array.dtype}."
        )
    if channels == 1:
        grey = array.reshape(array.shape[:2])
        return np.ascontiguousarray(np.repeat(grey[..., None], _COLOUR, axis=2))
    if channels == _COLOUR:
        return np.ascontiguousarray(array if colour_order == "bgr" else array[..., ::-1])
    rgba = array if colour_order == "rgb" else array[..., [2, 1, 0, 3]]
    return image_of(PillowImage.fromarray(np.ascontiguousarray(rgba), "RGBA"), "The array")[0]
