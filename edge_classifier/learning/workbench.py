"""A project at work without a window: what `train`, `evaluate` and `predict` share."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.errors import BackboneMismatchError, NotTrainedError
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.project_backbone import backbone_loader
from edge_classifier.learning.training import train, trained_on
from edge_classifier.learning.unknown import stored_steps
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import BackboneChoice, LoadedBackbone
    from edge_classifier.learning.training import HeadSettings
    from edge_classifier.protocols import Progress
    from edge_classifier.values import FeatureSet, Sample, Variants

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A project's samples with their features.

    Attributes:
        dataset: Classes and samples.
        samples: The samples whose pictures could be read, in the order of the features.
        feature_set: Their features.
        refused: Why each of the others could not be read, one line each.
    """

    dataset: Dataset
    samples: tuple[Sample, ...]
    feature_set: FeatureSet
    refused: tuple[str, ...]


def open_for_reading(
    path: Path, progress: Progress = lambda _done, _what=None: None
) -> ProjectStore:
    """Open a project, also one that is open elsewhere or may not be written.

    Then nothing is kept in it.

    Args:
        path: Its folder.
        progress: Told the part done.

    Raises:
        ProjectError: if it cannot be opened.
    """
    store = ProjectStore.open_as_possible(path, progress=progress)
    if store.read_only:
        _log.warning(
            "%s is opened read-only: %s; nothing is kept in it.", path, store.why_read_only
        )
    return store


def load_for(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, *, may_change: bool
) -> LoadedBackbone:
    """Load a project's backbone.

    Args:
        store: The project.
        choice: What the user asked for.
        progress: Told what is being done.
        may_change: Whether a backbone that was asked for by name may replace the project's.

    Raises:
        BackboneMismatchError: if another one was asked for, and may not replace it.
        BackboneError: if it cannot be had.
    """
    loaded = backbone_loader(store, choice, may_change=may_change)(progress, lambda: False)
    known = store.backbone
    info = loaded.backbone.info
    if known is not None and known.key != info.key:
        same = (known.name, known.feature_kind) == (info.name, info.feature_kind)
        trained_on = "other weights of" if same else "the backbone"
        features = (
            "" if known.feature_kind == info.feature_kind else f" --features {info.feature_kind}"
        )
        raise BackboneMismatchError(
            f"{store.name} was trained on {trained_on} {known.name} with {known.feature_kind} "
            f"features; `edge-classifier train {store.path} --backbone {info.name}{features}` "
            "changes that."
        )
    return loaded


@contextmanager
def loaded_for(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, *, may_change: bool
) -> Iterator[LoadedBackbone]:
    """Load a project's backbone for a block; its cache is closed at the end, whatever happens.

    Raises:
        EdgeClassifierError: as `load_for` does.
    """
    loaded = load_for(store, choice, progress, may_change=may_change)
    try:
        yield loaded
    finally:
        loaded.close()


def gather(
    store: ProjectStore,
    loaded: LoadedBackbone,
    progress: Progress,
    *,
    samples: Sequence[Sample] | None = None,
    threads: int | None = None,
) -> Gathered:
    """Collect the features of all samples; computes those that are missing, and keeps them.

    Args:
        store: The project.
        loaded: Its backbone.
        progress: Told the part done.
        samples: Other samples than the project's own; these are not varied.
        threads: How many compute; all cores if `None`.
    """
    dataset = Dataset(store.class_names(), store.samples() if samples is None else tuple(samples))
    info = loaded.backbone.info
    # Not `loaded.cache.load`, which would hold all features twice for a moment.
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
    features, known = cache.select([s.image_sha256 for s in dataset.samples])
    refused: list[str] = []
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(~known).tolist():  # two samples may be the same picture
        rows.setdefault(dataset.samples[row].image_sha256, []).append(row)
    missing = [dataset.samples[same[0]] for same in rows.values()]
    results = compute_all(missing, store.read_image, loaded.backbone.extract, threads=threads)
    for done, result in enumerate(results):
        if result.values is None:
            refused.append(str(result.problem))
        else:
            same = rows[result.item.image_sha256]
            features[same] = result.values
            known[same] = True
            if not store.read_only:
                loaded.cache.append(result.item.image_sha256, result.values)
        progress((done + 1) / len(missing), "computing features")
    if refused:
        features = features[known]
    readable = tuple(s for s, is_known in zip(dataset.samples, known, strict=True) if is_known)
    varied = samples is None and _learns_from_variants(store)
    variants = _gather_variants(store, loaded, readable, progress, threads) if varied else None
    labelled = dataset.labelled(readable, features, variants)
    return Gathered(dataset, readable, labelled, tuple(refused))


def _learns_from_variants(store: ProjectStore) -> bool:
    head = store.settings.get("head")
    return not isinstance(head, dict) or head.get("kind", "linear") == "linear"


def _gather_variants(
    store: ProjectStore,
    loaded: LoadedBackbone,
    samples: Sequence[Sample],
    progress: Progress,
    threads: int | None,
) -> Variants | None:
    """Collect the variants of samples; computes those that are missing, and keeps them."""
    variation = loaded.variation
    if variation is None:
        return None
    make, extract = variation.make, loaded.backbone.extract
    missing = variation.missing(samples)
    varied = compute_all(
        missing, store.read_image, lambda images: extract(make(images[0]))[None], threads=threads
    )
    for done, result in enumerate(varied):
        if result.values is not None:  # else it was removed just now
            variation.keep(result.item.image_sha256, result.values)
        progress((done + 1) / len(missing), "varying the pictures")
    return variation.of(samples)


def train_project(
    store: ProjectStore,
    loaded: LoadedBackbone,
    gathered: Gathered,
    settings: HeadSettings,
    progress: Progress,
) -> Model:
    """Train a head and keep it in the project, unless that is open read-only.

    Returns:
        The model, with the user's steps of the threshold of "unknown".

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
        ProjectError: if it cannot be kept.
    """
    progress(0.0, "training")
    model = train(gathered.feature_set, settings, progress=progress)
    if not store.read_only:
        loaded.models.save(
            model,
            backbone_key=loaded.backbone.info.key,
            fingerprint=trained_on(gathered.dataset.fingerprint, settings),
        )
    return model.adjusted(stored_steps(store.settings))


def trained_model(store: ProjectStore, loaded: LoadedBackbone) -> tuple[Model, bool]:
    """Load the model that was trained last.

    Returns:
        The model, with the user's steps of the threshold of "unknown", and whether it was
        trained on just the samples that there are.

    Raises:
        NotTrainedError: if there is none for this backbone.
    """
    stored = loaded.models.load(backbone_key=loaded.backbone.info.key)
    if stored is None:
        raise NotTrainedError(
            f"{store.name} has no trained model yet; `edge-classifier train {store.path}` makes it."
        )
    model, fingerprint = stored
    dataset = Dataset(store.class_names(), store.samples())
    adjusted = model.adjusted(stored_steps(store.settings))
    return adjusted, fingerprint.startswith(dataset.fingerprint)
