"""A backbone in int8, so that a head can be taught or asked what it will really see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.export.compose import compose
from edge_classifier.export.elsewhere.plain_run import PlainRun
from edge_classifier.export.quantise import quantise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.export.flatbuffer import Graph
    from edge_classifier.features.backbone import LiteRTBackbone
    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features


class RoundedBackbone:
    """A backbone in int8, calibrated on squares `(N, S, S, 3)` uint8 RGB.

    Rounding a small network moves its features further than a head overlooks that was taught the
    exact ones: on four sets 2 to 11 % of the labels of v1-0.25 at 96 pixels were others. Taught
    these, a head answers alike, and what is measured of it is what a device will say.

    Raises:
        ExportError: if it cannot be had in int8.
    """

    def __init__(self, exact: LiteRTBackbone, squares: npt.NDArray[np.uint8]) -> None:
        self.exact, self.info = exact, exact.info
        self._squares = squares
        self.content = self.rounded().content()
        self._run = PlainRun(self.content)

    def rounded(self, model: Model | None = None) -> Graph:
        """Make a model's graph in int8; without a model that of the features.

        Both have the same features, since they are calibrated on the same pictures.
        """
        graph = compose(self.exact.extractor, self.info, model)
        return quantise(graph, self.info.preprocessing, self._squares)

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features `(N, D)` of N images of any size; from any thread."""
        squares = [self.info.preprocessing.square(image) for image in images]
        return np.concatenate([self._run(square)[0] for square in squares])
