"""Y, the heat map: where the newest frame is unlike the class that it is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.languages.text import Text
from edge_classifier.learning.heat import learn_heat
from edge_classifier.live.jobs import Stage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.heat import HeatReferences
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.live.jobs import Job
    from edge_classifier.live.learner import Learner
    from edge_classifier.protocols import Backbone, Executor


class HeatMap:
    """Learns on the worker what places look like, as soon as heat is asked for.

    And anew after each training; until then what was learned before answers.

    Attributes:
        on: Whether heat is to be shown.
    """

    def __init__(self, learner: Learner, executor: Executor) -> None:
        self.on = False
        self._learner = learner
        self._stage: Stage[HeatReferences] = Stage(executor)
        self._references: HeatReferences | None = None
        self._of: tuple[Dataset, Backbone] | None = None
        """What the references are of, or will be once they are learned."""

    @property
    def job(self) -> Job[HeatReferences] | None:
        """What the worker does for it at present."""
        return self._stage.job

    @property
    def ready(self) -> bool:
        """Whether feature maps are of use."""
        return self.on and self._references is not None

    def toggle(self) -> bool:
        """Switch it on or off; returns whether it is on now."""
        self.on = not self.on
        return self.on

    def poll(self, dataset: Dataset) -> None:
        """Take over what was learned, and learn what has changed once nothing else is learned.

        Raises:
            EdgeClassifierError: when learning failed.
        """
        backbone, of = self._learner.backbone, self._of
        if of and (of[0] is not dataset or of[1] is not backbone):
            if of[1] is not backbone:
                self._references = None  # of feature maps of another shape
            self._stage.abandon()
            self._of = None
        self._references = self._stage.poll() or self._references
        if self.on and self._of is None and backbone and dataset.samples and not self._learner.busy:
            self._of, samples = (dataset, backbone), dataset.samples
            self._stage.begin(
                Text("learning what places look like"),
                lambda progress, cancelled: learn_heat(samples, backbone, progress, cancelled),
            )

    def heat(
        self, spatial: npt.NDArray[np.float32] | None, prediction: Prediction | None
    ) -> npt.NDArray[np.float32] | None:
        """Return how hot the places `(h, w)` of a feature map `(h, w, c)` are, as far as is known.

        It is hot where it is unlike the class of the prediction, also where that is "unknown".
        """
        references = self._references
        if not self.on or references is None or spatial is None or prediction is None:
            return None
        if spatial.shape != references.shape:
            return None
        return references.heat(spatial, prediction.class_name)

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self._stage.abandon()
