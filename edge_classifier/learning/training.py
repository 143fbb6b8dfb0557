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
    from collections.abc import Sequence

    from edge_classifier.learning.head import Head
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import FeatureSet


FEWEST_OF_ONE: Final = 5
"""Pictures of a class that is alone: fewer do not tell how much its next one may differ, and then
nothing tells it from anything else."""


def train(
    feature_set: FeatureSet,
    settings: HeadSettings | None = None,
    *,
    cancelled: Cancelled = never_cancelled,
    progress: Progress = ignore_progress,
) -> Model:
    """Train a head and measure what is unknown to it.

    Of a single class, which always has the score 1, "unknown" is all that is learned.
    Frames that look empty (`empty_frames`) are left out until a person has reviewed them.

    Raises:
        NotEnoughSamplesError: without a class, or with a single one of which nothing can be held
            out.
        CancelledError: if `cancelled`, asked now and then, said so.
    """
    use_one_thread()
    settings = settings or HeadSettings()
    feature_set = without_empty_frames(feature_set)
    if not is_enough(feature_set.counts):
        raise _too_few(feature_set)
    head: Head
    if settings.kind == "linear":
        fitted = fit_linear_head(feature_set, settings.penalty, cancelled)
        head, entropies = calibrated(fitted, feature_set)
    else:
        head, entropies = fit_dense_head(feature_set, settings, cancelled, progress), None
    if cancelled():
        raise CancelledError("Training was cancelled.")
    detector = fit_unknown_detector(feature_set, entropies, head)
    if len(feature_set.class_names) == 1 and detector is None:
        raise _too_few(feature_set)
    progress(1.0)
    return Model(head, detector)


def _too_few(feature_set: FeatureSet) -> NotEnoughSamplesError:
    if not len(feature_set):
        return NotEnoughSamplesError("Training needs samples of a class, there are none.")
    name = next(n for n, c in zip(feature_set.class_names, feature_set.counts, strict=True) if c)
    count = len(feature_set)
    return NotEnoughSamplesError(
        f"A class without others is told from anything else by its own pictures alone: at least "
        f"{FEWEST_OF_ONE} of {name} are needed, there {'is' if count == 1 else 'are'} {count}."
    )


def is_enough(counts: Sequence[int]) -> bool:
    """Say whether so many samples of each class are enough to train on."""
    captured = [count for count in counts if count]
    return len(captured) > 1 or sum(captured) >= FEWEST_OF_ONE


def use_one_thread() -> None:
    """Limit this process's BLAS to one thread, from now on."""
    threadpool_limits(limits=1, user_api="blas")
