"""How good model and samples are: found out on the worker when it has nothing better to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.evaluation.cross_validation import FOLDS
from edge_classifier.evaluation.quality import PictureQuality, measure_quality
from edge_classifier.evaluation.suspects import Suspect, find_suspects
from edge_classifier.evaluation.validation import Validation, validate
from edge_classifier.features.bulk import read_pictures
from edge_classifier.features.dataset import pick_evenly
from edge_classifier.learning.training import MIN_CLASSES
from edge_classifier.live.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.features.variants import Variation
    from edge_classifier.learning.training import HeadSettings
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


VALIDATION_S: Final = 2.0
"""Seconds of computing that a validation takes at most, about: it costs as much as training each
fold. Where that would be more, samples are thinned out evenly."""

_MOST_VALUES: Final = 2_000_000
"""Features that a validation reads where nobody knows how long training takes."""

_LEAST_OF_A_CLASS: Final = 20
"""Samples; with fewer it would be another task."""


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What a person should look at again.

    Attributes:
        suspects: The worst first.
        dataset: Whose samples were looked through.
    """

    suspects: tuple[Suspect, ...]
    dataset: Dataset


class Assessor:
    """Validates after each training and looks for suspect samples on request.

    Its work gives way: `outdated` stops it, and what was requested is done after the next
    training.

    Args:
        store: Where the pictures of samples are read.
        executor: The worker.
    """

    def __init__(self, store: ProjectStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self._qualities: dict[str, PictureQuality] = {}
        self.validation: Validation | None = None
        self.review: Review | None = None
        self._dataset: Dataset | None = None
        self._validating: Job[Validation | None] | None = None
        self._reviewing: Job[Review] | None = None
        self._review_wanted = False

    @property
    def job(self) -> Job[Validation | None] | Job[Review] | None:
        """What the worker does for it at present."""
        return self._validating or self._reviewing

    def outdated(self) -> None:
        """Take note that samples have changed: nothing that is known holds any longer."""
        self._dataset = self.validation = self.review = None
        if self._validating:
            self._validating.cancel()
        if self._reviewing:
            self._reviewing.cancel()
            self._review_wanted = True
        self._validating = self._reviewing = None

    def trained(
        self,
        dataset: Dataset,
        table: FeatureTable,
        settings: HeadSettings,
        training_s: float | None = None,
        variation: Variation | None = None,
    ) -> None:
        """Validate what was trained on these samples.

        Args:
            dataset: The samples.
            table: Their features.
            settings: How the head was trained.
            training_s: How long that took, in seconds, if it was measured.
            variation: Their variants, if they were learned from.
        """
        self.outdated()
        self._dataset = dataset
        self._validating = Job(
            "validating",
            lambda p, c: _validate(dataset, table, settings, training_s, variation, p, c),
            self._executor,
        )

    def request_review(self) -> None:
        """Look for suspect samples as soon as the worker has validated."""
        self._review_wanted = self._reviewing is None

    def cancel_review(self) -> None:
        """Take the request back, and stop looking."""
        self._review_wanted = False
        if self._reviewing:
            self._reviewing.cancel()

    def poll(self) -> None:
        """Take over what the worker has finished, and start what was requested.

        Raises:
            EdgeClassifierError: when validating or looking failed.
        """
        if self._validating and self._validating.done:
            validating, self._validating = self._validating, None
            try:
                self.validation = validating.result()
            except CancelledError:
                return
        if self._reviewing and self._reviewing.done:
            reviewing, self._reviewing = self._reviewing, None
            try:
                self.review = reviewing.result()
            except CancelledError:
                return
        if self._review_wanted and self._dataset and not self.job:
            self._review_wanted = False
            dataset, validation = self._dataset, self.validation
            self._reviewing = Job(
                "looking for suspect pictures",
                lambda p, c: self._look_through(dataset, validation, p, c),
                self._executor,
            )

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        self.outdated()

    def _look_through(
        self,
        dataset: Dataset,
        validation: Validation | None,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Review:
        qualities = self._measure(dataset, progress, cancelled)
        doubtful = validation.doubtful if validation else ()
        return Review(find_suspects(dataset.samples, qualities, doubtful), dataset)

    def _measure(
        self, dataset: Dataset, progress: Progress, cancelled: Cancelled
    ) -> Mapping[str, PictureQuality]:
        """Measure pictures that were not measured before."""
        missing = [s for s in dataset.samples if s.image_sha256 not in self._qualities]
        stopped = "Stopped looking for suspect pictures."
        for sample, picture in read_pictures(self._store, missing, progress, cancelled, stopped):
            # The learner, which needs the picture, is who reports one that cannot be read.
            if not isinstance(picture, EdgeClassifierError):
                self._qualities[sample.image_sha256] = measure_quality(picture)
        return self._qualities


def _validate(
    dataset: Dataset,
    table: FeatureTable,
    settings: HeadSettings,
    training_s: float | None,
    variation: Variation | None,
    progress: Progress,
    cancelled: Cancelled,
) -> Validation | None:
    """Validate on as many of the known samples as time allows.

    Returns:
        `None` where there is nothing to tell apart.
    """
    known = [s for s in dataset.samples if s.image_sha256 in table]
    ids = {name: n for n, name in enumerate(dataset.class_names)}
    class_ids = np.array([ids[s.class_name] for s in known], np.int64)
    part = _affordable(len(known) * table.feature_dim, training_s)
    if part < 1.0:
        counts = np.bincount(class_ids, minlength=len(ids))
        most = np.maximum(np.ceil(counts * part).astype(np.int64), _LEAST_OF_A_CLASS)
        known = [known[n] for n in pick_evenly(class_ids, most)]
    variants = variation.of(known) if variation else None
    features = table.take([s.image_sha256 for s in known])
    feature_set = dataset.labelled(known, features, variants)
    if len(feature_set.class_names) < MIN_CLASSES:
        return None
    return validate(known, feature_set, settings, cancelled=cancelled, progress=progress)


def _affordable(values: int, training_s: float | None) -> float:
    """Say which part of the samples can be validated on in good time.

    Args:
        values: Of all features.
        training_s: How long one training on them took, in seconds, or `None`.
    """
    if training_s is None:
        return _MOST_VALUES / max(1, values)
    return VALIDATION_S / max(1e-9, FOLDS * training_s)
