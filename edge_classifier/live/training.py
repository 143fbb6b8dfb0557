"""Training and saving the model on the worker, on the samples of one moment."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from edge_classifier.errors import ProjectError
from edge_classifier.languages.text import Text, plural
from edge_classifier.learning.empty_frames import shown_classes
from edge_classifier.learning.project_model import readapted
from edge_classifier.learning.recordings import added_pictures, with_recordings
from edge_classifier.learning.settings import HeadSettings, trained_on
from edge_classifier.learning.training import FEWEST_OF_ONE, is_enough, train
from edge_classifier.live.jobs import Stage

if TYPE_CHECKING:
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress
    from edge_classifier.values import Features


class Trained(NamedTuple):
    """What a training gives: a model that can answer, whether or not it could be saved."""

    model: Model
    samples: int
    seconds: float  # of computing
    problem: ProjectError | None  # why it could not be saved
    found: Text  # which recordings are among pictures that came one by one, or empty
    adapted_to: Features | None  # the frames that it was to be adapted to
    not_adapted: str  # why it is not, or empty


class TrainingStage(Stage[Trained]):
    """Trains when told, and knows on which samples the model was trained.

    Attributes:
        dataset: The samples that the model was trained on, or `None`.
        training_on: Likewise of the model that is being trained, or was last.
        saving: Secures samples on the disk where there is nothing to train.
        adapted_to: Frames, `(N, D)`, that every model is adapted to once it is trained, or `None`.
    """

    def __init__(self, store: ProjectStore, executor: Executor, settings: HeadSettings) -> None:
        super().__init__(executor)
        self._store = store
        self._settings = settings
        self.dataset: Dataset | None = None
        self.saving: Stage[None] = Stage(executor)
        self.training_on: Dataset | None = None
        self.adapted_to: Features | None = None

    def recognise(self, fingerprint: str, dataset: Dataset | None) -> None:
        """Find out whether a model from before, of this fingerprint, was trained on the samples."""
        same = dataset and trained_on(dataset.fingerprint, self._settings) == fingerprint
        self.dataset = dataset if same else None

    def replace(self, before: Dataset, dataset: Dataset) -> None:
        """Take a dataset for another one with the same samples: what was learned holds."""
        if self.dataset is before:
            self.dataset = dataset
        if self.training_on is before:
            self.training_on = dataset

    def start(self, dataset: Dataset, loaded: LoadedBackbone, table: FeatureTable) -> None:
        """Train on the features that are known; with too few samples only secure them."""
        self.wanted = False
        known = [
            sum(1 for _ in islice((s for s in samples if s.image_sha256 in table), FEWEST_OF_ONE))
            for samples in dataset.samples.of_class.values()
        ]
        if not is_enough(known):
            self.saving.begin(Text("saving"), lambda _p, _c: self._store.sync())
        else:
            self.training_on = dataset
            self.begin(Text("training"), lambda p, c: self._train(dataset, loaded, table, p, c))

    def _train(
        self,
        dataset: Dataset,
        loaded: LoadedBackbone,
        table: FeatureTable,
        progress: Progress,
        cancelled: Cancelled,
    ) -> Trained:
        if loaded.strangers:
            loaded.strangers.features(cancelled)
        # Collected here rather than before: while the worker exports, every new sample
        # cancels a training that waits, and each would hold a copy of all features.
        # The table only ever grows, so that what is in it may be read meanwhile.
        feature_set = dataset.feature_set(
            table, variation=loaded.variation, strangers=loaded.strangers
        )
        found = Text("")
        if self._settings.bursts == "found":
            added_ids = feature_set.burst_ids
            feature_set = with_recordings(feature_set)
            added = added_pictures(added_ids, feature_set.burst_ids)
            if added.recordings:
                found = Text(
                    "{recordings} among {pictures} that came one by one",
                    recordings=plural("{count} recording", "{count} recordings", added.recordings),
                    pictures=plural("{count} picture", "{count} pictures", added.pictures),
                )
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
        learned_from = int((shown_classes(feature_set) == feature_set.class_ids).sum())
        frames = self.adapted_to
        adapted, not_adapted = readapted(model, frames)
        return Trained(adapted, learned_from, seconds, problem, found, frames, not_adapted)
