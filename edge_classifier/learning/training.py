"""Training a head on features: no images, no files, no TensorFlow."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from edge_classifier.errors import CancelledError, InvalidValueError, NotEnoughSamplesError
from edge_classifier.learning.calibration import calibrated
from edge_classifier.learning.head import DenseHead, HeadKind, LinearHead, softmax
from edge_classifier.learning.linear import fit_linear_head
from edge_classifier.learning.model import Model
from edge_classifier.learning.unknown import fit_unknown_detector

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet


def use_one_thread() -> None:
    """Limit this process's BLAS to one thread, from now on."""
    threadpool_limits(limits=1, user_api="blas")


MIN_CLASSES: Final = 2
"""One class cannot be told from anything."""

_MAX_UNITS: Final = 4096
_MAX_EPOCHS: Final = 100_000
"""Settings come from files, too; more would only keep a machine busy."""

_RECIPE: Final = 2
"""Raise it where the same samples and settings give a better model: those that were trained
before are then trained again."""

_ADAM_BETA_1: Final = 0.9
_ADAM_BETA_2: Final = 0.999
_ADAM_EPSILON: Final = 1e-7  # of Keras and TensorFlow.js; the paper (Kingma and Ba) has 1e-8
_TRUNCATED_NORMAL_STD: Final = 0.87962566103423978
"""Standard deviation of a normal truncated at two: Keras' VarianceScaling divides by it."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """How a head is trained.

    Attributes:
        kind: `linear` is a softmax on L2-normalised features, see `linear`; `dense`
            is the article's Dense relu → softmax, trained by Adam.
        penalty: `linear` only: weight of the squared weights beside the mean cross-entropy.
            Smaller makes surer scores.
        units: `dense` only: size of the hidden layer.
        learning_rate: `dense` only: of Adam.
        epochs: `dense` only.
        batch_fraction: `dense` only: batch size as a part of all samples, in (0, 1].
        seed: `dense` only: of initial weights and of the order of samples.
    """

    kind: HeadKind = "linear"
    penalty: float = 1e-4
    units: int = 100
    learning_rate: float = 1e-4
    epochs: int = 20
    batch_fraction: float = 0.4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("linear", "dense"):
            raise InvalidValueError(f"Expected head 'linear' or 'dense', received {self.kind!r}.")
        for name in ("penalty", "units", "learning_rate", "epochs"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(
                    f"Expected a positive {name.replace('_', ' ')}, received {getattr(self, name)}."
                )
        for name, most in (("units", _MAX_UNITS), ("epochs", _MAX_EPOCHS)):
            value = getattr(self, name)
            if value > most or value != int(value):
                raise InvalidValueError(
                    f"Expected a whole number of {name} up to {most:,}, received {value}."
                )
        if not 0 < self.batch_fraction <= 1:
            raise InvalidValueError(
                f"Expected a batch fraction in (0, 1], received {self.batch_fraction}."
            )


def trained_on(fingerprint: str, settings: HeadSettings) -> str:
    """Return what tells whether a model has to be trained again.

    Args:
        fingerprint: `Dataset.fingerprint` of the samples; the result begins with it.
        settings: How the head was trained.
    """
    how = hashlib.sha256(f"{_RECIPE} {settings!r}".encode())
    return f"{fingerprint}-{how.hexdigest()[:16]}"


def _never() -> bool:
    return False


def _ignore(_done: float, _what: str | None = None) -> None:
    pass


def train(
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    cancelled: Cancelled = _never,
    progress: Progress = _ignore,
) -> Model:
    """Train a head and measure what is unknown to it.

    Args:
        feature_set: Samples of at least two classes.
        settings: Which head, and how.
        cancelled: Is asked now and then whether to stop.
        progress: Is told the part done, 0.0 to 1.0.

    Returns:
        The model.

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
        CancelledError: if `cancelled` said so.
    """
    use_one_thread()
    settings = settings or HeadSettings()
    classes = len(feature_set.class_names)
    if classes < MIN_CLASSES:
        raise NotEnoughSamplesError(
            f"Training needs samples of at least {MIN_CLASSES} classes, there are {classes}."
        )
    if settings.kind == "linear":
        fitted = fit_linear_head(feature_set, settings.penalty, cancelled)
        head: LinearHead | DenseHead
        head, entropies = calibrated(fitted, feature_set)
    else:
        head, entropies = _train_dense(feature_set, settings, cancelled, progress), None
    if cancelled():
        raise CancelledError("Training was cancelled.")
    detector = fit_unknown_detector(feature_set, entropies)
    progress(1.0)
    return Model(head, detector)


class _Adam:
    """Adam (Kingma and Ba, ICLR 2015) over a list of arrays, changed in place."""

    def __init__(self, parameters: list[npt.NDArray[np.float32]], learning_rate: float) -> None:
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._means = [np.zeros_like(p) for p in parameters]
        self._squares = [np.zeros_like(p) for p in parameters]
        self._steps = 0

    def step(self, slopes: list[npt.NDArray[np.float32]]) -> None:
        self._steps += 1
        rate = self._learning_rate * (
            np.sqrt(1 - _ADAM_BETA_2**self._steps) / (1 - _ADAM_BETA_1**self._steps)
        )
        for parameter, slope, mean, square in zip(
            self._parameters, slopes, self._means, self._squares, strict=True
        ):
            _move_towards(mean, slope, 1 - _ADAM_BETA_1)
            _move_towards(square, slope * slope, 1 - _ADAM_BETA_2)
            change = np.float32(rate) * mean / (np.sqrt(square) + np.float32(_ADAM_EPSILON))
            np.subtract(parameter, change, out=parameter)


def _move_towards(
    average: npt.NDArray[np.float32], value: npt.NDArray[np.float32], weight: float
) -> None:
    np.add(average, np.float32(weight) * (value - average), out=average)


def _variance_scaling(
    generator: np.random.Generator, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Draw as Keras' VarianceScaling does: truncated normal of variance 1 / fan in."""
    values = generator.standard_normal(shape, np.float32)
    outside = np.abs(values) > 2.0  # noqa: PLR2004 - two standard deviations, by definition
    while outside.any():
        values[outside] = generator.standard_normal(int(outside.sum()), np.float32)
        outside = np.abs(values) > 2.0  # noqa: PLR2004 - as above
    scaled: npt.NDArray[np.float32] = values * np.float32(
        np.sqrt(1.0 / shape[0]) / _TRUNCATED_NORMAL_STD
    )
    return scaled


def _train_dense(
    feature_set: FeatureSet, settings: HeadSettings, cancelled: Cancelled, progress: Progress
) -> DenseHead:
    """Train the article's head: Adam on shuffled batches of a part of the samples."""
    generator = np.random.default_rng(settings.seed)
    features = feature_set.features
    samples, dim = features.shape
    classes = len(feature_set.class_names)
    parameters = [
        _variance_scaling(generator, (dim, settings.units)),
        np.zeros(settings.units, np.float32),
        _variance_scaling(generator, (settings.units, classes)),
    ]
    targets = np.eye(classes, dtype=np.float32)[feature_set.class_ids]
    adam = _Adam(parameters, settings.learning_rate)
    batch = max(1, int(settings.batch_fraction * samples))
    for epoch in range(settings.epochs):
        order = generator.permutation(samples)
        for start in range(0, samples, batch):
            if cancelled():
                raise CancelledError("Training was cancelled.")
            chosen = order[start : start + batch]
            adam.step(_dense_slopes(parameters, features[chosen], targets[chosen]))
        progress((epoch + 1) / settings.epochs)
    return DenseHead(feature_set.class_names, *parameters)


def _dense_slopes(
    parameters: list[npt.NDArray[np.float32]],
    features: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
) -> list[npt.NDArray[np.float32]]:
    """Back-propagate the mean cross-entropy of one batch through both layers."""
    hidden_weights, hidden_bias, weights = parameters
    hidden = np.maximum(features @ hidden_weights + hidden_bias, np.float32(0))
    residual = (softmax(hidden @ weights) - targets) / np.float32(len(features))
    hidden_slope = (residual @ weights.T) * (hidden > 0)
    return [features.T @ hidden_slope, hidden_slope.sum(axis=0), hidden.T @ residual]


def head_settings(store: ProjectStore, changes: dict[str, Any]) -> HeadSettings:
    """Return the project's head settings with changes from the command line, and keep them.

    They are not kept in a project that is open read-only.

    Args:
        store: The project.
        changes: Fields of `HeadSettings`; `None` leaves a field as it is.

    Raises:
        InvalidValueError: if a value is out of its range.
    """
    known = {field.name for field in fields(HeadSettings)}
    stored = store.settings.get("head", {})
    values = {name: value for name, value in stored.items() if name in known}
    values.update({name: value for name, value in changes.items() if value is not None})
    try:
        settings = HeadSettings(**values)
    except TypeError as error:
        raise InvalidValueError(
            f"The head settings in {store.name}/project.json cannot be used: {error}."
        ) from error
    changed = asdict(settings) != stored and (stored or settings != HeadSettings())
    if changed and not store.read_only:
        store.update_settings(head=asdict(settings))
    return settings
