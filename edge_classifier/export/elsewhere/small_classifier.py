"""The classifier that a microcontroller has room for: taught the same, it looks at 96 pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_classifier.errors import (
    BackboneError,
    CancelledError,
    DownloadError,
    NotEnoughSamplesError,
    WeightsNotFoundError,
)
from edge_classifier.evaluation.validation import validate
from edge_classifier.export.elsewhere.rounded_backbone import RoundedBackbone
from edge_classifier.export.input_size import pooled_at
from edge_classifier.export.replay import STOPPED
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.dataset import Dataset, stored_reviewed
from edge_classifier.features.strangers import Strangers, stranger_features
from edge_classifier.features.variants import MOST_VARIED, VARIANTS, make_variants
from edge_classifier.learning.recordings import with_recordings
from edge_classifier.learning.settings import stored_head_settings
from edge_classifier.learning.training import train
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.samples import Samples
from edge_classifier.protocols import part_of
from edge_classifier.values import Variants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import OpenBackbone
    from edge_classifier.learning.settings import HeadSettings
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import Features, FeatureSet, Sample

INPUT_SIZE: Final = 96

SMALL: Final = "v1-0.25"
"""The backbone that takes less than 500 kB in int8. The others are as good at that size (see
docs/micro.md), and twice and three times as large."""

_STRANGERS: Final = 100
"""Fewer than a project's own backbone is shown, whose are kept."""

_OPENED: Final = 0.2
_SEEN: Final = 0.8
"""Parts of the whole, for the progress bar."""


@dataclass(frozen=True, slots=True, eq=False)
class SmallClassifier:
    """What a project's samples taught a small backbone in int8.

    Attributes:
        validation: How good it is on bursts that it was not taught.
        own_validation: How good the project's own backbone is on the same.
        note: Why it is not the smallest backbone, one line; empty if it is.
    """

    backbone: RoundedBackbone
    model: Model
    validation: Validation
    own_validation: Validation
    note: str = ""


class Eye(NamedTuple):
    """What makes features `(N, D)` of pictures, and those of generic strangers, if needed."""

    extract: Callable[[list[Image]], Features]
    feature_dim: int
    strangers: Features | None = None


def teach_small(
    project: Snapshot,
    own: Backbone,
    *,
    calibrating: Sequence[Sample],
    open_backbone: OpenBackbone = load_backbone,
    progress: Progress,
    cancelled: Cancelled,
) -> SmallClassifier:
    """Teach a small backbone, rounded on some samples, what the project's `own` was taught.

    `open_backbone` opens it by name, as `load_backbone` does.

    Raises:
        ExportError: if there is no such backbone in int8.
        NotEnoughSamplesError: as `training.train` does.
        CancelledError: if asked to stop.
    """
    opening = part_of(progress, 0.0, _OPENED)
    opened, note = _small_backbone(own, open_backbone, opening, cancelled)
    small = RoundedBackbone(pooled_at(opened, INPUT_SIZE), calibrating, cancelled)
    eyes = (
        Eye(own.extract, own.info.feature_dim, Strangers(own).features(cancelled)),
        Eye(
            small.extract,
            small.info.feature_dim,
            stranger_features(small.extract, _STRANGERS, cancelled),
        ),
    )
    settings = stored_head_settings(project.settings, project.name)
    seeing = part_of(progress, _OPENED, _SEEN)
    samples, (own_set, small_set) = seen_by(eyes, project, settings, seeing, cancelled)
    progress(_SEEN, "measuring how good it is")
    own_validation = validate(samples, own_set, settings, cancelled=cancelled)
    validation = validate(samples, small_set, settings, cancelled=cancelled)
    model = train(small_set, settings, cancelled=cancelled)
    progress(1.0)
    return SmallClassifier(small, model, validation, own_validation, note)


def _small_backbone(
    own: Backbone, open_backbone: OpenBackbone, progress: Progress, cancelled: Cancelled
) -> tuple[Backbone, str]:
    """Open the smallest backbone that can be had; say in one line why, where it is not `SMALL`."""
    if own.info.name == SMALL:
        return own, ""
    try:
        return open_backbone(SMALL, progress=progress, cancelled=cancelled), ""
    except BackboneError as error:
        backbone = own if own.info.name == BUILT_IN else open_backbone(BUILT_IN)
        why = str(error)
        if isinstance(error, (DownloadError, WeightsNotFoundError)):
            why = "its weights are neither on this machine nor within reach (see docs/micro.md)."
        return backbone, f"{BUILT_IN} instead of {SMALL}, which takes a third as much: {why}"


def seen_by(
    eyes: Sequence[Eye],
    project: Snapshot,
    settings: HeadSettings,
    progress: Progress,
    cancelled: Cancelled,
) -> tuple[list[Sample], list[FeatureSet]]:
    """Compute features of a project's samples and of their variants, ready to learn from.

    All sets have the bursts that are found in the first, to be measured on the same pictures.

    Returns:
        The samples that can be read, and their features, a set for each of the eyes.

    Raises:
        NotEnoughSamplesError: if there is no such sample.
        CancelledError: if asked to stop.
    """
    varied = settings.kind == "linear" and len(project.samples) <= MOST_VARIED

    def look(images: list[Image]) -> Features:
        views = [*images, *make_variants(images[0])] if varied else images
        return np.concatenate([eye.extract(views) for eye in eyes], axis=1)[None]

    samples: list[Sample] = []
    rows: list[Features] = []
    for seen in compute_all(project.samples, lambda sample: read_image(sample.path), look):
        if cancelled():
            raise CancelledError(STOPPED)
        if seen.values is not None:
            samples.append(seen.item)
            rows.append(seen.values)
        progress(len(rows) / len(project.samples), "computing features")
    if not rows:
        raise NotEnoughSamplesError("There is no sample that can be read.")
    names = tuple(dict.fromkeys(sample.class_name for sample in project.samples))
    dataset = Dataset(names, Samples.of(project.samples), stored_reviewed(project.settings))
    ends = np.cumsum([eye.feature_dim for eye in eyes])[:-1]
    sets: list[FeatureSet] = []
    for eye, views in zip(eyes, np.split(np.stack(rows), ends, axis=2), strict=True):
        features = np.ascontiguousarray(views[:, 0])
        found = dataset.labelled(samples, features, _variants(views[:, 1:]))
        found = replace(found, strangers=eye.strangers)
        if sets:
            found = replace(found, burst_ids=sets[0].burst_ids)
        elif settings.bursts == "found":
            found = with_recordings(found)
        sets.append(found)
    return samples, sets


def _variants(views: npt.NDArray[np.float32]) -> Variants | None:
    """Take `(N, V, D)` features of V variants of N samples."""
    count, variants, dim = views.shape
    if not variants:
        return None
    return Variants(views.reshape(-1, dim), np.repeat(np.arange(count), VARIANTS))
