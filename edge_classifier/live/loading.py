"""Getting the backbone ready on the worker, with all that was computed and learned with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.live.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.protocols import (
        Cancelled,
        Executor,
        Progress,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A loaded backbone with what is known of the project's samples.

    Attributes:
        loaded: The backbone.
        table: Features computed before.
        model: Trained before, or `None`.
        fingerprint: What `model` was trained on, see `training.trained_on`; empty without one.
    """

    loaded: LoadedBackbone
    table: FeatureTable
    model: Model | None
    fingerprint: str


class Loader:
    """Loads the backbone on the worker, at once and whenever it has become another one.

    Args:
        load: Loads the backbone; may take seconds.
        executor: The worker.
    """

    def __init__(
        self, load: Callable[[Progress, Cancelled], LoadedBackbone], executor: Executor
    ) -> None:
        self._load = load
        self._executor = executor
        self.job: Job[Ready] | None = None
        self.start()

    def start(self) -> None:
        """Load, unless it is being loaded already."""
        if not self.job:
            self.job = Job("loading the backbone", self._get_ready, self._executor)

    def poll(self) -> Ready | None:
        """Hand over the backbone once, when it has been loaded.

        Raises:
            EdgeClassifierError: when loading failed.
        """
        if not (self.job and self.job.done):
            return None
        job, self.job = self.job, None
        return job.result()

    def _get_ready(self, progress: Progress, cancelled: Cancelled) -> Ready:
        loaded = self._load(progress, cancelled)
        info = loaded.backbone.info
        table = FeatureTable(info.feature_dim)
        table.fill(*loaded.cache.load())
        stored = loaded.models.load(backbone_key=info.key)
        model, fingerprint = stored or (None, "")
        return Ready(loaded, table, model, fingerprint)
