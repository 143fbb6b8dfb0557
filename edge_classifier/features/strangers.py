"""Generic strangers: pictures of nothing in particular, to set the level of "unknown" by.

How familiar they are tells where unknown begins, for each backbone as it is, without a photograph
of anything: rendered dead leaves (Lee, Mumford and Huang, "Occlusion Models for Natural Images",
IJCV 2001; Baradad et al., "Learning to See by Looking at Noise", NeurIPS 2021) put that level where
photographs of other things put it (measured, see docs/decisions.md). Their features are computed
once for each backbone and kept in the user's cache.
"""

from __future__ import annotations

import io
import logging
import threading
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.npz import MAX_NUMBER
from edge_classifier.errors import CancelledError
from edge_classifier.features.weights import CacheFolders
from edge_classifier.project.files import describe, write_atomic
from edge_classifier.protocols import never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.protocols import Backbone, Cancelled
    from edge_classifier.values import Features

_VERSION: Final = 1
"""Part of the cached file's name: raise it where other pictures are rendered."""

_COUNT: Final = 300
_COUNT_SPATIAL: Final = 100
"""Features of every place are some ten times as large."""

_SIZE: Final = 256
_MAX_BYTES: Final = 256 * 1024 * 1024
_LEAVES: Final = (20, 250)
_SMALLEST_LEAF: Final = 6.0

_log = logging.getLogger(__name__)


class Strangers:
    """The features of generic strangers with one backbone, computed when first asked for.

    They are kept in `folder`, by default among this user's caches; `features` may be called from
    several threads.
    """

    def __init__(self, backbone: Backbone, folder: Path | None = None) -> None:
        self._backbone = backbone
        folder = folder or CacheFolders.of_this_user().own / "strangers"
        self._path = folder / f"{backbone.info.key[:32]}-{_VERSION}.npy"
        self._lock = threading.Lock()
        self._features: Features | None = None

    def features(self, cancelled: Cancelled = never_cancelled) -> Features:
        """Return them, `(N, D)`; takes some seconds at the first time on a machine.

        Raises:
            CancelledError: if that was stopped; then they are computed the next time.
        """
        with self._lock:
            if self._features is None:
                self._features = self._read()
            if self._features is None:
                self._features = self._compute(cancelled)
            return self._features

    def _shape(self) -> tuple[int, int]:
        info = self._backbone.info
        return (_COUNT if info.feature_kind == "pooled" else _COUNT_SPATIAL, info.feature_dim)

    def _read(self) -> Features | None:
        """Read what was kept; whatever is not just that is computed again."""
        try:
            found = np.load(io.BytesIO(read_regular(self._path, _MAX_BYTES)), allow_pickle=False)
        except OSError:  # if it cannot be replaced either, that is told
            return None
        except (ValueError, EOFError) as error:
            _log.warning("%s cannot be read (%s) and is computed again.", self._path, error)
            return None
        right = found.shape == self._shape() and found.dtype == np.float32
        if not right or not (np.abs(found) < MAX_NUMBER).all() or not found.any(axis=1).all():
            _log.warning("%s is damaged and is computed again.", self._path)
            return None
        features: Features = found
        return features

    def _compute(self, cancelled: Cancelled) -> Features:
        features = stranger_features(self._backbone.extract, self._shape()[0], cancelled)
        content = io.BytesIO()
        np.save(content, features)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, content.getvalue())
        except OSError as error:
            _log.warning(
                "%s cannot be kept (%s); it is computed again each time.",
                self._path,
                describe(error),
            )
        return features


def stranger_features(
    extract: Callable[[list[Image]], Features],
    count: int = _COUNT,
    cancelled: Cancelled = never_cancelled,
) -> Features:
    """Compute the features of so many generic strangers, `(N, D)`; always the same ones.

    Raises:
        CancelledError: if asked to stop.
    """
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        if cancelled():
            raise CancelledError("Stopped: looking at strangers.")
        rows.append(extract([dead_leaves(generator)])[0])
    return np.stack(rows).astype(np.float32, copy=False)


def dead_leaves(generator: np.random.Generator) -> Image:
    """Render discs, rectangles and ellipses one over the other, in soft light, with noise.

    Returns:
        `(256, 256, 3)` uint8, BGR.
    """
    image = np.empty((_SIZE, _SIZE, 3), np.uint8)
    image[:] = generator.integers(0, 256, 3)
    for _ in range(generator.integers(*_LEAVES)):
        _drop_leaf(image, generator)
    blurred = cv2.GaussianBlur(image, (0, 0), generator.uniform(0.3, 3.0)).astype(np.float32)
    light = np.linspace(generator.uniform(0.5, 1.0), generator.uniform(0.7, 1.3), _SIZE)
    noise = generator.normal(0.0, generator.uniform(1.0, 12.0), image.shape)
    return np.clip(blurred * light[None, :, None] + noise, 0, 255).astype(np.uint8)


def _drop_leaf(image: Image, generator: np.random.Generator) -> None:
    """Draw one over what is there; sizes are spread evenly in their logarithm."""
    radius = np.exp(generator.uniform(np.log(_SMALLEST_LEAF), np.log(_SIZE / 1.5)))
    x, y = generator.integers(-int(radius) // 2, _SIZE + int(radius) // 2, 2).tolist()
    colour = generator.integers(0, 256, 3).tolist()
    width, height = radius * generator.uniform((0.3, 0.3), (2.0, 2.0))
    angle = generator.uniform(0.0, 180.0)
    match generator.integers(0, 3):
        case 0:
            cv2.circle(image, (x, y), int(radius), colour, -1, cv2.LINE_AA)
        case 1:
            corners = cv2.boxPoints(((x, y), (width, height), angle)).astype(np.int32)
            cv2.fillPoly(image, [corners], colour, cv2.LINE_AA)
        case _:
            axes = (int(radius), max(2, int(radius * generator.uniform(0.1, 1.0))))
            cv2.ellipse(image, (x, y), axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
