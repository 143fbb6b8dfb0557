"""A backbone in int8, so that a head can be taught or asked what it will really see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.export.compose import compose
from edge_classifier.export.elsewhere.plain_run import PlainRun
from edge_classifier.export.quantise import quantise
from edge_classifier.export.samples import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.export.flatbuffer import Graph
    from edge_classifier.features.backbone import LiteRTBackbone
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Cancelled
    from edge_classifier.values import Features, Sample


class RoundedBackbone:
    """A backbone in int8, as small machines run it.

    A head that is taught its features answers to them as it was taught, and what is measured of it
    is what a device will say.

    Raises:
        ExportError: if it cannot be had in int8.
        NotEnoughSamplesError: if none of the samples, which it is calibrated on, can be read.
        CancelledError: if asked to stop.
    """

    def __init__(
        self, exact: LiteRTBackbone, samples: Sequence[Sample], cancelled: Cancelled
    ) -> None:
        self.info, self._extractor = exact.info, exact.extractor
        self._calibration = Calibration(samples, exact.info.preprocessing, cancelled)
        self.content = self.rounded().content()
        self._run = PlainRun(self.content)

    def rounded(self, model: Model | None = None) -> Graph:
        """Make a model's graph in int8; without a model that of the features.

        Both have the same features, since they are calibrated on the same samples.
        """
        scale = self.info.preprocessing
        graph = compose(self._extractor, self.info, model)
        return quantise(graph, self._calibration, scale.low, scale.high)

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features `(N, D)` of N images of any size; from any thread."""
        squares = [self.info.preprocessing.square(image) for image in images]
        return np.stack([self._run(square)[0] for square in squares])
