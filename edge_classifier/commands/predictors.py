"""Answers for any number of pictures, in their order, with no more than a batch in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge_classifier.device.classifier import Classifier
from edge_classifier.device.verdict import Prediction
from edge_classifier.features.bulk import compute_all
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.bundle import Bundle
    from edge_classifier.device.heat import HeatReferences
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.errors import EdgeClassifierError
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What was said of one picture file, or why it was refused.

    Attributes:
        heat: Where it is unlike its class, as `device.heat` gives it, if that was asked for.
    """

    path: Path
    prediction: Prediction | None
    problem: EdgeClassifierError | None
    heat: npt.NDArray[np.float32] | None = None


class Predictor(Protocol):
    """What answers pictures: a project's model, or a bundle."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""

    def compute(self, images: Sequence[Image], /) -> npt.NDArray[np.float32]:
        """Do what takes long, `(N, …)` float32 of N pictures; in any thread."""

    def answer(
        self, values: npt.NDArray[np.float32], /
    ) -> tuple[Prediction, npt.NDArray[np.float32] | None]:
        """Make an answer of one row of what `compute` gave, and its heat if that was asked for."""


class ModelPredictor:
    """Answers by a project's backbone and model, with heat where its references are given."""

    def __init__(
        self, backbone: Backbone, model: Model, references: HeatReferences | None = None
    ) -> None:
        self._backbone = backbone
        self._model = model
        self._references = references

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self._model.class_names

    def compute(self, images: Sequence[Image], /) -> npt.NDArray[np.float32]:
        """Give the features, and behind them the flat feature maps where heat is asked for."""
        if self._references is None:
            return self._backbone.extract(images)
        features, maps = self._backbone.extract_spatial(images)
        return np.concatenate([features, maps.reshape(len(maps), -1)], axis=1)

    def answer(
        self, values: npt.NDArray[np.float32], /
    ) -> tuple[Prediction, npt.NDArray[np.float32] | None]:
        """Predict from one row of `compute`."""
        features, spatial = np.split(values, [self._backbone.info.feature_dim])
        prediction = self._model.predict(features[None])[0]
        if self._references is None:
            return prediction, None
        return prediction, self._references.heat(spatial, prediction.class_name)


class BundlePredictor:
    """Answers by an exported bundle, with the very lines that run on the device.

    Raises:
        BundleError: if it is damaged, or cannot give heat that is asked for.
    """

    def __init__(self, bundle: Bundle, *, heat: bool = False) -> None:
        self._local = threading.local()
        self._bundle = bundle
        self._references = self._bundle.heat(self._bundle.formats[0]) if heat else None
        self._classifier()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self._bundle.class_names

    def compute(self, images: Sequence[Image], /) -> npt.NDArray[np.float32]:
        """Give scores, the similarity (NaN where none is measured), and the flat heat if any."""
        classifier = self._classifier()
        rows = []
        for image in images:
            answer = classifier.predict(image)
            similarity = np.nan if answer.similarity is None else answer.similarity
            row = np.append(answer.scores, np.float32(similarity))
            heat = classifier.heat(answer)
            rows.append(row if heat is None else np.concatenate([row, heat.reshape(-1)]))
        return np.stack(rows)

    def answer(
        self, values: npt.NDArray[np.float32], /
    ) -> tuple[Prediction, npt.NDArray[np.float32] | None]:
        """Take one row of `compute` apart."""
        classes = len(self.class_names)
        scores, (known,), heat = np.split(values, [classes, classes + 1])
        similarity = None if np.isnan(known) else float(known)
        prediction = Prediction(self.class_names, scores, similarity, self._bundle.threshold)
        if self._references is None or not heat.size:
            return prediction, None
        return prediction, heat.reshape(self._references.shape[:2])

    def _classifier(self) -> Classifier:
        """Give the classifier of this thread."""
        if not hasattr(self._local, "classifier"):
            self._local.classifier = Classifier(self._bundle)
            if self._references:
                self._local.classifier.use_heat()
        classifier: Classifier = self._local.classifier
        return classifier


def is_bundle(path: Path) -> bool:
    """Say whether a folder is an exported bundle."""
    return (path / "spec.json").is_file()


def predict_all(
    predictor: Predictor, paths: Iterable[Path], *, threads: int | None = None
) -> Iterator[Predicted]:
    """Predict from picture files, in their order, each as soon as it is done.

    Paths are taken only as far ahead as the threads, all cores if `None`, need them.
    """
    for found in compute_all(paths, read_image, predictor.compute, threads=threads):
        prediction, heat = (None, None) if found.values is None else predictor.answer(found.values)
        yield Predicted(found.item, prediction, found.problem, heat)
