"""Varying the samples when the worker has nothing better to do, to learn from more than them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.jobs import Job
from edge_classifier.sample_pictures import read_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.dataset import Dataset
    from edge_classifier.frame import Sample
    from edge_classifier.loading import LoadedBackbone
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress, SampleStore
    from edge_classifier.training import HeadSettings
    from edge_classifier.variation import Variation

_log = logging.getLogger(__name__)


class VariationWorker:
    """Varies each sample once; gives way to all else, and what was varied is kept.

    Args:
        store: Where the pictures of samples are read.
        executor: The worker.
        settings: How heads are trained; a dense one learns from no variants.
        unreadable: Pictures that are not tried; those that turn out to be such are added.

    Attributes:
        wanted: Whether to vary what was not at the next `start`.
        job: What the worker does at present.
    """

    def __init__(
        self,
        store: SampleStore,
        executor: Executor,
        settings: HeadSettings,
        unreadable: set[Path],
    ) -> None:
        self._store = store
        self._executor = executor
        self._settings = settings
        self._unreadable = unreadable
        self.wanted = False
        self.job: Job[None] | None = None

    def missing(self, dataset: Dataset, variation: Variation | None) -> list[Sample]:
        """The samples that can be read and were not varied yet."""
        if not variation or self._settings.kind != "linear":
            return []
        missing = variation.missing(dataset.samples)
        return [s for s in missing if s.path not in self._unreadable]

    def start(self, dataset: Dataset, loaded: LoadedBackbone) -> None:
        """Vary what was not, if that is wanted; the worker has to be idle."""
        if not self.wanted:
            return
        self.wanted = False
        samples, variation = self.missing(dataset, loaded.variation), loaded.variation
        if samples and variation:
            self.job = Job(
                "varying the pictures",
                lambda p, c: self._vary(loaded.backbone, variation, samples, p, c),
                self._executor,
            )

    def poll(self) -> bool:
        """Say whether all samples have just been varied.

        Raises:
            CancelledError: when it was stopped.
            EdgeClassifierError: when it failed.
        """
        if not (self.job and self.job.done):
            return False
        job, self.job = self.job, None
        job.result()
        return True

    def abandon(self) -> None:
        """Stop what runs, and take no note of how it ends."""
        if self.job:
            self.job.cancel()
        self.job = None

    def _vary(
        self,
        backbone: Backbone,
        variation: Variation,
        samples: Sequence[Sample],
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        stopped = "Stopped varying the pictures."
        for sample, picture in read_pictures(self._store, samples, progress, cancelled, stopped):
            if isinstance(picture, EdgeClassifierError):
                if not cancelled():  # else it may have been removed, and be put back
                    self._unreadable.add(sample.path)
                _log.warning("%s", picture)
            else:
                variation.keep(sample.image_sha256, backbone.extract(variation.make(picture)))
