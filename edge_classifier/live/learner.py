"""Learning on the worker while the picture keeps moving: what comes after what, what gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.languages.text import Text, as_text, joined, plural
from edge_classifier.learning.project_model import readapted
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.current_model import CurrentModel
from edge_classifier.live.evaluator import Evaluator
from edge_classifier.live.jobs import Stage
from edge_classifier.live.sample_features import FeatureStage, VariantStage
from edge_classifier.live.training import TrainingStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.features.dataset import Dataset
    from edge_classifier.learning.adaptation_file import FileAdaptationStore
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.live.jobs import Job
    from edge_classifier.live.training import Trained
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress
    from edge_classifier.values import Features, Sample


class _Ready(NamedTuple):
    """A loaded backbone, features computed and the model trained before, and of what it was."""

    loaded: LoadedBackbone
    table: FeatureTable
    model: Model | None
    fingerprint: str
    adapted_to: Features | None
    not_adapted: str


class Learner:
    """Keeps features and model up to date with the dataset.

    All its methods are called by the loop; what takes long runs on the worker: loading, then
    computing missing features, training, varying, and when nothing else is to be done, evaluating.

    Attributes:
        backbone: The backbone, or `None` before it is there.
        current: The model that answers now; it is told of renamed classes.
        not_adapted: Why the model is not adapted although the one before was, or empty.
        evaluator: Finds out how good model and samples are; gives way to all else.
    """

    def __init__(
        self,
        store: ProjectStore,
        load: Callable[[Progress, Cancelled], LoadedBackbone],
        executor: Executor,
        settings: HeadSettings | None = None,
    ) -> None:
        self.settings = settings or HeadSettings()
        self._load = load
        self._dataset: Dataset | None = None
        self._loaded: LoadedBackbone | None = None
        self.backbone: Backbone | None = None
        self.current = CurrentModel(store)
        self.not_adapted = ""
        self._told_found = ""
        self.evaluator = Evaluator(executor)
        self._loading: Stage[_Ready] = Stage(executor)
        self._features = FeatureStage(executor)
        self._training = TrainingStage(store, executor, self.settings)
        self._variants = VariantStage(executor, self.settings, self._features.unreadable)
        self._strangers: Stage[Features] = Stage(executor)
        self._stages = (
            self._loading,
            self._strangers,
            self._features,
            self._training,
            self._variants,
        )
        self._polled = (*self._stages, self._training.saving, *self.evaluator.stages)
        self._start_loading()

    def reload(self) -> None:
        """Load the backbone anew: it is another one now. Until then the one before answers."""
        self._strangers.abandon()
        self._features.abandon()
        self._training.abandon()
        self._variants.abandon()
        self.evaluator.outdated()
        self._start_loading()

    @property
    def model(self) -> Model | None:
        """What answers now, trained or imprinted; `None` where nothing was captured."""
        return self.current.model

    @property
    def note(self) -> str:
        """Which backbone is in use; empty while it is being loaded."""
        return self._loaded.note if self._loaded else ""

    @property
    def job(self) -> Job[_Ready] | Job[Features] | Job[int] | Job[Trained] | None:
        """What the worker does for the learner at present, but for evaluating."""
        return next((stage.job for stage in self._stages if stage.job), None)

    @property
    def busy(self) -> bool:
        """Whether the worker does something for the learner, or will from the next step on."""
        return self.job is not None or (self._loaded is not None and self._training.wanted)

    @property
    def validation(self) -> Validation | None:
        """How good the model is; `None` before that is known, and once samples have changed.

        Never known with a backbone that has seen the samples: that needs others, see `evaluate`.
        """
        return None if self.is_fine_tuned else self.evaluator.validation

    @property
    def is_fine_tuned(self) -> bool:
        """Whether the backbone was fine-tuned on the project's samples."""
        return self._loaded is not None and self._loaded.has_seen_samples

    @property
    def stale(self) -> bool:
        """Whether the dataset has changed since the model was trained."""
        return self._dataset is not self._training.dataset

    def remember(self, sample: Sample, features: Features) -> None:
        """Keep the features `(D,)` of a new sample, in memory and on disk."""
        if self._features.keep(sample, features):
            self.current.remember(features)

    def dataset_changed(self, dataset: Dataset) -> None:
        """Take note of added or removed samples; answers for new classes come at once."""
        before, self._dataset = self._dataset, dataset
        if before and (before.samples, before.called_right) == (
            dataset.samples,
            dataset.called_right,
        ):
            # Only classes without samples came or went: what was learned of the others holds.
            self._training.replace(before, dataset)
            return
        self.evaluator.outdated()
        self._features.dataset_changed(dataset, before)
        self._variants.abandon()
        self._training.restart()
        self.current.keep_only(dataset.captured_classes)
        self._imprint()

    def request_training(self) -> None:
        """Train as soon as worker and features allow; load the backbone if there is none."""
        if self._loaded is None:
            self._start_loading()
        self._training.wanted = True
        self._features.wanted = True  # the user may have stopped computing them

    @property
    def adaptation(self) -> FileAdaptationStore | None:
        """Where the frames are kept that the project was adapted to."""
        return self._loaded.adaptation if self._loaded else None

    @property
    def adapted_to(self) -> Features | None:
        """The frames, `(N, D)`, that each model is adapted to, or `None`."""
        return self._training.adapted_to

    def use_adapted(self, taught: Model | None, model: Model | None, to: Features | None) -> None:
        """Answer with what was made of the taught model, and adapt those to come to these frames.

        `None` as `to` is the taught model itself. Where that is another one by now, it is trained
        again.
        """
        self._training.adapted_to, self.not_adapted = to, ""
        current = self.current.taught
        if taught and current and taught.head is current.head and not self.stale:
            self.current.replace(model)
        else:
            self.request_training()

    def cancel(self) -> str:
        """Stop loading, computing features or training; `request_training` goes on with it.

        A backbone that takes another's place is loaded to the end.

        Returns:
            A line for the user; empty where nothing was under way.
        """
        if self._loaded is None and self._loading.job:
            self._loading.cancel()
            return Text("stopping: {work}", work=self._loading.job.text)
        job = self.job
        if job is None or job is self._loading.job:
            return ""
        job.cancel()
        self._variants.wanted = self._training.wanted = False
        if not self.stale and not self._variants.job:  # which evaluates when it has stopped
            self._evaluate()
        return Text("stopped: {work}; T goes on with it", work=job.text)

    def poll(self) -> str | None:
        """Take over what the worker has finished; called once a step.

        Returns:
            A line for the user when something has just happened, else `None`.

        Raises:
            CancelledError: when loading was stopped.
            EdgeClassifierError: when loading, extracting, training or saving failed.
        """
        if not (self._features.refused or any(stage.job or stage.wanted for stage in self._polled)):
            return None  # as nearly always
        ready = self._loading.ended()
        line = self._use(ready.result()) if ready else None
        if self._features.job and self._features.take_over():
            self._imprint()
            self._training.wanted = True
        if trained := self._training.poll():
            line = self._take_over(trained) or line
        if varied := self._variants.ended():
            self._train_on_variants(varied)
        self._start_work()
        self.evaluator.poll()
        self._strangers.poll()  # where they were stopped, training looks at them
        if ended := self._training.saving.ended():
            ended.result()
        # With the line of the training that follows, which would hide one of its own.
        refused = "" if self.busy else self._features.tell_refused(self._dataset)
        return joined("; ", line or "", refused) or None

    def close(self) -> None:
        """Stop what runs; may be called twice."""
        for stage in self._stages:
            stage.cancel()
        self.evaluator.outdated()
        if self._loaded:
            self._loaded.close()

    def _start_loading(self) -> None:
        """Load the backbone, unless it is being loaded already."""
        if not self._loading.job:
            self._loading.begin(Text("loading the network"), self._get_ready)

    def _get_ready(self, progress: Progress, cancelled: Cancelled) -> _Ready:
        loaded = self._load(progress, cancelled)
        info = loaded.backbone.info
        table = FeatureTable(info.feature_dim)
        table.fill(*loaded.cache.load())
        model, fingerprint = loaded.models.load(backbone_key=info.key) or (None, "")
        frames, not_adapted = loaded.adaptation.read()
        if model and frames is not None:
            model, not_adapted = readapted(model, frames)
        return _Ready(loaded, table, model, fingerprint, frames, not_adapted)

    def _use(self, ready: _Ready) -> str:
        if self._loaded:
            self._loaded.close()
        self._loaded, self.backbone = ready.loaded, ready.loaded.backbone
        self._features.use(ready.table, ready.loaded.cache)
        if strangers := ready.loaded.strangers:  # before the first training waits for them
            self._strangers.begin(
                Text("learning what is unknown"),
                lambda _p, c: strangers.features(c),
            )
        self.not_adapted = ready.not_adapted
        if ready.adapted_to is None and self._training.adapted_to is not None:
            self.not_adapted = Text(
                "not adapted any more: the network is another one; A adapts anew"
            )
        self._training.adapted_to = ready.adapted_to
        self.current.replace(ready.model)
        self._training.recognise(ready.fingerprint, self._dataset)
        if self._dataset and not self.stale:
            self._variants.wanted = True
            self._evaluate()
        elif self._dataset:
            # What was removed or renamed after the last training must not be answered again.
            self.current.keep_only(self._dataset.captured_classes)
            self._imprint()
            self._training.wanted = True
        return Text("network: {note}", note=as_text(ready.loaded.note))

    def _take_over(self, trained: Trained) -> str:
        loaded, dataset = self._loaded, self._training.training_on
        self._training.dataset = dataset
        self.current.replace(trained.model)
        self._variants.wanted = True
        if dataset and loaded and not self._variants.missing(dataset, loaded.variation):
            self._evaluate(trained.seconds)
        self.not_adapted = trained.not_adapted
        if trained.adapted_to is not self._training.adapted_to:  # it has changed meanwhile
            self._training.wanted = True
        if trained.problem:
            raise trained.problem
        is_news, self._told_found = trained.found != self._told_found, trained.found
        learned = plural(
            "trained on {count} picture", "trained on {count} pictures", trained.samples
        )
        return joined(" · ", learned, trained.found if is_news else "")

    def _train_on_variants(self, varied: Job[int]) -> None:
        try:
            varied.result()
        except EdgeClassifierError as error:
            self._evaluate()
            if not isinstance(error, CancelledError):
                raise
        else:
            self._training.wanted = True

    def _start_work(self) -> None:
        dataset, loaded, table = self._dataset, self._loaded, self._features.table
        if loaded is None or table is None or dataset is None or self._loading.job:
            return
        if self._features.wanted and not self._features.job:
            self._features.start(dataset, loaded.backbone, table)
        at_work = self._strangers.job or self._features.job or self._training.job
        if self._training.wanted and not at_work:
            self._training.start(dataset, loaded, table)
            if self._training.job:
                self.evaluator.outdated()  # it gives way
        if self._variants.wanted and not self.busy:
            self._variants.start(dataset, loaded)

    def _evaluate(self, training_s: float | None = None) -> None:
        """Find out how good the model is, once it was trained on all there is to learn from."""
        if self._training.dataset and self._features.table is not None and self._loaded:
            self.evaluator.trained(
                self._training.dataset,
                self._features.table,
                self.settings,
                training_s,
                self._loaded,
            )

    def _imprint(self) -> None:
        if self._dataset and self._features.table is not None:
            self.current.imprint(self._dataset, self._features.table)
