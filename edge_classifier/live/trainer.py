"""Training and saving the model on the worker, on the samples of one moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.errors import CancelledError, ProjectError
from edge_classifier.learning.training import MIN_CLASSES, HeadSettings, train, trained_on
from edge_classifier.live.jobs import Job

if TYPE_CHECKING:
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training gives.

    Attributes:
        model: Ready to answer, saved or not.
        samples: How many were trained on.
        seconds: Of computing that it took.
        problem: Why the model could not be saved, or `None`.
    """

    model: Model
    samples: int
    seconds: float
    problem: ProjectError | None


class Trainer:
    """Trains when told, and knows on which samples the model was trained.

    Args:
        store: Is synchronised with the disk after each training.
        executor: The worker.
        settings: How heads are trained.

    Attributes:
        dataset: The samples that the model was trained on, or `None`.
        wanted: Whether to train at the next `start`.
        job: What the worker trains at present.
    """

    def __init__(self, store: ProjectStore, executor: Executor, settings: HeadSettings) -> None:
        self._store = store
        self._executor = executor
        self._settings = settings
        self.dataset: Dataset | None = None
        self.wanted = False
        self.job: Job[Trained] | None = None
        self._training_on: Dataset | None = None
        self._syncing: Job[None] | None = None

    def recognise(self, fingerprint: str, dataset: Dataset | None) -> None:
        """Find out whether a model from before was trained on just these samples.

        Args:
            fingerprint: Of the model, as it was saved with it.
            dataset: The samples there are.
        """
        same = dataset and trained_on(dataset.fingerprint, self._settings) == fingerprint
        self.dataset = dataset if same else None

    def replace(self, before: Dataset, dataset: Dataset) -> None:
        """Take a dataset for another one with the same samples: what was learned holds."""
        if self.dataset is before:
            self.dataset = dataset
        if self._training_on is before:
            self._training_on = dataset

    def restart(self) -> None:
        """Train anew what is being trained: its samples have changed."""
        if self.job:
            self.abandon()
            self.wanted = True

    def abandon(self) -> None:
        """Stop what runs, and take no note of how it ends."""
        if self.job:
            self.job.cancel()
        self.job = None

    def start(self, dataset: Dataset, loaded: LoadedBackbone, table: FeatureTable) -> bool:
        """Train if that is wanted and nothing is being trained.

        Args:
            dataset: The samples; with too few classes they are only secured on the disk.
            loaded: Gives variants to train on, and keeps the model.
            table: The features that are known.

        Returns:
            Whether a training has begun.
        """
        if self.job or not self.wanted:
            return False
        self.wanted = False
        classes = {s.class_name for s in dataset.samples if s.image_sha256 in table}
        if len(classes) < MIN_CLASSES:
            self._syncing = Job("saving", lambda _p, _c: self._store.sync(), self._executor)
            return False
        self._training_on = dataset
        self.job = Job(
            "training", lambda p, c: self._train(dataset, loaded, table, p, c), self._executor
        )
        return True

    def poll(self) -> Trained | None:
        """Hand over a model once, when it has been trained.

        Raises:
            EdgeClassifierError: when training failed.
        """
        if not (self.job and self.job.done):
            return None
        job, self.job = self.job, None
        try:
            trained = job.result()
        except CancelledError:
            return None
        self.dataset = self._training_on
        return trained

    def poll_syncing(self) -> None:
        """Tell what went wrong where there was nothing to train.

        Raises:
            EdgeClassifierError: when the samples could not be secured on the disk.
        """
        if self._syncing and self._syncing.done:
            job, self._syncing = self._syncing, None
            job.result()

    def _train(
        self,
        dataset: Dataset,
        loaded: LoadedBackbone,
        table: FeatureTable,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Trained:
        # Collected here rather than before: while the worker exports, every new sample
        # cancels a training that waits, and each would hold a copy of all features.
        # The table only ever grows, so that what is in it may be read meanwhile.
        feature_set = dataset.feature_set(table, variation=loaded.variation)
        started = time.thread_time()  # not of the clock, which a busy machine stretches
        model = train(feature_set, self._settings, cancelled=cancelled, progress=progress)
        seconds = time.thread_time() - started
        problem = None
        try:
            loaded.models.save(
                model,
                backbone_key=loaded.backbone.info.key,
                fingerprint=trained_on(dataset.fingerprint, self._settings),
            )
            self._store.sync()
        except ProjectError as error:
            problem = error  # The model is good all the same, for as long as this runs.
        return Trained(model, len(feature_set), seconds, problem)
