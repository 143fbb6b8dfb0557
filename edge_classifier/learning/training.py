"""Training a head on features: no images, no files, no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from threadpoolctl import threadpool_limits

from edge_classifier.errors import CancelledError, NotEnoughSamplesError
from edge_classifier.learning.calibration import calibrated
from edge_classifier.learning.dense import fit_dense_head
from edge_classifier.learning.empty_frames import without_empty_frames
from edge_classifier.learning.linear import fit_linear_head
from edge_classifier.learning.model import Model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.unknown import fit_unknown_detector
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from edge_classifier.learning.head import Head
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet


MIN_CLASSES: Final = 2
"""One class cannot be told from anything."""


def train(
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    cancelled: Cancelled = never_cancelled,
    progress: Progress = ignore_progress,
) -> Model:
    """Train a head and measure what is unknown to it.

    Frames that look empty (`empty_frames`) are left out until a person has reviewed them.

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
        CancelledError: if `cancelled`, asked now and then, said so.
    """
    use_one_thread()
    settings = settings or HeadSettings()
    classes = len(feature_set.class_names)
    if classes < MIN_CLASSES:
        raise NotEnoughSamplesError(
            f"Training needs samples of at least {MIN_CLASSES} classes, there are {classes}."
        )
    feature_set = without_empty_frames(feature_set)
    head: Head
    if settings.kind == "linear":
        fitted = fit_linear_head(feature_set, settings.penalty, cancelled)
        head, entropies = calibrated(fitted, feature_set)
    else:
        head, entropies = fit_dense_head(feature_set, settings, cancelled, progress), None
    if cancelled():
        raise CancelledError("Training was cancelled.")
    detector = fit_unknown_detector(feature_set, entropies, head)
    progress(1.0)
    return Model(head, detector)


def use_one_thread() -> None:
    """Limit this process's BLAS to one thread, from now on."""
    threadpool_limits(limits=1, user_api="blas")
