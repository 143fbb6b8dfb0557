"""Fitting the dense head: the article's, by Adam, with Keras' initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.verdict import softmax
from edge_classifier.errors import CancelledError
from edge_classifier.learning.head import DenseHead

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet


_ADAM_BETA_1: Final = 0.9
_ADAM_BETA_2: Final = 0.999
_ADAM_EPSILON: Final = 1e-7  # of Keras and TensorFlow.js; the paper (Kingma and Ba) has 1e-8
_TRUNCATED_NORMAL_STD: Final = 0.87962566103423978
"""Standard deviation of a normal truncated at two: Keras' VarianceScaling divides by it."""


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
    while (outside := np.abs(values) > 2.0).any():  # noqa: PLR2004 - standard deviations, by definition
        values[outside] = generator.standard_normal(int(outside.sum()), np.float32)
    values *= np.float32(np.sqrt(1.0 / shape[0]) / _TRUNCATED_NORMAL_STD)
    return values


def fit_dense_head(
    feature_set: FeatureSet, settings: HeadSettings, cancelled: Cancelled, progress: Progress
) -> DenseHead:
    """Train by Adam on shuffled batches, each of a part of the samples.

    Raises:
        CancelledError: if `cancelled` said so, before any batch.
    """
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
