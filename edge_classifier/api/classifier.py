"""`ImageClassifier`: learns, answers, and keeps what it learned."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.api.adapting import AdaptableEstimator
from edge_classifier.api.classifier_file import (
    SavedClassifier,
    check_backbone,
    identity_of,
    load_classifier,
    save_classifier,
)
from edge_classifier.api.estimator import head_settings_of
from edge_classifier.api.samples import checked_labels, classes_of, grouped, in_bursts, joined
from edge_classifier.errors import InvalidValueError
from edge_classifier.features.strangers import Strangers
from edge_classifier.features.variants import MOST_VARIED
from edge_classifier.learning.empty_frames import shown_classes
from edge_classifier.learning.training import train
from edge_classifier.progress import shown
from edge_classifier.project.folder import is_project
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from typing_extensions import Self

    from edge_classifier.api.extraction import ColourOrder
    from edge_classifier.learning.head import HeadKind
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Backbone, Progress
    from edge_classifier.values import FeatureKind, Features, FeatureSet

_EXTRACTED: Final = 0.9
"""A part of the whole, for whoever is told the progress."""


class ImageClassifier(AdaptableEstimator):
    """Tells pictures apart after some samples of each class.

    A picture is the path of a file, a PIL image, or a uint8 array: `(H, W)` grey, `(H, W, 3)`
    colour or `(H, W, 4)` with alpha. **Arrays are RGB**, as PIL, scikit-image and matplotlib have
    them; for OpenCV's arrays pass `colour_order="bgr"`. Several pictures are any iterable of
    these, also mixed, or one array `(N, H, W, 3)`.

    `InvalidImageError` is raised for a picture that cannot be read, `NotTrainedError` by what
    needs `fit` first.

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
        model_: The trained head with its measure of unknown, a `Model`; adapted, if `adapt` was
            called.
        adaptation_: What `adapt` has changed, an `Adaptation` (`str` of it is one line for the
            user), or `None`.
        left_out_: `(N,)` bool, samples at the ends of groups that nothing was learned from: they
            show the empty scene, or another class.
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
        *,
        progress: bool | Progress = False,
    ) -> Self:
        """Learn from labelled pictures; what was learned before is forgotten.

        Args:
            images: N pictures.
            labels: `(N,)`, all of them text, or all whole numbers, or all booleans. A single class
                is told from anything else: see `is_unknown`.
            groups: `(N,)` which pictures are of one burst and resemble each other, as frames of
                a video do, in their order. If `None`, frames of one recording are found by how
                alike they are, and every other picture is a burst of its own; `range(N)` makes
                each of them one. Frames at the ends of a burst that look empty are not learned
                from: see `left_out_`.
            progress: Whether to show on standard error how far the work is; or a callback that
                takes the part done, 0.0 to 1.0, and, where that has changed, what is being done.

        Raises:
            InvalidValueError: if the numbers of pictures and labels differ, labels are of several
                types or of another one, or a hyperparameter is out of its range.
            NotEnoughSamplesError: without a picture, or with fewer than five of a single class.
            BackboneError: if the backbone cannot be had.
        """
        settings = head_settings_of(vars(self))
        before, self._weights_sha256 = self._weights_sha256, None
        try:
            with shown(progress, "computing features") as told:
                self._learn(*self._samples(images, labels, groups, told), settings, told)
        except BaseException:
            self._weights_sha256 = before
            raise
        return self

    def partial_fit(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        classes: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        *,
        progress: bool | Progress = False,
    ) -> Self:
        """Learn from more pictures; adds to what was learned before, and replaces nothing.

        New classes may come at any time. The head is trained on all samples anew, so the order
        of the calls does not matter.

        Args:
            images: N pictures.
            labels: As with `fit`.
            classes: Not needed; scikit-learn's tools pass it.
            groups: As with `fit`; the same group in two calls is the same burst, and without
                groups recordings are found among the pictures of all calls.
            progress: As with `fit`.

        Raises:
            InvalidValueError: as `fit` does, or if the labels are of another type than before.
        """
        del classes
        if not hasattr(self, "model_"):
            return self.fit(images, labels, groups, progress=progress)
        settings = head_settings_of(vars(self))
        with shown(progress, "computing features") as told:
            added = self._samples(images, labels, groups, told)
            everything = joined(self.feature_set_, self.labels_, *added)
            self._learn(*everything, settings, told, self._frames)
        return self

    def _learn(
        self,
        feature_set: FeatureSet,
        labels: npt.NDArray[Any],
        settings: HeadSettings,
        progress: Progress,
        frames: Features | None = None,
    ) -> None:
        """Train, and only then take over: a failure leaves what was learned before."""
        progress(_EXTRACTED, "training")
        feature_set = replace(
            in_bursts(feature_set), strangers=Strangers(self._backbone()).features()
        )
        model = train(feature_set, settings, progress=part_of(progress, _EXTRACTED, 1.0))
        self._take(feature_set, labels, model)
        self._answer_by(model, frames)

    def _take(self, feature_set: FeatureSet, labels: npt.NDArray[Any], model: Model) -> None:
        self.feature_set_ = feature_set
        self.labels_ = labels
        self.classes_ = classes_of(labels, model.class_names)

    @property
    def left_out_(self) -> npt.NDArray[np.bool_]:
        """Say which samples nothing was learned from, `(N,)`."""
        self._model()
        feature_set = self.feature_set_
        return np.asarray(shown_classes(feature_set) != feature_set.class_ids)

    # Answering

    def predict_proba(self, images: Iterable[object]) -> npt.NDArray[np.float32]:
        """Compute the scores of N pictures.

        Returns:
            `(N, C)` float32 in the order of `classes_`, each row summing to 1.
        """
        model, extractor = self._answering()
        return model.head.scores(extractor.features(images)[0])

    def predict(self, images: Iterable[object]) -> npt.NDArray[Any]:
        """Name the class of each of N pictures.

        Returns:
            `(N,)` labels, of the type that was fitted. A picture that resembles no class gets
            the nearest one all the same; `is_unknown` tells which those are.
        """
        scores = self.predict_proba(images)
        labels: npt.NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return labels

    def is_unknown(self, images: Iterable[object]) -> npt.NDArray[np.bool_]:
        """Say of each of N pictures whether it resembles none of the classes, `(N,)` bool."""
        return np.array([p.unknown for p in self.predictions(images)], np.bool_)

    def score(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> float:
        """Measure the accuracy: the part of N pictures that is answered right, in [0, 1].

        With a single class "unknown" is the right answer for pictures of any other label.

        Args:
            images: N pictures.
            labels: `(N,)` what they show.
            sample_weight: `(N,)` how much each counts; the same if `None`.
        """
        if len(self._model().class_names) == 1:
            unknown = self.is_unknown(images)
            one = checked_labels(labels, len(unknown), self.classes_) == self.classes_[0]
            right = one ^ unknown
        else:
            predicted = self.predict(images)
            right = predicted == checked_labels(labels, len(predicted), self.classes_)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float(np.average(right, weights=weights))

    # Keeping

    def save(self, path: str | Path) -> None:
        """Write all that was learned to one file, to `load` it and go on from there.

        Args:
            path: The file, commonly `….npz`; replaced whole or not at all.

        Raises:
            InvalidValueError: if the backbone is an object of one's own.
            ProjectError: if it cannot be written.
        """
        model = self._model()
        if not isinstance(self.backbone, str):
            raise InvalidValueError("A classifier with a backbone of one's own cannot be saved.")
        info = self._backbone().info
        params = self.get_params() | {"backbone": info.name}
        params["weights"] = None if self.weights is None else str(self.weights)
        known = (params, identity_of(info), self.labels_, self.feature_set_)
        saved = SavedClassifier(*known, model.taught, self._frames)
        save_classifier(Path(path), saved)

    def export(
        self,
        folder: str | Path,
        images: Iterable[object],
        labels: npt.ArrayLike | None = None,
        *,
        formats: str = "float32",
        progress: bool | Progress = False,
    ) -> Path:
        """Write a folder that runs on a Raspberry Pi, proven equal to this classifier.

        Args:
            folder: The bundle's folder; a bundle that is there is replaced.
            images: Some dozens of pictures of all classes, commonly those that were fitted:
                quantisation is calibrated, and every file verified, on them.
            labels: What they show; what is predicted of them if `None`.
            formats: `float32`, `dynamic`, `float16`, `int8`, `all` or `auto`, as `edge-classifier
                export` takes them.
            progress: As with `fit`.

        Returns:
            The bundle's folder.

        Raises:
            ExportError: if it cannot be written, or is not the same classifier.
        """
        from edge_classifier.api.projects import export_with  # noqa: PLC0415 - most programs never export

        with shown(progress, "reading pictures") as told:
            return export_with(
                images,
                labels,
                self._model(),
                self._backbone(),
                colour_order=self.colour_order,
                folder=Path(folder),
                formats=formats,
                progress=told,
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
        path, given = Path(path), None if weights is None else Path(weights)
        if path.is_dir() and is_project(path):
            from edge_classifier.api.projects import read_project  # noqa: PLC0415 - likewise

            saved = read_project(path, given)
        else:
            saved = load_classifier(path, cls().get_params(), given)
        loaded = cls(**saved.params)
        weights_sha256 = saved.backbone["weights_sha256"]
        check_backbone(path, loaded._opened(weights_sha256).info, saved)
        loaded._weights_sha256 = weights_sha256
        loaded._take(saved.feature_set, saved.labels, saved.model)
        loaded._answer_by(saved.model, saved.frames)
        return loaded

    # Inside

    def _samples(
        self,
        images: Iterable[object],
        labels: npt.ArrayLike,
        groups: npt.ArrayLike | None,
        progress: Progress,
    ) -> tuple[FeatureSet, npt.NDArray[Any]]:
        """Compute the features of labelled pictures."""
        # The labels first: computing features takes long.
        checked = checked_labels(labels, len(images) if isinstance(images, Sized) else None)
        progress(0.0, "computing features")
        features, variants = self._extractor().features(
            images,
            varied=self.head == "linear" and len(checked) <= MOST_VARIED,
            told=lambda done: progress(_EXTRACTED * min(1.0, done / max(1, len(checked)))),
        )
        checked = checked_labels(labels, len(features))
        return grouped(features, checked, groups, variants), checked
