"""Answers for any number of pictures, in their order, with no more than a batch in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.verdict import Prediction
from edge_classifier.features.bulk import compute_all
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.errors import EdgeClassifierError
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What was said of one picture file, or why it was refused."""

    path: Path
    prediction: Prediction | None
    problem: EdgeClassifierError | None


class Predictor(Protocol):
    """What answers pictures: a project's model, or a bundle."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""

    def compute(self, images: Sequence[Image], /) -> npt.NDArray[np.float32]:
        """Do what takes long, `(N, …)` float32 of N pictures; in any thread."""

    def answer(self, values: npt.NDArray[np.float32], /) -> Prediction:
        """Make an answer of one row of what `compute` gave."""


class ModelPredictor:
    """Answers by a project's backbone and model."""

    def __init__(self, backbone: Backbone, model: Model) -> None:
        self._model = model
        self.compute = backbone.extract

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self._model.class_names

    def answer(self, values: npt.NDArray[np.float32], /) -> Prediction:
        """Predict from one picture's features, `(D,)`."""
        return self._model.predict(values[None])[0]


class BundlePredictor:
    """Answers by an exported bundle, with the very lines that run on the device.

    Raises:
        BundleError: if it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._local = threading.local()
        self._bundle = Bundle.open(folder)
        self._classifier()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""
        return self._bundle.class_names

    def compute(self, images: Sequence[Image], /) -> npt.NDArray[np.float32]:
        """Give scores, then the similarity (NaN where none is measured), `(N, C + 1)`."""
        classifier = self._classifier()
        rows = np.empty((len(images), len(self.class_names) + 1), np.float32)
        for row, image in zip(rows, images, strict=True):
            answer = classifier.predict(image)
            row[:-1] = answer.scores
            row[-1] = np.nan if answer.similarity is None else answer.similarity
        return rows

    def answer(self, values: npt.NDArray[np.float32], /) -> Prediction:
        """Take one row of `compute` apart."""
        similarity = None if np.isnan(values[-1]) else float(values[-1])
        return Prediction(self.class_names, values[:-1], similarity, self._bundle.threshold)

    def _classifier(self) -> Classifier:
        """Give the classifier of this thread."""
        if not hasattr(self._local, "classifier"):
            self._local.classifier = Classifier(self._bundle)
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
        prediction = None if found.values is None else predictor.answer(found.values)
        yield Predicted(found.item, prediction, found.problem)
