"""The features of samples and of their variants, computed on the worker where they are missing."""

from __future__ import annotations

import logging
import queue
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.features.bulk import read_pictures
from edge_classifier.languages.text import Text, plural
from edge_classifier.live.jobs import Stage
from edge_classifier.project.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.cache import FileFeatureCache
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.features.variants import Variation
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress
    from edge_classifier.values import Features, Sample

_log = logging.getLogger(__name__)

_SPARE_FEATURES: Final = 256
"""Features of removed samples that are kept, beside as many as there are samples: what was just
undone may be put back, but memory must not grow with all that was ever recorded."""

_TAKEN_PER_STEP: Final = 8
"""Computed features that one step of the loop takes over; more would delay its frame."""


class _CompletingStage(Stage[int]):
    """Computes something of each sample for which it is missing.

    Attributes:
        unreadable: Pictures that are not tried again. By path: what could not be read because
            its class was renamed has another one now.
    """

    def __init__(self, executor: Executor, unreadable: set[Path]) -> None:
        super().__init__(executor)
        self.unreadable = unreadable

    def _complete(
        self,
        text: Text,
        samples: Sequence[Sample],
        compute: Callable[[Image], Features],
        keep: Callable[[Sample, Features | None, Cancelled], None],
    ) -> None:
        """Read each picture, compute, and hand the result to `keep`, or `None` if it is unreadable.

        All three happen on the worker, whose job gives the number of samples.
        """

        def work(progress: Progress, cancelled: Cancelled) -> int:
            stopped = Text("Stopped: {work}.", work=text)
            for sample, picture in read_pictures(samples, progress, cancelled, stopped):
                if isinstance(picture, EdgeClassifierError):
                    _log.warning("%s", picture)  # the others still count
                    keep(sample, None, cancelled)
                else:
                    keep(sample, compute(picture), cancelled)
            return len(samples)

        self.wanted = False
        if samples:
            self.begin(text, work)


class FeatureStage(_CompletingStage):
    """Keeps the features of a project's samples complete, in memory and on disk.

    Attributes:
        table: What is known, or `None` before there is a backbone.
        refused: Pictures that could not be read, of which the user was not told yet.
    """

    def __init__(self, executor: Executor) -> None:
        super().__init__(executor, set())
        self.table: FeatureTable | None = None
        self.refused: list[Path] = []
        self._appeared: set[Path] = set()
        self._complete_at = Samples({})
        self._cache: FileFeatureCache | None = None
        self._computed: queue.SimpleQueue[tuple[Sample, Features | None]] = queue.SimpleQueue()

    def use(self, table: FeatureTable, cache: FileFeatureCache) -> None:
        """Go on with another backbone, for which nothing that was just computed is of use."""
        self.table, self._cache = table, cache
        self._computed = queue.SimpleQueue()
        self._complete_at = Samples({})
        self.wanted = True

    def keep(self, sample: Sample, features: Features) -> bool:
        """Keep the features `(D,)` of a sample; returns whether they were new."""
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
            appeared = {s.path for s in dataset.samples.added_since(before.samples)}
            self.unreadable -= appeared
            self._appeared |= appeared
        if self.table and len(self.table) > 2 * len(dataset.samples) + _SPARE_FEATURES:
            # A new one: the worker may be reading the old.
            self.table = self.table.only(s.image_sha256 for s in dataset.samples)

    def start(self, dataset: Dataset, backbone: Backbone, table: FeatureTable) -> None:
        """Compute what is missing in the table; nothing may be being computed."""
        # What is computed is put on the queue of this backbone, whichever comes after it.
        computed = self._computed
        missing = [
            s
            for s in dataset.samples.added_since(self._complete_at)
            if s.image_sha256 not in table and s.path not in self.unreadable
        ]
        if not missing:  # the next time only those that were added are looked at
            self._complete_at = dataset.samples
        self._complete(
            Text("looking at the pictures"),
            missing,
            lambda picture: backbone.extract([picture])[0],
            lambda sample, features, _cancelled: computed.put((sample, features)),
        )

    def take_over(self) -> bool:
        """Keep what the worker has computed.

        Returns:
            Whether all that was missing has just been computed.

        Raises:
            EdgeClassifierError: when computing or keeping failed.
        """
        for _ in range(_TAKEN_PER_STEP):
            try:
                sample, features = self._computed.get_nowait()
            except queue.Empty:
                break
            if features is not None:
                self.keep(sample, features)
            elif sample.path not in self._appeared:  # else it was perhaps away
                self.unreadable.add(sample.path)
                self.refused.append(sample.path)
        if not (self.job and self.job.done and self._computed.empty()):
            return False
        self._appeared.clear()
        return self.poll() is not None

    def tell_refused(self, dataset: Dataset | None) -> str:
        """Say once how many pictures of the dataset cannot be read; empty where none is new."""
        present = {s.path for s in dataset.samples} if dataset and self.refused else set()
        refused, self.refused = [path for path in self.refused if path in present], []
        if not refused:
            return ""
        first = f"{refused[0].parent.name}/{refused[0].name}"
        return plural(
            "{count} picture cannot be read: {first}",
            "{count} pictures cannot be read (first: {first})",
            len(refused),
            first=first,
        )


class VariantStage(_CompletingStage):
    """Computes the features of each sample's variants once; gives way to all else."""

    def __init__(self, executor: Executor, settings: HeadSettings, unreadable: set[Path]) -> None:
        super().__init__(executor, unreadable)
        self._settings = settings

    def missing(self, dataset: Dataset, variation: Variation | None) -> list[Sample]:
        """The samples that can be read and were not varied yet."""
        if not variation or self._settings.kind != "linear":  # others learn from no variants
            return []
        missing = variation.missing(dataset.samples)
        return [s for s in missing if s.path not in self.unreadable]

    def start(self, dataset: Dataset, loaded: LoadedBackbone) -> None:
        """Vary what was not; the worker has to be idle."""
        self.wanted, variation = False, loaded.variation
        if variation is None:
            return

        def keep(sample: Sample, features: Features | None, cancelled: Cancelled) -> None:
            if features is not None:
                variation.keep(sample.image_sha256, features)
            elif not cancelled():  # else it may have been removed, and be put back
                self.unreadable.add(sample.path)

        self._complete(
            Text("varying the pictures"),
            self.missing(dataset, variation),
            lambda picture: loaded.backbone.extract(variation.make(picture)),
            keep,
        )
