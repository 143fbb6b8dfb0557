"""The features of the samples: kept in memory and on disk, computed where they are missing."""

from __future__ import annotations

import logging
import queue
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.features.bulk import read_pictures
from edge_classifier.live.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.features.cache import FileFeatureCache
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.features.variants import Variation
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.training import HeadSettings
    from edge_classifier.live.loading import Ready
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import (
        Backbone,
        Cancelled,
        Executor,
        Progress,
    )
    from edge_classifier.values import Features, Sample

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
        store: ProjectStore,
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


_SPARE_FEATURES: Final = 256
"""Features of removed samples that are kept, beside as many as there are samples: what was just
undone may be put back, but memory must not grow with all that was ever recorded."""

_TAKEN_PER_STEP: Final = 8
"""Computed features that one step of the loop takes over; more would delay its frame."""


class FeatureWorker:
    """Keeps the features of a project's samples complete.

    Args:
        store: Where the pictures of samples are read.
        executor: The worker.

    Attributes:
        table: What is known, or `None` before there is a backbone.
        wanted: Whether to look for missing features at the next `start`.
        job: What the worker computes at present.
        unreadable: Pictures that are not tried again. By path: what could not be read because
            its class was renamed has another one now.
    """

    def __init__(self, store: ProjectStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self.table: FeatureTable | None = None
        self.wanted = False
        self.job: Job[None] | None = None
        self.unreadable: set[Path] = set()
        self._refused: list[Path] = []
        self._appeared: set[Path] = set()
        self._cache: FileFeatureCache | None = None
        self._computed: queue.SimpleQueue[tuple[Sample, Features | None]] = queue.SimpleQueue()

    def use(self, ready: Ready) -> None:
        """Go on with another backbone, for which nothing that was just computed is of use."""
        self.table, self._cache = ready.table, ready.loaded.cache
        self._computed = queue.SimpleQueue()
        self.wanted = True

    def keep(self, sample: Sample, features: Features) -> bool:
        """Keep the features `(D,)` of a sample, in memory and on disk.

        Returns:
            Whether they were new.
        """
        if self.table is None or self._cache is None or sample.image_sha256 in self.table:
            return False
        self.table.add(sample.image_sha256, features)
        self._cache.append(sample.image_sha256, features)
        return True

    def dataset_changed(self, dataset: Dataset, before: Dataset | None) -> None:
        """Take note of added or removed samples; features of many others are forgotten.

        A picture that was put back is tried again: while it was away it could not be read.
        """
        self.wanted = True
        if before and (self.job or self.unreadable):
            appeared = {s.path for s in dataset.samples} - {s.path for s in before.samples}
            self.unreadable -= appeared
            self._appeared |= appeared
        if self.table and len(self.table) > 2 * len(dataset.samples) + _SPARE_FEATURES:
            # A new one: the worker may be reading the old.
            self.table = self.table.only(s.image_sha256 for s in dataset.samples)

    def start(self, dataset: Dataset, backbone: Backbone) -> None:
        """Compute what is missing, if that is wanted and nothing is being computed."""
        if self.table is None or self.job or not self.wanted:
            return
        self.wanted = False
        missing = [s for s in dataset.missing(self.table) if s.path not in self.unreadable]
        if missing:
            self.job = Job(
                "computing features",
                lambda p, c: self._compute(backbone, missing, p, c),
                self._executor,
            )

    def poll(self) -> bool:
        """Take over what the worker has computed.

        Returns:
            Whether all that was missing has just been computed.

        Raises:
            EdgeClassifierError: when computing or keeping failed.
        """
        if self.table is None:
            return False
        for _ in range(_TAKEN_PER_STEP):
            try:
                sample, features = self._computed.get_nowait()
            except queue.Empty:
                break
            if features is not None:
                self.keep(sample, features)
            elif sample.path not in self._appeared:  # else it was perhaps away
                self.unreadable.add(sample.path)
                self._refused.append(sample.path)
        if not (self.job and self.job.done and self._computed.empty()):
            return False
        job, self.job = self.job, None
        self._appeared.clear()
        try:
            job.result()
        except CancelledError:
            return False
        return True

    def abandon(self) -> None:
        """Stop what runs, and take no note of how it ends."""
        if self.job:
            self.job.cancel()
        self.job = None

    def tell_refused(self, dataset: Dataset | None) -> str:
        """Say once how many pictures cannot be read.

        Args:
            dataset: Only its samples count: others were removed meanwhile.

        Returns:
            A line for the user; empty where there is nothing new.
        """
        present = {s.path for s in dataset.samples} if dataset else set()
        refused, self._refused = [path for path in self._refused if path in present], []
        if not refused:
            return ""
        first = f"{refused[0].parent.name}/{refused[0].name}"
        if len(refused) == 1:
            return f"1 picture cannot be read: {first}"
        return f"{len(refused)} pictures cannot be read (first: {first})"

    def _compute(
        self,
        backbone: Backbone,
        samples: Sequence[Sample],
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        stopped = "Stopped computing features."
        for sample, picture in read_pictures(self._store, samples, progress, cancelled, stopped):
            features: Features | None = None
            if isinstance(picture, EdgeClassifierError):
                _log.warning("%s", picture)  # the others still count
            else:
                features = backbone.extract([picture])[0]
            self._computed.put((sample, features))
