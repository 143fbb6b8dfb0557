"""`ImageClassifier`: learns, answers, and keeps what it learned."""

from __future__ import annotations

import functools
from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.adapters.backbone import load_backbone
from edge_classifier.adapters.bulk import compute_all
from edge_classifier.adapters.classifier_file import (
    SavedClassifier,
    load_classifier,
    save_classifier,
)
from edge_classifier.adapters.project_folder import is_project
from edge_classifier.adapters.variants import make_variants
from edge_classifier.adapters.weights import hash_of
from edge_classifier.api.estimator import Estimator
from edge_classifier.api.images import ColourOrder, as_image
from edge_classifier.api.samples import (
    bursts_of,
    checked_labels,
    classes_of,
    joined_variants,
    labelled,
    read_project,
)
from edge_classifier.errors import (
    BackboneMismatchError,
    InvalidValueError,
    NotTrainedError,
    ProjectFormatError,
)
from edge_classifier.frame import VARIANTS, Variants
from edge_classifier.training import HeadSettings, train
from edge_classifier.variation import MOST_VARIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt
    from typing_extensions import Self

    from edge_classifier.frame import FeatureKind, Features, FeatureSet, Prediction
    from edge_classifier.head import HeadKind
    from edge_classifier.model import Model
    from edge_classifier.protocols import Backbone


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
        features, variants, checked = self._samples(images, labels)
        bursts = bursts_of(groups, len(checked), 0)
        self._learn(labelled(features, checked, bursts, variants), checked, settings)
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
        features, variants, checked = self._samples(images, labels)
        known = self.feature_set_
        if known.features.shape[1] != features.shape[1]:
            raise BackboneMismatchError(
                f"Expected features of the same backbone as before ({known.features.shape[1]} per "
                f"picture), received {features.shape[1]}; `fit` starts anew."
            )
        if (checked.dtype.kind == "U") != (self.labels_.dtype.kind == "U"):
            raise InvalidValueError(
                f"Expected labels of the same type as before, {self.labels_.dtype}, "
                f"received {checked.dtype}."
            )
        bursts = bursts_of(groups, len(checked), len(known))
        all_labels = np.concatenate([self.labels_, checked])
        all_features = np.concatenate([known.features, features])
        all_bursts = np.concatenate([known.burst_ids, bursts])
        all_variants = joined_variants(known, variants, len(all_labels))
        self._learn(
            labelled(all_features, all_labels, all_bursts, all_variants), all_labels, settings
        )
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
        for row in self._rows(images):
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
        return model.head.scores(self._extract(images))

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
        identity = {
            "name": info.name,
            "feature_kind": info.feature_kind,
            "weights_sha256": info.weights_sha256,
        }
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
            loaded._check_params()
        except InvalidValueError as error:
            raise ProjectFormatError(
                f"{path} is no classifier that can be read ({error}); save it again."
            ) from error
        if weights is not None:
            loaded.weights = weights
        loaded._check_weights(path, saved.backbone["weights_sha256"])
        info = loaded._backbone().info
        if info.weights_sha256 != saved.backbone["weights_sha256"]:
            raise BackboneMismatchError(
                f"{path} was trained with other weights of {info.name} "
                f"({saved.backbone['weights_sha256'][:12]}, here {info.weights_sha256[:12]}); "
                "pass the file of those as `weights`."
            )
        if info.feature_dim != saved.model.head.feature_dim:
            raise ProjectFormatError(
                f"{path} holds features of another kind than {info.name} gives; save it again."
            )
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

    def _check_params(self) -> None:
        """Refuse hyperparameters from a file that no `save` has written.

        Raises:
            InvalidValueError: naming the first one.
        """
        texts = ("backbone", "features", "head", "colour_order")
        for name in (*texts, *(("weights",) if self.weights is not None else ())):
            if not isinstance(getattr(self, name), str):
                raise InvalidValueError(f"Expected text for {name}.")
        if self.features not in ("pooled", "spatial"):
            raise InvalidValueError(f"Expected features pooled or spatial, not {self.features!r}.")
        if not isinstance(self.n_jobs, (int, type(None))):
            raise InvalidValueError("Expected a whole number for n_jobs.")
        try:
            self._head_settings()
        except TypeError as error:
            raise InvalidValueError(f"Expected numbers for the head: {error}.") from error

    def _check_weights(self, path: Path, sha256: str) -> None:
        """Look at the weights file before anything opens it: the saved classifier names its hash.

        Raises:
            BackboneMismatchError: if it is another one.
        """
        if self.weights is None:
            return
        found = hash_of(Path(self.weights))
        if found != sha256:
            raise BackboneMismatchError(
                f"{path} was trained with the weights {sha256[:12]}, {self.weights} is "
                f"{found[:12]}; pass the file of those as `weights`."
            )

    def _head_settings(self) -> HeadSettings:
        return HeadSettings(
            kind=self.head,
            penalty=self.penalty,
            units=self.units,
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            batch_fraction=self.batch_fraction,
            seed=self.random_state,
        )

    def _backbone(self) -> Backbone:
        if not isinstance(self.backbone, str):
            return self.backbone
        weights = None if self.weights is None else Path(self.weights)
        return _open_backbone(self.backbone, weights, self.features)

    def _rows(self, images: Iterable[object], *, varied: bool = False) -> Iterator[Features]:
        """Compute the features of one picture after the other.

        Args:
            images: Pictures.
            varied: Whether to vary them.

        Yields:
            `(D,)`, or `(1 + VARIANTS, D)` of a picture and its variants.
        """
        if self.colour_order not in ("rgb", "bgr"):
            raise InvalidValueError(
                f"Expected colour order 'rgb' or 'bgr', received {self.colour_order!r}."
            )
        if isinstance(images, (str, Path)):
            raise InvalidValueError(
                f"Expected several pictures, received the one path {images}; put it in a list."
            )
        extract = self._backbone().extract
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

    def _extract(self, images: Iterable[object]) -> Features:
        rows = list(self._rows(images))
        if not rows:
            return np.empty((0, self._backbone().info.feature_dim), np.float32)
        return np.stack(rows)

    def _samples(
        self, images: Iterable[object], labels: npt.ArrayLike
    ) -> tuple[Features, Variants | None, npt.NDArray[Any]]:
        # The labels first: looking at the pictures takes long.
        count = len(images) if isinstance(images, Sized) else None
        checked = checked_labels(labels, count)
        if self.head != "linear" or len(checked) > MOST_VARIED:
            features = self._extract(images)
            return features, None, checked_labels(labels, len(features))
        rows = [*self._rows(images, varied=True)]
        checked = checked_labels(labels, len(rows))
        dim = self._backbone().info.feature_dim
        together = np.reshape(np.array(rows, np.float32), (len(rows), 1 + VARIANTS, dim))
        own = np.repeat(np.arange(len(rows), dtype=np.int64), VARIANTS)
        variants = Variants(together[:, 1:].reshape(-1, dim), own)
        return np.ascontiguousarray(together[:, 0]), variants, checked


@functools.lru_cache(maxsize=4)
def _open_backbone(name: str, weights: Path | None, features: FeatureKind) -> Backbone:
    """Open a backbone once for all classifiers of this process."""
    return load_backbone(name, weights=weights, feature_kind=features)
