"""Learning aside while the picture keeps moving: backbone, features, imprinting, training."""

from __future__ import annotations

import logging
import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.assessor import Assessor
from edge_classifier.dataset import FeatureTable
from edge_classifier.errors import (
    CancelledError,
    EdgeClassifierError,
    InvalidImageError,
    ProjectError,
)
from edge_classifier.head import imprint
from edge_classifier.jobs import Job
from edge_classifier.model import Model
from edge_classifier.training import MIN_CLASSES, HeadSettings, train, trained_on
from edge_classifier.unknown import MAX_STEPS, STEPS_SETTING, stored_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.assessor import Review
    from edge_classifier.dataset import Dataset
    from edge_classifier.frame import Features, Image, Sample
    from edge_classifier.protocols import (
        Backbone,
        Cancelled,
        Executor,
        FeatureCache,
        ModelStore,
        Progress,
        SampleStore,
    )
    from edge_classifier.validation import Validation
    from edge_classifier.variation import Variation

_log = logging.getLogger(__name__)

_SPARE_FEATURES = 256
"""Features of removed samples that are kept, beside as many as there are samples: what was just
undone may be put back, but memory must not grow with all that was ever recorded."""

_IMPRINTED_FROM = 64
"""Samples of a class that answers before training are made of, at most: it happens on the loop,
and a mean of more is hardly another one."""

_TAKEN_PER_STEP = 8
"""Computed features that one step of the loop takes over; more would delay its frame."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedBackbone:
    """What loading gives.

    Attributes:
        backbone: Ready to use.
        cache: Features computed before.
        models: Where the trained model is kept.
        note: Which backbone was chosen and why, one line for the user.
        variation: Variants of the samples, or `None` where nothing is learned from any.
        has_seen_samples: Whether it was fine-tuned on the project's samples, so that nothing
            measured on these says how good it is with others.
    """

    backbone: Backbone
    cache: FeatureCache
    models: ModelStore
    note: str
    variation: Variation | None = None
    has_seen_samples: bool = False

    def close(self) -> None:
        """Release the files; may be called twice."""
        self.cache.close()
        if self.variation:
            self.variation.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    loaded: LoadedBackbone
    table: FeatureTable
    model: Model | None
    fingerprint: str


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    model: Model
    samples: int
    seconds: float
    problem: ProjectError | None


class Learner:
    """Keeps features and model up to date with the dataset.

    All its methods are called by the loop; what takes long runs on the worker.

    Args:
        store: Where the pictures of samples are read.
        load: Loads the backbone; runs on the worker, may take seconds.
        executor: The worker.
        settings: How heads are trained.
    """

    def __init__(
        self,
        store: SampleStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        executor: Executor,
        settings: HeadSettings | None = None,
    ) -> None:
        self._store = store
        self._executor = executor
        self.settings = settings or HeadSettings()
        self.model: Model | None = None
        self._loaded: LoadedBackbone | None = None
        self._table: FeatureTable | None = None
        self._imprinted = False
        self._dataset: Dataset | None = None
        self._trained_dataset: Dataset | None = None
        self._look_for_missing = False
        self._load = load
        self._loading: Job[_Ready] | None = self._start_loading()
        self._extracting: Job[None] | None = None
        self._extracted: queue.SimpleQueue[tuple[Sample, Features | None]] = queue.SimpleQueue()
        self._unreadable: set[Path] = set()
        self._refused: list[Path] = []
        self._syncing: Job[None] | None = None
        self._training: Job[_Trained] | None = None
        self._varying: Job[None] | None = None
        self._vary_wanted = False
        self._training_on: Dataset | None = None
        self._train_wanted = False
        self._assessor = Assessor(store, executor)
        self._unknown_steps = stored_steps(store.settings)

    def _start_loading(self) -> Job[_Ready]:
        return Job(
            "loading the backbone", lambda p, c: _get_ready(self._load, p, c), self._executor
        )

    def reload(self) -> None:
        """Load the backbone anew: it is another one now. Until then the one before answers."""
        for job in (self._extracting, self._training, self._varying):
            if job:
                job.cancel()
        self._extracting = self._training = self._varying = None
        self._assessor.outdated()
        if not self._loading:
            self._loading = self._start_loading()

    @property
    def unknown_steps(self) -> int:
        """How many steps "unknown" is stricter (above 0) than what was measured."""
        return self._unknown_steps

    def adjust_unknown(self, steps: int) -> None:
        """Make "unknown" so many steps stricter than measured, below 0 more lenient.

        At once, for every model to come, and in the project: the answers, the steps kept in
        the store's settings and the export agree. At most `unknown.MAX_STEPS` either way.

        Raises:
            ProjectError: if the project cannot be written; then nothing has changed.
        """
        steps = max(-MAX_STEPS, min(MAX_STEPS, steps))
        self._store.update_settings(**{STEPS_SETTING: steps})
        self._unknown_steps = steps
        self.model = self.model.adjusted(steps) if self.model else None

    @property
    def backbone(self) -> Backbone | None:
        """The backbone, once it is there."""
        return self._loaded.backbone if self._loaded else None

    @property
    def note(self) -> str:
        """Which backbone is in use; empty while it is being loaded."""
        return self._loaded.note if self._loaded else ""

    @property
    def job(self) -> Job[_Ready] | Job[None] | Job[_Trained] | None:
        """What the worker does for the learner at present."""
        return self._loading or self._extracting or self._training or self._varying

    @property
    def busy(self) -> bool:
        """Whether the worker does something for the learner, or will from the next step on."""
        return self.job is not None or (self._loaded is not None and self._train_wanted)

    @property
    def validation(self) -> Validation | None:
        """How good the model is; `None` before that is known, and once samples have changed.

        Never known with a backbone that has seen the samples: that needs others, see `evaluate`.
        """
        if self._loaded and self._loaded.has_seen_samples:
            return None
        return self._assessor.validation

    @property
    def review(self) -> Review | None:
        """The suspect samples, once they were requested and found; `None` likewise."""
        return self._assessor.review

    @property
    def assessing(self) -> Job[Validation | None] | Job[Review] | None:
        """What the worker finds out about model and samples at present; gives way to all else."""
        return self._assessor.job

    @property
    def stale(self) -> bool:
        """Whether the dataset has changed since the model was trained."""
        return self._dataset is not self._trained_dataset

    def extract(self, image: Image) -> Features | None:
        """Compute the features `(D,)` of a picture, or `None` while there is no backbone."""
        return self._loaded.backbone.extract([image])[0] if self._loaded else None

    def remember(self, sample: Sample, features: Features) -> None:
        """Keep the features `(D,)` of a new sample, in memory and on disk."""
        if self._keep(sample, features) and self.model:
            self.model = self.model.with_known(features)

    def _keep(self, sample: Sample, features: Features) -> bool:
        """Add features to the table and the cache; returns whether they were new."""
        if not self._loaded or self._table is None or sample.image_sha256 in self._table:
            return False
        self._table.add(sample.image_sha256, features)
        self._loaded.cache.append(sample.image_sha256, features)
        return True

    def dataset_changed(self, dataset: Dataset) -> None:
        """Take note of added or removed samples; answers for new classes come at once."""
        before, self._dataset = self._dataset, dataset
        if before and before.samples == dataset.samples:
            # Only classes without samples came or went: what was learned of the others holds.
            if self._trained_dataset is before:
                self._trained_dataset = dataset
            if self._training_on is before:
                self._training_on = dataset
            return
        self._look_for_missing = True
        self._assessor.outdated()
        if self._table and len(self._table) > 2 * len(dataset.samples) + _SPARE_FEATURES:
            # A new one: the worker may be reading the old.
            self._table = self._table.only(s.image_sha256 for s in dataset.samples)
        self._stop_varying()
        if self._training:
            self._training.cancel()
            self._training = None
            self._train_wanted = True
        self._imprint(dataset)

    def class_removed(self, class_name: str) -> None:
        """Let the model forget a class."""
        self.model = self.model.without(class_name) if self.model else None

    def class_renamed(self, class_name: str, new_name: str) -> None:
        """Let the model call a class by its new name."""
        self.model = self.model.renamed(class_name, new_name) if self.model else None

    def request_training(self) -> None:
        """Train as soon as the worker and the features allow."""
        self._train_wanted = True
        self._look_for_missing = True  # the user may have stopped computing them

    def cancel(self) -> str:
        """Stop computing features or training; `request_training` goes on with it.

        Returns:
            A line for the user; empty where nothing was under way.
        """
        job = self._extracting or self._training or self._varying
        if job is None:
            return ""
        job.cancel()
        self._vary_wanted = False
        self._train_wanted = False
        return f"stopped {job.text}; T goes on with it"

    def request_review(self) -> None:
        """Look for suspect samples as soon as the model is trained and validated."""
        self._assessor.request_review()

    def cancel_review(self) -> None:
        """Take the request back, and stop looking."""
        self._assessor.cancel_review()

    def poll(self) -> str | None:
        """Take over what the worker has finished; called once a step.

        Returns:
            A line for the user when something has just happened, else `None`.

        Raises:
            EdgeClassifierError: when loading, extracting, training or saving failed.
        """
        line = self._poll_loading()
        self._poll_extracting()
        line = self._poll_training() or line
        self._poll_varying()
        self._start_work()
        self._assessor.poll()
        self._poll_syncing()
        # With the line of the training that follows, which would hide one of its own.
        refused = "" if self.busy else self._tell_refused()
        return "; ".join(part for part in (line, refused) if part) or None

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        for job in (self._loading, self._extracting, self._training, self._varying):
            if job:
                job.cancel()
        self._assessor.close()
        if self._loaded:
            self._loaded.close()

    def _poll_loading(self) -> str | None:
        if not (self._loading and self._loading.done):
            return None
        job, self._loading = self._loading, None
        ready = job.result()
        if self._loaded:  # What it has computed meanwhile is of no use with another one.
            self._loaded.close()
            self._extracted = queue.SimpleQueue()
            self._trained_dataset, self._imprinted = None, False
        self._loaded, self._table = ready.loaded, ready.table
        self.model = ready.model.adjusted(self._unknown_steps) if ready.model else None
        self._look_for_missing = True
        dataset = self._dataset
        if dataset and trained_on(dataset.fingerprint, self.settings) == ready.fingerprint:
            self._trained_dataset = dataset
            self._vary_wanted = True
            self._assess()
        elif self._dataset:
            # What was removed or renamed after the last training must not be answered again.
            for name in set(self.model.class_names if self.model else ()):
                if name not in self._dataset.captured_classes:
                    self.class_removed(name)
            self._imprint(self._dataset)
            self._train_wanted = True
        return f"backbone: {ready.loaded.note}"

    def _poll_extracting(self) -> None:
        if self._table is None or not self._loaded:
            return
        for _ in range(_TAKEN_PER_STEP):
            try:
                sample, features = self._extracted.get_nowait()
            except queue.Empty:
                break
            if features is None:
                self._unreadable.add(sample.path)
                self._refused.append(sample.path)
            else:
                self._keep(sample, features)
        if self._extracting and self._extracting.done and self._extracted.empty():
            job, self._extracting = self._extracting, None
            try:
                job.result()
            except CancelledError:
                return
            if self._dataset:
                self._imprint(self._dataset)
            self._train_wanted = True

    def _tell_refused(self) -> str:
        """Say once how many pictures cannot be read, without those that were removed meanwhile."""
        present = {s.path for s in self._dataset.samples} if self._dataset else set()
        refused, self._refused = [path for path in self._refused if path in present], []
        if not refused:
            return ""
        first = f"{refused[0].parent.name}/{refused[0].name}"
        if len(refused) == 1:
            return f"1 picture cannot be read: {first}"
        return f"{len(refused)} pictures cannot be read (first: {first})"

    def _poll_syncing(self) -> None:
        if self._syncing and self._syncing.done:
            job, self._syncing = self._syncing, None
            job.result()

    def _poll_training(self) -> str | None:
        if not (self._training and self._training.done and self._training_on):
            return None
        job, self._training = self._training, None
        try:
            trained = job.result()
        except CancelledError:
            return None
        self.model = trained.model.adjusted(self._unknown_steps)
        self._imprinted = False
        self._trained_dataset = self._training_on
        self._vary_wanted = True
        if not self._to_vary(self._training_on):
            self._assess(trained.seconds)
        if trained.problem:
            raise trained.problem
        return f"trained on {trained.samples} samples"

    def _start_work(self) -> None:
        if self._loaded is None or self._table is None or self._dataset is None or self._loading:
            return
        if self._look_for_missing and not self._extracting:
            self._look_for_missing = False
            self._extract_what_is_missing(self._dataset, self._table, self._loaded.backbone)
        if self._train_wanted and not self._extracting and not self._training:
            self._train_wanted = False
            self._train(self._dataset, self._loaded, self._table)
        if self._vary_wanted and not self.busy:
            self._vary_wanted = False
            self._vary_what_was_not(self._dataset, self._loaded)

    def _to_vary(self, dataset: Dataset) -> list[Sample]:
        """The samples that can be read and were not varied yet."""
        if not self._loaded or not self._loaded.variation or self.settings.kind != "linear":
            return []
        missing = self._loaded.variation.missing(dataset.samples)
        return [s for s in missing if s.path not in self._unreadable]

    def _vary_what_was_not(self, dataset: Dataset, loaded: LoadedBackbone) -> None:
        """Learn from more than the samples, when the worker has nothing better to do."""
        samples, variation = self._to_vary(dataset), loaded.variation
        if samples and variation:
            self._varying = Job(
                "varying the pictures",
                lambda p, c: self._vary(loaded.backbone, variation, samples, p, c),
                self._executor,
            )

    def _vary(
        self,
        backbone: Backbone,
        variation: Variation,
        samples: list[Sample],
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        for done, sample in enumerate(samples):
            if cancelled():
                raise CancelledError("Stopped varying the pictures.")
            try:
                image = self._store.read_image(sample)
            except (ProjectError, InvalidImageError) as error:
                self._unreadable.add(sample.path)
                _log.warning("%s", error)
            else:
                variation.keep(sample.image_sha256, backbone.extract(variation.make(image)))
            progress((done + 1) / len(samples))

    def _poll_varying(self) -> None:
        if not (self._varying and self._varying.done):
            return
        job, self._varying = self._varying, None
        try:
            job.result()
        except CancelledError:
            self._assess()
            return
        except EdgeClassifierError:
            self._assess()
            raise
        self._train_wanted = True

    def _assess(self, training_s: float | None = None) -> None:
        """Find out how good the model is, once it was trained on all there is to learn from."""
        if self._trained_dataset and self._table is not None and self._loaded:
            self._assessor.trained(
                self._trained_dataset,
                self._table,
                self.settings,
                training_s,
                self._loaded.variation,
            )

    def _stop_varying(self) -> None:
        """Give way to new samples; what was varied is kept."""
        if self._varying:
            self._varying.cancel()
            self._varying = None

    def _extract_what_is_missing(
        self, dataset: Dataset, table: FeatureTable, backbone: Backbone
    ) -> None:
        # By path: what could not be read because its class was renamed has another one now.
        missing = [s for s in dataset.missing(table) if s.path not in self._unreadable]
        if missing:
            self._extracting = Job(
                "computing features",
                lambda p, c: self._extract_all(backbone, missing, p, c),
                self._executor,
            )

    def _train(self, dataset: Dataset, loaded: LoadedBackbone, table: FeatureTable) -> None:
        classes = {s.class_name for s in dataset.samples if s.image_sha256 in table}
        if len(classes) < MIN_CLASSES:
            self._syncing = Job("saving", lambda _p, _c: self._store.sync(), self._executor)
            return
        settings = self.settings

        def work(progress: Progress, cancelled: Cancelled) -> _Trained:
            # Collected here rather than before: while the worker exports, every new sample
            # cancels a training that waits, and each would hold a copy of all features.
            # The table only ever grows, so that what is in it may be read meanwhile.
            feature_set = dataset.feature_set(table, variation=loaded.variation)
            started = time.thread_time()  # not of the clock, which a busy machine stretches
            model = train(feature_set, settings, cancelled=cancelled, progress=progress)
            seconds = time.thread_time() - started
            problem = None
            try:
                loaded.models.save(
                    model,
                    backbone_key=loaded.backbone.info.key,
                    fingerprint=trained_on(dataset.fingerprint, settings),
                )
                self._store.sync()
            except ProjectError as error:
                problem = error  # The model is good all the same, for as long as this runs.
            return _Trained(model, len(feature_set), seconds, problem)

        self._assessor.outdated()  # it gives way
        self._training_on = dataset
        self._training = Job("training", work, self._executor)

    def _extract_all(
        self,
        backbone: Backbone,
        samples: list[Sample],
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        for done, sample in enumerate(samples):
            if cancelled():
                raise CancelledError("Stopped computing features.")
            features: Features | None = None
            try:
                features = backbone.extract([self._store.read_image(sample)])[0]
            except (ProjectError, InvalidImageError) as error:
                # Removed meanwhile, or damaged: the others still count.
                _log.warning("%s", error)
            self._extracted.put((sample, features))
            progress((done + 1) / len(samples))

    def _imprint(self, dataset: Dataset) -> None:
        """Give classes that the model lacks an imprinted weight vector."""
        if self._table is None:
            return
        if self.model is None or self._imprinted:
            feature_set = dataset.feature_set(self._table, _IMPRINTED_FROM)
            if feature_set.class_names:
                self.model = Model(imprint(feature_set))
                self._imprinted = True
        elif set(dataset.captured_classes) - set(self.model.class_names):
            self.model = self.model.extended(dataset.feature_set(self._table, _IMPRINTED_FROM))


def _get_ready(
    load: Callable[[Progress, Cancelled], LoadedBackbone],
    progress: Progress,
    cancelled: Cancelled,
) -> _Ready:
    loaded = load(progress, cancelled)
    info = loaded.backbone.info
    table = FeatureTable(info.feature_dim)
    table.fill(*loaded.cache.load())
    stored = loaded.models.load(backbone_key=info.key)
    model, fingerprint = stored or (None, "")
    return _Ready(loaded, table, model, fingerprint)
