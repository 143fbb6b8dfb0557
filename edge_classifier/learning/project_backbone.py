"""A project's backbone: chosen, opened with what was computed with it, replaced."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from edge_classifier.errors import (
    BackboneMismatchError,
    DownloadError,
    ProjectError,
    WeightsMismatchError,
)
from edge_classifier.features.backbone import Choice, LiteRTBackbone, choose_backbone, load_backbone
from edge_classifier.features.built_in import built_in_folder
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.catalogue import AUTO, BUILT_IN
from edge_classifier.features.tuned import read_tuned, tuned_weights
from edge_classifier.features.variants import (
    VARIANTS,
    VARIANTS_VERSION,
    Variation,
    make_variants,
    variant_sha256,
)
from edge_classifier.learning.model_file import FileModelStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import (
        Backbone,
        Cancelled,
        Progress,
    )
    from edge_classifier.values import FeatureKind


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
    cache: FileFeatureCache
    models: FileModelStore
    note: str
    variation: Variation | None = None
    has_seen_samples: bool = False

    def close(self) -> None:
        """Release the files; may be called twice."""
        self.cache.close()
        if self.variation:
            self.variation.close()


_SPARE_RECORDS = 500  # rewriting takes longer than reading so many for nothing

ChooseBackbone: TypeAlias = "Callable[..., Choice]"
"""Turns the wish for `auto` into a name, as `choose_backbone` does."""

OpenBackbone: TypeAlias = "Callable[..., LiteRTBackbone]"
"""Opens a backbone, as `load_backbone` does."""


@dataclass(frozen=True, slots=True)
class BackboneChoice:
    """Which backbone a user asked for.

    Attributes:
        name: As in `backbones`, or `auto`.
        weights: A weights file to load instead of the official ones, or `None`.
        feature_kind: `pooled` or `spatial`; `None` takes the project's, else `pooled`.
        threads: Of the interpreter.
    """

    name: str = AUTO
    weights: Path | None = None
    feature_kind: FeatureKind | None = None
    threads: int = 1

    @property
    def is_auto(self) -> bool:
        """Whether the user left it to the project."""
        return self.name == AUTO


def backbone_loader(
    store: ProjectStore,
    choice: BackboneChoice,
    *,
    may_change: bool = True,
    choose: ChooseBackbone = choose_backbone,
    open_backbone: OpenBackbone = load_backbone,
) -> Callable[[Progress, Cancelled], LoadedBackbone]:
    """Return what loads the project's backbone, to be run on the worker thread.

    A project keeps the backbone it has: with `auto` it is loaded again, and must have the same
    weights and preprocessing; one that was fine-tuned on its samples lies in its folder. Only a
    backbone that was asked for by name replaces it. A new project that leaves it to us begins
    with the built-in one, and says so, where official weights stop coming on the way.

    Args:
        store: The project.
        choice: What the user asked for.
        may_change: Whether the project may get a backbone, or another one, at all.
        choose: Turns `auto` into a name.
        open_backbone: Opens what was chosen.
    """

    def load(progress: Progress, cancelled: Cancelled) -> LoadedBackbone:
        known = store.backbone
        keep = known is not None and choice.is_auto
        kind = choice.feature_kind or (known.feature_kind if known else "pooled")
        name = known.name if keep and known else choice.name
        if keep and known and (own := tuned_weights(store.path, known)):
            tuned = read_tuned(own, kind)
            backbone = LiteRTBackbone(tuned.info, tuned.extractor, choice.threads)
            joined = _joined(store, backbone, f"{name}, fine-tuned on this project", may_change)
            return replace(joined, has_seen_samples=True)
        chosen = choose(name, weights=choice.weights)
        try:
            backbone = open_backbone(
                chosen.name,
                weights=choice.weights,
                feature_kind=kind,
                threads=choice.threads,
                progress=progress,
                cancelled=cancelled,
            )
        except (DownloadError, WeightsMismatchError) as error:
            if not may_be_built_in(store, choice):
                raise
            chosen = Choice(BUILT_IN, f"{BUILT_IN} instead: {error}")
            backbone = open_backbone(BUILT_IN, feature_kind=kind, threads=choice.threads)
        if keep and known and backbone.info.weights_sha256 != known.weights_sha256:
            raise BackboneMismatchError(
                f"{store.name} was captured with other weights of {known.name} "
                f"({known.weights_sha256[:12]}, here {backbone.info.weights_sha256[:12]}); "
                f"`edge-classifier train {store.path} "
                f"--backbone {known.name}` changes the project to these."
            )
        if keep and known and backbone.info.preprocessing != known.preprocessing:
            raise BackboneMismatchError(
                f"{store.name} was captured with other preprocessing of {known.name} than this "
                f"version has; `edge-classifier train {store.path} "
                f"--backbone {known.name}` changes the project to this."
            )
        note = f"{name}, as before" if keep else chosen.reason
        return _joined(store, backbone, note, may_change)

    return load


def may_be_built_in(store: ProjectStore, choice: BackboneChoice) -> bool:
    """Say whether the built-in backbone may take the place of one that cannot be had."""
    left_to_us = choice.is_auto and choice.weights is None and store.backbone is None
    return left_to_us and built_in_folder() is not None


def _joined(
    store: ProjectStore,
    backbone: LiteRTBackbone,
    note: str,
    may_change: bool,  # noqa: FBT001 - as the caller was told
) -> LoadedBackbone:
    """Let a project use a backbone, and give it with what was computed and learned with it."""
    known, info, writable = store.backbone, backbone.info, not store.read_only
    if may_change and writable and (known is None or known.key != info.key):
        store.set_backbone(info, replace=known is not None)
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim, writable=writable)
    models = FileModelStore(store.model_folder, writable=writable)
    varied = FileFeatureCache(
        store.cache_folder, f"{info.key} {VARIANTS_VERSION}", info.feature_dim, writable=writable
    )
    if writable:
        _forget_what_was_removed(store, cache, varied)
    variation = Variation(make_variants, varied, info.feature_dim)
    return LoadedBackbone(backbone, cache, models, note, variation)


def _forget_what_was_removed(
    store: ProjectStore, cache: FileFeatureCache, varied: FileFeatureCache
) -> None:
    """Rewrite the caches once most of what they hold belongs to removed samples."""
    shas = [s.image_sha256 for s in (*store.samples(), *store.held_out())]
    with suppress(ProjectError):  # what cannot be written is said when there is need to
        if cache.record_count() > 2 * len(shas) + _SPARE_RECORDS:
            cache.compact(shas)
        if varied.record_count() > VARIANTS * (2 * len(shas) + _SPARE_RECORDS):
            varied.compact([variant_sha256(sha, n) for sha in shas for n in range(VARIANTS)])
