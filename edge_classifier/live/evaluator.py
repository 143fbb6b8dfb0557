"""How good model and samples are: found out on the worker when it has nothing better to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.evaluation.cross_validation import FOLDS
from edge_classifier.evaluation.quality import PictureQuality, measure_quality
from edge_classifier.evaluation.suspects import Suspect, find_suspects
from edge_classifier.evaluation.validation import Validation, validate
from edge_classifier.features.bulk import read_pictures
from edge_classifier.languages.text import Text
from edge_classifier.learning.recordings import with_recordings
from edge_classifier.learning.training import is_enough
from edge_classifier.live.jobs import Stage

if TYPE_CHECKING:
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.live.jobs import Job
    from edge_classifier.protocols import Cancelled, Executor, Progress


VALIDATION_S: Final = 2.0
"""Seconds of computing that a validation takes at most, about: it costs as much as training each
fold. Where that would be more, samples are thinned out evenly."""

_MOST_VALUES: Final = 2_000_000
"""Features that a validation reads where nobody knows how long training takes."""

_LEAST_OF_A_CLASS: Final = 20
"""Samples; with fewer it would be another task."""


class Evaluator:
    """Validates after each training and looks for suspect samples on request.

    Its work gives way: `outdated` stops it, and what was requested is done after the next
    training.

    Attributes:
        validation: How good the model is, or `None` before that is known.
        suspects: What a person should look at again, the worst first; `None` before that was
            requested and found.
        stages: Its work on the worker.
    """

    def __init__(self, executor: Executor) -> None:
        self._qualities: dict[str, PictureQuality] = {}
        self.validation: Validation | None = None
        self.suspects: tuple[Suspect, ...] | None = None
        self._dataset: Dataset | None = None
        self._validating: Stage[Validation | None] = Stage(executor)
        self._searching: Stage[tuple[Suspect, ...]] = Stage(executor)
        self.stages = (self._validating, self._searching)

    @property
    def job(self) -> Job[Validation | None] | Job[tuple[Suspect, ...]] | None:
        """What the worker does for it at present."""
        return self._validating.job or self._searching.job

    def outdated(self) -> None:
        """Take note that samples have changed: nothing that is known holds any longer."""
        self._dataset = self.validation = self.suspects = None
        self._validating.abandon()
        self._searching.restart()

    def trained(
        self,
        dataset: Dataset,
        table: FeatureTable,
        settings: HeadSettings,
        training_s: float | None = None,
        loaded: LoadedBackbone | None = None,
    ) -> None:
        """Validate what was trained on these samples; with what was computed of them, if given.

        `training_s` is how long one training took, in seconds, if that was measured.
        """
        self.outdated()
        self._dataset = dataset
        self._validating.begin(
            Text("checking how good it is"),
            lambda p, c: _validate(dataset, table, settings, training_s, loaded, p, c),
        )

    def request_suspects(self) -> None:
        """Look for suspect samples as soon as the worker has validated."""
        self._searching.wanted = self._searching.job is None

    def cancel_suspects(self) -> None:
        """Take the request back, and stop looking."""
        self._searching.wanted = False
        self._searching.cancel()

    def poll(self) -> None:
        """Take over what the worker has finished, and start what was requested.

        Raises:
            EdgeClassifierError: when validating or looking failed.
        """
        self.validation = self._validating.poll() or self.validation
        suspects = self._searching.poll()
        if suspects is not None:
            self.suspects = suspects
        if self._searching.wanted and self._dataset and not self.job:
            dataset, found = self._dataset, self.validation
            doubtful = (*found.doubtful, *found.left_out) if found else ()

            def search(progress: Progress, cancelled: Cancelled) -> tuple[Suspect, ...]:
                self._measure(dataset, progress, cancelled)
                return find_suspects(dataset.samples, self._qualities, doubtful, dataset.reviewed)

            self._searching.begin(Text("looking for pictures that look wrong"), search)

    def _measure(self, dataset: Dataset, progress: Progress, cancelled: Cancelled) -> None:
        """Measure pictures that were not measured before."""
        missing = [s for s in dataset.samples if s.image_sha256 not in self._qualities]
        stopped = Text("Stopped looking for pictures that look wrong.")
        for sample, picture in read_pictures(missing, progress, cancelled, stopped):
            # The learner, which needs the picture, is who reports one that cannot be read.
            if not isinstance(picture, EdgeClassifierError):
                self._qualities[sample.image_sha256] = measure_quality(picture)


def _validate(
    dataset: Dataset,
    table: FeatureTable,
    settings: HeadSettings,
    training_s: float | None,
    loaded: LoadedBackbone | None,
    progress: Progress,
    cancelled: Cancelled,
) -> Validation | None:
    """Validate on as many of the known samples as time allows; `None` with too few.

    Where nobody knows how long a training takes, the number of features decides.
    """
    known = [s for s in dataset.samples if s.image_sha256 in table]
    features = table.take([s.image_sha256 for s in known])
    if strangers := loaded.strangers if loaded else None:
        strangers.features(cancelled)
    feature_set = dataset.labelled(known, features, strangers=strangers)
    if not is_enough(feature_set.counts):
        return None
    if settings.bursts == "found":  # among all, since what is thinned out has other neighbours
        feature_set = with_recordings(feature_set)
    if training_s is None:
        part = _MOST_VALUES / max(1, len(known) * table.feature_dim)
    else:
        part = VALIDATION_S / max(1e-9, FOLDS * training_s)
    if part < 1.0:
        most = np.ceil(np.array(feature_set.counts) * part).astype(np.int64)
        rows = pick_evenly(feature_set.class_ids, np.maximum(most, _LEAST_OF_A_CLASS))
        known, feature_set = [known[n] for n in rows], feature_set.subset(rows)
    if loaded and loaded.variation:
        feature_set = replace(feature_set, variants=loaded.variation.of(known))
    return validate(known, feature_set, settings, cancelled=cancelled, progress=progress)
