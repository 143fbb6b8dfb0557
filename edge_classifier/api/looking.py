"""What an estimator looks through: a backbone, opened once in a process for all of its copies."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from edge_classifier.api.estimator import Estimator
from edge_classifier.api.extraction import FeatureExtractor, shared_backbone
from edge_classifier.errors import BackboneMismatchError, NotTrainedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge_classifier.api.extraction import ColourOrder, Refusal
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import FeatureKind


class LookingEstimator(Estimator):
    """An estimator that looks at pictures through a backbone.

    Pickled it carries what it learned, and of the backbone only which it is: no interpreter. A
    process opens that at the first answer, and shares it with every other copy it unpickles.
    """

    backbone: str | Backbone
    weights: str | Path | None
    features: FeatureKind
    colour_order: ColourOrder
    n_jobs: int | None
    model_: Model
    _weights_sha256: str | None = None  # of the backbone that it was loaded or pickled with

    def __getstate__(self) -> dict[str, Any]:
        """Name the backbone that it learned with: elsewhere `auto` may be another one."""
        state = dict(vars(self))
        if hasattr(self, "model_") and isinstance(self.backbone, str):
            info = self._backbone().info
            state |= {"backbone": info.name, "_weights_sha256": info.weights_sha256}
        return state

    @overload
    def predictions(self, images: Iterable[object]) -> Iterator[Prediction]: ...

    @overload
    def predictions(
        self, images: Iterable[object], *, return_exceptions: bool
    ) -> Iterator[Prediction | Refusal]: ...

    def predictions(
        self, images: Iterable[object], *, return_exceptions: bool = False
    ) -> Iterator[Prediction | Refusal]:
        """Answer one picture after the other, with no more than a batch in memory.

        Args:
            images: N pictures.
            return_exceptions: Whether to go on after a picture that cannot be read, and give the
                error that says why in place of its answer.

        Yields:
            One `Prediction` a picture.
        """
        model, extractor = self._answering()
        with closing(extractor.computed(images)) as computed:
            for _, row in computed:
                if isinstance(row, Exception) and not return_exceptions:
                    raise row
                yield row if isinstance(row, Exception) else model.predict(row[None])[0]

    def _model(self) -> Model:
        if not hasattr(self, "model_"):
            raise NotTrainedError("This ImageClassifier is not fitted yet; call `fit` first.")
        return self.model_

    def _answering(self) -> tuple[Model, FeatureExtractor]:
        """Give what answers: the model, and what it learned to look through.

        Raises:
            NotTrainedError: if there is no model.
        """
        return self._model(), self._extractor()

    def _backbone(self) -> Backbone:
        """Open the backbone that it learned with, or is to learn with.

        Raises:
            BackboneError: if it cannot be had.
            BackboneMismatchError: if this process has another one of that name.
        """
        backbone = self._opened(self._weights_sha256)
        info = backbone.info
        if self._weights_sha256 not in (None, info.weights_sha256):
            raise BackboneMismatchError(
                f"This ImageClassifier was trained with other weights of {info.name} than are "
                f"here ({self._weights_sha256:.12}, here {info.weights_sha256:.12}); install the "
                "same version, and give the same `weights`, wherever it is to answer."
            )
        return backbone

    def _opened(self, weights_sha256: str | None) -> Backbone:
        if not isinstance(self.backbone, str):
            return self.backbone
        return shared_backbone(self.backbone, self._weights(), self.features, weights_sha256)

    def _weights(self) -> Path | None:
        return None if self.weights is None else Path(self.weights)

    def _extractor(self) -> FeatureExtractor:
        return FeatureExtractor(self._backbone, self.colour_order, self.n_jobs)
