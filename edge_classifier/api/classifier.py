"""`ImageClassifier`: learns, answers, and keeps what it learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.api.classifier_file import (
    SavedClassifier,
    load_classifier,
    save_classifier,
)
from edge_classifier.api.estimator import Estimator
from edge_classifier.api.hyperparameters import check_hyperparameters, head_settings
from edge_classifier.api.images import ColourOrder, as_image
from edge_classifier.api.looking import Looking, open_backbone
from edge_classifier.api.samples import (
    bursts_of,
    checked_labels,
    classes_of,
    joined,
    labelled,
    read_project,
)
from edge_classifier.api.saved_backbone import check_backbone, check_weights, identity_of
from edge_classifier.errors import (
    InvalidValueError,
    NotTrainedError,
    ProjectFormatError,
)
from edge_classifier.learning.training import train
from edge_classifier.project.folder import is_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt
    from typing_extensions import Self

    from edge_classifier.api.samples import SeenSamples
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.head import HeadKind
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.training import HeadSettings
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import FeatureKind, FeatureSet


class ImageClassifier(Estimator):
    """Tells pictures apart after some samples of each class.

    A picture is the path of a file, a PIL image, or a uint8 array: `(H, W)` grey, `(H, W, 3)`
    colour or `(H, W, 4)` with alpha. **Arrays are RGB**, as PIL, scikit-image and matplotlib have
    them; for OpenCV's arrays pass `colour_order="bgr"`. Several pictures are any iterable of
    these, also mixed, or one array `(N, H, W, 3)`.

    Args:
        backbone: The network that looks at the pictures: a name as in `--backbone`, `auto`, or
            an object that fits `protocols.Backbone`.
        weights: A file with the weights of an official backbone, or `None` to find them.
        features: `pooled` (the mean over the picture) or `spatial` (every place of it).
        head: `linear` or `dense`, the article's.
        penalty: Linear head: weight of the squared weights.
        units: Dense head: size of the hidden layer.
        learning_rate: Dense head: of Adam.
        epochs: Dense head: passes over the samples.
        batch_fraction: Dense head: batch size as a part of all samples.
        random_state: Dense head: seed of weights and order.
        colour_order: Of arrays: `rgb` or `bgr`.
        n_jobs: Pictures looked at at the same time; `None` or -1 for all cores.

    Attributes:
        classes_: `(C,)` the labels, sorted, or in the order of the keys of a project that was
            loaded; the columns of `predict_proba`.
        labels_: `(N,)` the label of each sample.
        feature_set_: Features, class ids and bursts of the samples, a `FeatureSet`.
        model_: The trained head with its measure of unknown, a `Model`.
    """

    def __init__(  # noqa: PLR0913 - each is a hyperparameter, as scikit-learn has them
        self,
        backbone: str | Backbone = "auto",
        *,
        weights: str | Path | None = None,
        features: FeatureKind = "pooled",
        head: HeadKind = "linear",
        penalty: float = 1e-4,
        units: int = 100,
        learning_rate: float = 1e-4,
        epochs: int = 20,
        batch_fraction: float = 0.4,
        random_state: int = 0,
        colour_order: ColourOrder = "rgb",
        n_jobs: int | None = None,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.features = features
        self.head = head
        self.penalty = penalty
        self.units = units
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_fraction = batch_fraction
        self.random_state = random_state
        self.colour_order = colour_order
        self.n_jobs = n_jobs

    # Learning

    def fit(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from labelled pictures; what was learned before is forgotten.

        Args:
            images: N pictures.
            labels: `(N,)` text, integers or booleans, of two classes at least.
            groups: `(N,)` which pictures are of one burst and resemble each other, as frames of
                a video do; each is a burst of its own if `None`.

        Returns:
            Itself.

        Raises:
            InvalidValueError: if the numbers of pictures and labels differ, or a
                hyperparameter is out of its range.
            InvalidImageError: if a picture cannot be read.
            NotEnoughSamplesError: with fewer than two classes.
            BackboneError: if the backbone cannot be had.
        """
        settings = self._head_settings()
        seen = self._see(images, labels)
        bursts = bursts_of(groups, len(seen.labels), 0)
        feature_set = labelled(seen.features, seen.labels, bursts, seen.variants)
        self._learn(feature_set, seen.labels, settings)
        return self

    def partial_fit(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        classes: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from more pictures; adds to what was learned before, and replaces nothing.

        New classes may come at any time. The head is trained on all samples anew, so the order
        of the calls does not matter.

        Args:
            images: N pictures.
            labels: As with `fit`; the first call needs two classes.
            classes: Not needed; taken because scikit-learn's tools pass it.
            groups: As with `fit`; the same group in two calls is the same burst.

        Returns:
            Itself.

        Raises:
            InvalidValueError: as `fit` does, or if the labels are of another type than before.
        """
        del classes
        if not hasattr(self, "model_"):
            return self.fit(images, labels, groups)
        settings = self._head_settings()
        seen = self._see(images, labels)
        feature_set, all_labels = joined(self.feature_set_, self.labels_, seen, groups)
        self._learn(feature_set, all_labels, settings)
        return self

    def _learn(
        self, feature_set: FeatureSet, labels: npt.NDArray[Any], settings: HeadSettings
    ) -> None:
        """Train, and only then take over: a failure leaves what was learned before."""
        self._take(feature_set, labels, np.unique(labels), train(feature_set, settings))

    def _take(
        self,
        feature_set: FeatureSet,
        labels: npt.NDArray[Any],
        classes: npt.NDArray[Any],
        model: Model,
    ) -> None:
        self.feature_set_ = feature_set
        self.labels_ = labels
        self.classes_ = classes
        self.model_ = model

    # Answering

    def predictions(self, images: Iterable[object]) -> Iterator[Prediction]:
        """Answer one picture after the other, with no more than a batch in memory.

        Args:
            images: Any number of pictures.

        Yields:
            Scores and the verdict "unknown", one `Prediction` a picture.

        Raises:
            NotTrainedError: before `fit`.
            InvalidImageError: if a picture cannot be read.
        """
        model = self._model()
        for row in self._looking().rows(images):
            yield model.predict(row[None])[0]

    def predict_proba(self, images: Iterable[object]) -> npt.NDArray[np.float32]:
        """Compute the scores of pictures.

        Args:
            images: N pictures.

        Returns:
            `(N, C)` float32 in the order of `classes_`, each row summing to 1.

        Raises:
            NotTrainedError: before `fit`.
            InvalidImageError: if a picture cannot be read.
        """
        model = self._model()
        return model.head.scores(self._looking().features(images))

    def predict(self, images: Iterable[object]) -> npt.NDArray[Any]:
        """Name the class of each picture.

        Args:
            images: N pictures.

        Returns:
            `(N,)` labels, of the type that was fitted. A picture that resembles no class gets
            the nearest one all the same; `is_unknown` tells which those are.

        Raises:
            NotTrainedError: before `fit`.
            InvalidImageError: if a picture cannot be read.
        """
        scores = self.predict_proba(images)
        labels: npt.NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return labels

    def is_unknown(self, images: Iterable[object]) -> npt.NDArray[np.bool_]:
        """Say of each picture whether it resembles none of the classes.

        Args:
            images: N pictures.

        Returns:
            `(N,)` bool.

        Raises:
            NotTrainedError: before `fit`.
            InvalidImageError: if a picture cannot be read.
        """
        return np.array([p.unknown for p in self.predictions(images)], np.bool_)

    def score(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> float:
        """Measure the accuracy.

        Args:
            images: N pictures.
            labels: `(N,)` what they show.
            sample_weight: `(N,)` how much each counts; the same if `None`.

        Returns:
            The part that is answered right, in [0, 1].
        """
        predicted = self.predict(images)
        expected = checked_labels(labels, len(predicted))
        right = predicted == expected
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float(np.average(right, weights=weights))

    # Keeping

    def save(self, path: str | Path) -> None:
        """Write all that was learned to one file, to `load` it and go on from there.

        Args:
            path: The file, commonly `….npz`; replaced whole or not at all.

        Raises:
            NotTrainedError: before `fit`.
            InvalidValueError: if the backbone is an object of one's own.
            ProjectError: if it cannot be written.
        """
        model = self._model()
        if not isinstance(self.backbone, str):
            raise InvalidValueError("A classifier with a backbone of one's own cannot be saved.")
        info = self._backbone().info
        params = self.get_params() | {"backbone": info.name}
        params["weights"] = None if self.weights is None else str(self.weights)
        identity = identity_of(info)
        save_classifier(
            Path(path), SavedClassifier(params, identity, self.labels_, self.feature_set_, model)
        )

    def export(
        self,
        folder: str | Path,
        images: Iterable[object],
        labels: npt.ArrayLike | None = None,
        *,
        formats: str = "float32",
    ) -> Path:
        """Write a folder that runs on a Raspberry Pi, proven equal to this classifier.

        Args:
            folder: The bundle's folder; a bundle that is there is replaced.
            images: Some dozens of pictures of all classes, commonly those that were fitted:
                quantisation is calibrated, and every file verified, on them.
            labels: What they show; what is predicted of them if `None`.
            formats: `float32`, `dynamic`, `float16`, `int8`, `all` or `auto`, as `edge-classifier
                export` takes them.

        Returns:
            The bundle's folder.

        Raises:
            NotTrainedError: before `fit`.
            ExportError: if it cannot be written, or is not the same classifier.
        """
        from edge_classifier.api.export import (  # noqa: PLC0415 - most programs never export
            export_with,
        )

        model = self._model()
        pictures = [as_image(picture, self.colour_order) for picture in images]
        if labels is None:
            scores = model.head.scores(self._backbone().extract(pictures))
            labels = self.classes_[scores.argmax(axis=1)]
        checked = checked_labels(labels, len(pictures))
        return export_with(
            zip(pictures, (str(label) for label in checked.tolist()), strict=True),
            model,
            self._backbone(),
            folder=Path(folder),
            formats=formats,
            weights=None if self.weights is None else Path(self.weights),
        )

    @classmethod
    def load(cls, path: str | Path, *, weights: str | Path | None = None) -> Self:
        """Read what `save` wrote, or a project folder that was trained.

        Args:
            path: The file, or the project's folder.
            weights: Where the backbone's weights are now, if they have to be given.

        Raises:
            ProjectError: if it cannot be read.
            NotTrainedError: if the project has no model yet.
            BackboneError: if the backbone cannot be had.
            BackboneMismatchError: if there are other weights of it here.
        """
        path = Path(path)
        if path.is_dir() and is_project(path):
            return cls._of_project(path, weights)
        saved = load_classifier(path)
        loaded = cls()
        try:
            loaded.set_params(**saved.params)
            check_hyperparameters(vars(loaded))
        except InvalidValueError as error:
            raise ProjectFormatError(
                f"{path} is no classifier that can be read ({error}); save it again."
            ) from error
        if weights is not None:
            loaded.weights = weights
        if loaded.weights is not None:
            check_weights(path, Path(loaded.weights), saved)
        check_backbone(path, loaded._backbone().info, saved)
        classes = classes_of(saved.labels, saved.model.class_names)
        loaded._take(saved.feature_set, saved.labels, classes, saved.model)
        return loaded

    @classmethod
    def _of_project(cls, path: Path, weights: str | Path | None) -> Self:
        opened = read_project(path, None if weights is None else Path(weights))
        classifier = cls(**opened.params)
        classifier.weights = None if opened.weights is None else str(opened.weights)
        classifier._take(opened.feature_set, opened.labels, opened.classes, opened.model)
        return classifier

    # Inside

    def _model(self) -> Model:
        if not hasattr(self, "model_"):
            raise NotTrainedError("This ImageClassifier is not fitted yet; call `fit` first.")
        return self.model_

    def _head_settings(self) -> HeadSettings:
        return head_settings(vars(self))

    def _backbone(self) -> Backbone:
        if not isinstance(self.backbone, str):
            return self.backbone
        weights = None if self.weights is None else Path(self.weights)
        return open_backbone(self.backbone, weights, self.features)

    def _looking(self) -> Looking:
        return Looking(self._backbone, self.colour_order, self.n_jobs)

    def _see(self, images: Iterable[object], labels: npt.ArrayLike) -> SeenSamples:
        return self._looking().samples(images, labels, varied=self.head == "linear")
