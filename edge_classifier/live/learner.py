"""Learning aside while the picture keeps moving: what comes after what, and what gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.assessor import Assessor
from edge_classifier.live.current_model import CurrentModel
from edge_classifier.live.feature_worker import FeatureWorker, VariationWorker
from edge_classifier.live.loading import Loader
from edge_classifier.live.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.live.assessor import Review
    from edge_classifier.live.jobs import Job
    from edge_classifier.live.loading import Ready
    from edge_classifier.live.trainer import Trained
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress
    from edge_classifier.values import Features, Sample


class Learner:
    """Keeps features and model up to date with the dataset.

    All its methods are called by the loop; what takes long runs on the worker: loading, then
    computing missing features, training, varying, and when nothing else is to be done, assessing.

    Args:
        store: Where the pictures of samples are read.
        load: Loads the backbone; runs on the worker, may take seconds.
        executor: The worker.
        settings: How heads are trained.

    Attributes:
        current: The model that answers now; it is told of removed and renamed classes.
        settings: As above.
    """

    def __init__(
        self,
        store: ProjectStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        executor: Executor,
        settings: HeadSettings | None = None,
    ) -> None:
        self.settings = settings or HeadSettings()
        self._dataset: Dataset | None = None
        self._loaded: LoadedBackbone | None = None
        self.current = CurrentModel(store)
        self._loader = Loader(load, executor)
        self._features = FeatureWorker(store, executor)
        self._trainer = Trainer(store, executor, self.settings)
        self._variants = VariationWorker(
            store, executor, self.settings, unreadable=self._features.unreadable
        )
        self._assessor = Assessor(store, executor)

    def reload(self) -> None:
        """Load the backbone anew: it is another one now. Until then the one before answers."""
        self._features.abandon()
        self._trainer.abandon()
        self._variants.abandon()
        self._assessor.outdated()
        self._loader.start()

    @property
    def model(self) -> Model | None:
        """What answers now, trained or imprinted; `None` where nothing was captured."""
        return self.current.model

    @property
    def backbone(self) -> Backbone | None:
        """The backbone, once it is there."""
        return self._loaded.backbone if self._loaded else None

    @property
    def note(self) -> str:
        """Which backbone is in use; empty while it is being loaded."""
        return self._loaded.note if self._loaded else ""

    @property
    def job(self) -> Job[Ready] | Job[None] | Job[Trained] | None:
        """What the worker does for the learner at present."""
        return self._loader.job or self._features.job or self._trainer.job or self._variants.job

    @property
    def busy(self) -> bool:
        """Whether the worker does something for the learner, or will from the next step on."""
        return self.job is not None or (self._loaded is not None and self._trainer.wanted)

    @property
    def validation(self) -> Validation | None:
        """How good the model is; `None` before that is known, and once samples have changed.

        Never known with a backbone that has seen the samples: that needs others, see `evaluate`.
        """
        return None if self.is_fine_tuned else self._assessor.validation

    @property
    def is_fine_tuned(self) -> bool:
        """Whether the backbone was fine-tuned on the project's samples."""
        return self._loaded is not None and self._loaded.has_seen_samples

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
        return self._dataset is not self._trainer.dataset

    def extract(self, image: Image) -> Features | None:
        """Compute the features `(D,)` of a picture, or `None` while there is no backbone."""
        return self._loaded.backbone.extract([image])[0] if self._loaded else None

    def remember(self, sample: Sample, features: Features) -> None:
        """Keep the features `(D,)` of a new sample, in memory and on disk."""
        if self._features.keep(sample, features):
            self.current.remember(features)

    def dataset_changed(self, dataset: Dataset) -> None:
        """Take note of added or removed samples; answers for new classes come at once."""
        before, self._dataset = self._dataset, dataset
        if before and before.samples == dataset.samples:
            # Only classes without samples came or went: what was learned of the others holds.
            self._trainer.replace(before, dataset)
            return
        self._assessor.outdated()
        self._features.dataset_changed(dataset, before)
        self._variants.abandon()
        self._trainer.restart()
        self._imprint()

    def request_training(self) -> None:
        """Train as soon as worker and features allow; load the backbone if there is none."""
        if self._loaded is None:
            self._loader.start()
        self._trainer.wanted = True
        self._features.wanted = True  # the user may have stopped computing them

    def cancel(self) -> str:
        """Stop loading, computing features or training; `request_training` goes on with it.

        A backbone that takes another's place is loaded to the end.

        Returns:
            A line for the user; empty where nothing was under way.
        """
        if self._loaded is None and self._loader.job:
            self._loader.job.cancel()
            return f"stopping: {self._loader.job.text}"
        job = self._features.job or self._trainer.job or self._variants.job
        if job is None:
            return ""
        job.cancel()
        self._variants.wanted = False
        self._trainer.wanted = False
        if not self.stale and not self._variants.job:  # which assesses when it has stopped
            self._assess()
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
            CancelledError: when loading was stopped.
            EdgeClassifierError: when loading, extracting, training or saving failed.
        """
        line = self._poll_loading()
        if self._features.poll():
            self._imprint()
            self._trainer.wanted = True
        line = self._poll_training() or line
        self._poll_varying()
        self._start_work()
        self._assessor.poll()
        self._trainer.poll_syncing()
        # With the line of the training that follows, which would hide one of its own.
        refused = "" if self.busy else self._features.tell_refused(self._dataset)
        return "; ".join(part for part in (line, refused) if part) or None

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        for job in (self._loader.job, self._features.job, self._trainer.job, self._variants.job):
            if job:
                job.cancel()
        self._assessor.close()
        if self._loaded:
            self._loaded.close()

    def _poll_loading(self) -> str | None:
        ready = self._loader.poll()
        if ready is None:
            return None
        if self._loaded:
            self._loaded.close()
        self._loaded = ready.loaded
        self._features.use(ready)
        self.current.replace(ready.model)
        self._trainer.recognise(ready.fingerprint, self._dataset)
        if self._dataset and not self.stale:
            self._variants.wanted = True
            self._assess()
        elif self._dataset:
            # What was removed or renamed after the last training must not be answered again.
            self.current.keep_only(self._dataset.captured_classes)
            self._imprint()
            self._trainer.wanted = True
        return f"backbone: {ready.loaded.note}"

    def _poll_training(self) -> str | None:
        trained = self._trainer.poll()
        if trained is None or self._trainer.dataset is None or self._loaded is None:
            return None
        self.current.replace(trained.model)
        self._variants.wanted = True
        if not self._variants.missing(self._trainer.dataset, self._loaded.variation):
            self._assess(trained.seconds)
        if trained.problem:
            raise trained.problem
        return f"trained on {trained.samples} samples"

    def _poll_varying(self) -> None:
        try:
            if self._variants.poll():
                self._trainer.wanted = True
        except CancelledError:
            self._assess()
        except EdgeClassifierError:
            self._assess()
            raise

    def _start_work(self) -> None:
        dataset, loaded, table = self._dataset, self._loaded, self._features.table
        if loaded is None or table is None or dataset is None or self._loader.job:
            return
        self._features.start(dataset, loaded.backbone)
        if not self._features.job and self._trainer.start(dataset, loaded, table):
            self._assessor.outdated()  # it gives way
        if not self.busy:
            self._variants.start(dataset, loaded)

    def _assess(self, training_s: float | None = None) -> None:
        """Find out how good the model is, once it was trained on all there is to learn from."""
        if self._trainer.dataset and self._features.table is not None and self._loaded:
            self._assessor.trained(
                self._trainer.dataset,
                self._features.table,
                self.settings,
                training_s,
                self._loaded.variation,
            )

    def _imprint(self) -> None:
        if self._dataset and self._features.table is not None:
            self.current.imprint(self._dataset, self._features.table)
