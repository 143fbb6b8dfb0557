"""A project's backbone: chosen, opened with what was computed with it, replaced."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.errors import (
    BackboneMismatchError,
    DownloadError,
    ProjectError,
    WeightsMismatchError,
)
from edge_classifier.features.backbone import Choice, LiteRTBackbone, choose_backbone, load_backbone
from edge_classifier.features.built_in import built_in_folder
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.carried import carried_extractor
from edge_classifier.features.catalogue import AUTO, BUILT_IN
from edge_classifier.features.strangers import Strangers
from edge_classifier.features.tuned import read_tuned, tuned_weights
from edge_classifier.features.variants import VARIANTS, VARIANTS_VERSION, Variation, variant_sha256
from edge_classifier.learning.adaptation_file import FileAdaptationStore
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.protocols import never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import BackboneInfo, FeatureKind


@dataclass(frozen=True, slots=True, eq=False)
class LoadedBackbone:
    """A backbone in use, with what was computed and learned with it.

    Attributes:
        cache: Features computed before.
        models: Where the trained model is kept.
        adaptation: Where the frames are kept that the project was adapted to.
        note: Which backbone was chosen and why, one line for the user.
        variation: Variants of the samples, or `None` where nothing is learned from any.
        strangers: What the level of "unknown" is set by, or `None`.
        has_seen_samples: Whether it was fine-tuned on the project's samples, so that nothing
            measured on these says how good it is with others.
    """

    backbone: Backbone
    cache: FileFeatureCache
    models: FileModelStore
    adaptation: FileAdaptationStore
    note: str
    variation: Variation | None = None
    strangers: Strangers | None = None
    has_seen_samples: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the files; may be called twice."""
        self.cache.close()
        if self.variation:
            self.variation.close()


_SPARE_RECORDS: Final = 500  # rewriting takes longer than reading so many for nothing

ChooseBackbone: TypeAlias = "Callable[..., Choice]"
"""Turns the wish for `auto` into a name, as `choose_backbone` does."""

OpenBackbone: TypeAlias = "Callable[..., LiteRTBackbone]"
"""Opens a backbone, as `load_backbone` does."""


@dataclass(frozen=True, slots=True)
class BackboneChoice:
    """Which backbone a user asked for: a name of the catalogue or `auto`, maybe with own weights.

    Attributes:
        feature_kind: `None` takes the project's, else `pooled`.
        threads: Of the interpreter.
    """

    name: str = AUTO
    weights: Path | None = None
    feature_kind: FeatureKind | None = None
    threads: int = 1


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
    weights and preprocessing; one that was fine-tuned on its samples lies in its folder, and a
    copy may carry another one, compiled (`features.carried`). What was compiled of the project's
    weights on this machine needs these no more. Only a
    backbone that was asked for by name replaces it, if it `may_change` at all. A new project
    that leaves it to us begins with the built-in one, and says so, where official weights stop
    coming on the way.

    `choose` turns `auto` into a name as `choose_backbone` does, `open_backbone` opens what was
    chosen as `load_backbone` does.
    """

    def load(progress: Progress, cancelled: Cancelled) -> LoadedBackbone:
        known = store.backbone
        kept = known if choice.name == AUTO else None
        kind = choice.feature_kind or (known.feature_kind if known else "pooled")
        name = kept.name if kept else choice.name
        if kept and (tuned_file := tuned_weights(store.path, kept)):
            tuned = read_tuned(tuned_file, kind)
            backbone = LiteRTBackbone(tuned.info, tuned.extractor, choice.threads)
            note = f"{name}, fine-tuned on this project"
            loaded = _with_its_files(store, backbone, note, may_change=may_change)
            return replace(loaded, has_seen_samples=True)
        same = known if known and known.name == name else None
        weights = choice.weights or (carried_extractor(store.path, same) if same else None)
        chosen = choose(name, weights=weights)
        try:
            backbone = open_backbone(
                chosen.name,
                weights=weights,
                weights_sha256=same.weights_sha256 if same else None,
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
        if kept:
            _check_unchanged(store, kept, backbone.info, choice)
        note = f"{name}, as before" if kept else chosen.reason
        return _with_its_files(store, backbone, note, may_change=may_change)

    return load


def _check_unchanged(
    store: ProjectStore, known: BackboneInfo, info: BackboneInfo, choice: BackboneChoice
) -> None:
    """Refuse a backbone of the same name whose features are not those of the project.

    Raises:
        BackboneMismatchError: saying what differs, and what to do.
    """
    given = f" --weights {choice.weights}" if choice.weights else ""
    if info.weights_sha256 != known.weights_sha256:
        raise BackboneMismatchError(
            f"{store.name} was captured with other weights of {known.name} "
            f"({known.weights_sha256[:12]}, here {info.weights_sha256[:12]}); "
            f"`edge-classifier train {store.path} --backbone {known.name}{given}` changes the "
            "project to these."
        )
    if info.preprocessing != known.preprocessing:
        raise BackboneMismatchError(
            f"{store.name} was captured with other preprocessing of {known.name} than this "
            f"version has; `edge-classifier train {store.path} --backbone {known.name}` changes "
            "the project to this."
        )


def may_be_built_in(store: ProjectStore, choice: BackboneChoice) -> bool:
    """Say whether the built-in backbone may take the place of one that cannot be had."""
    left_to_us = choice.name == AUTO and choice.weights is None and store.backbone is None
    return left_to_us and built_in_folder() is not None


def _with_its_files(
    store: ProjectStore, backbone: LiteRTBackbone, note: str, *, may_change: bool
) -> LoadedBackbone:
    """Let a project use a backbone, and give it with what was computed and learned with it."""
    known, info, writable = store.backbone, backbone.info, not store.read_only
    if may_change and writable and (known is None or known.key != info.key):
        store.set_backbone(info, replace=known is not None)
    check = store.check_writable
    cache = FileFeatureCache(
        store.cache_folder, info.key, info.feature_dim, writable=writable, check=check
    )
    models = FileModelStore(store.model_folder, writable=writable, check=check)
    varied = FileFeatureCache(
        store.cache_folder,
        f"{info.key} {VARIANTS_VERSION}",
        info.feature_dim,
        writable=writable,
        check=check,
    )
    if writable:
        _forget_what_was_removed(store, cache, varied)
    variation = Variation(varied, info.feature_dim)
    adaptation = FileAdaptationStore(store.model_folder, info.key, writable=writable, check=check)
    return LoadedBackbone(backbone, cache, models, adaptation, note, variation, Strangers(backbone))


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


def load_project_backbone(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, *, may_change: bool
) -> LoadedBackbone:
    """Load a project's backbone; as a context manager it is closed at the block's end.

    Raises:
        BackboneMismatchError: if another one was asked for by name, and may not replace it.
        BackboneError: if it cannot be had.
    """
    loaded = backbone_loader(store, choice, may_change=may_change)(progress, never_cancelled)
    known, info = store.backbone, loaded.backbone.info
    if known is not None and known.key != info.key:
        loaded.close()
        same_kind = known.feature_kind == info.feature_kind
        other = "other weights of" if same_kind and known.name == info.name else "the backbone"
        option = "" if same_kind else f" --features {info.feature_kind}"
        option += f" --weights {choice.weights}" if choice.weights else ""
        raise BackboneMismatchError(
            f"{store.name} was trained on {other} {known.name} with {known.feature_kind} "
            f"features; `edge-classifier train {store.path} --backbone {info.name}{option}` "
            "changes that."
        )
    return loaded
