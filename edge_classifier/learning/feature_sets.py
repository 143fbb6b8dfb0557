"""From labelled pictures to a feature set to learn from: a project's samples, or picture files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.features.bulk import compute_each
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.dataset import Dataset
from edge_classifier.features.variants import make_variants
from edge_classifier.learning.recordings import AddedPictures, added_pictures, with_recordings
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.sample_files import recording_of
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Progress
    from edge_classifier.values import Sample, Variants


@dataclass(frozen=True, slots=True, eq=False)
class ProjectFeatures:
    """A project's samples with their features.

    Attributes:
        samples: Those whose pictures could be read, in the order of the features.
        feature_set: Their features; frames of one recording are one burst, also where the samples
            were added one by one, unless the project's settings say otherwise.
        refused: Why each of the others could not be read, one line each.
    """

    dataset: Dataset
    samples: tuple[Sample, ...]
    feature_set: FeatureSet
    refused: tuple[str, ...]

    @property
    def added(self) -> AddedPictures:
        """What the samples that were added one by one turned out to be."""
        added_ids = np.array([recording_of(s.burst_id) for s in self.samples], np.str_)
        return added_pictures(added_ids, self.feature_set.burst_ids)

    def burst_count(self, class_name: str) -> int:
        """Bursts of a class."""
        names = self.feature_set.class_names
        if class_name not in names:
            return 0
        own = self.feature_set.class_ids == names.index(class_name)
        return len(np.unique(self.feature_set.burst_ids[own]))


def complete_features(
    store: ProjectStore,
    loaded: LoadedBackbone,
    progress: Progress,
    *,
    samples: Sequence[Sample] | None = None,
    threads: int | None = None,
) -> ProjectFeatures:
    """Collect the features of a project's samples; compute those that are missing, and keep them.

    Other `samples` than its own can be given; these are not varied. `threads` compute, all cores
    if `None`.
    """
    dataset = Dataset.of(store, samples)
    stored = tuple(dataset.samples)
    info = loaded.backbone.info
    # Not `loaded.cache.load`, which would hold all features twice for a moment.
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
    features, known = cache.select([s.image_sha256 for s in stored])
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(~known).tolist():  # two samples may be the same picture
        rows.setdefault(stored[row].image_sha256, []).append(row)

    def keep(sample: Sample, computed: npt.NDArray[np.float32]) -> None:
        same = rows[sample.image_sha256]
        features[same] = computed
        known[same] = True
        if not store.read_only:
            loaded.cache.append(sample.image_sha256, computed)

    missing = [stored[same[0]] for same in rows.values()]
    refused = compute_each(
        missing,
        lambda sample: read_image(sample.path),
        loaded.backbone.extract,
        keep,
        progress=progress,
        what="computing features",
        threads=threads,
    )
    if refused:
        features = features[known]
    readable = tuple(s for s, is_known in zip(stored, known, strict=True) if is_known)
    settings = project_head_settings(store)
    varied = samples is None and settings.kind == "linear"
    variants = _complete_variants(loaded, readable, progress, threads) if varied else None
    labelled = dataset.labelled(readable, features, variants, loaded.strangers)
    if settings.bursts == "found":
        labelled = with_recordings(labelled)
    return ProjectFeatures(dataset, readable, labelled, tuple(refused))


def _complete_variants(
    loaded: LoadedBackbone,
    samples: Sequence[Sample],
    progress: Progress,
    threads: int | None,
) -> Variants | None:
    variation, extract = loaded.variation, loaded.backbone.extract
    if variation is None:
        return None
    compute_each(  # a picture that is refused was removed just now
        variation.missing(samples),
        lambda sample: read_image(sample.path),
        lambda images: extract(make_variants(images[0]))[None],
        lambda sample, computed: variation.keep(sample.image_sha256, computed),
        progress=progress,
        what="varying the pictures",
        threads=threads,
    )
    return variation.of(samples)


def picture_features(
    pictures: Sequence[tuple[Path, int]],
    backbone: Backbone,
    class_names: tuple[str, ...],
    progress: Progress,
    *,
    read: Callable[[Path], Image] = read_image,
    threads: int | None = None,
) -> tuple[FeatureSet, list[Path], list[str]]:
    """Compute the features of picture files, each with the index of its class.

    Frames of one recording are one burst, every other is one by itself. `read`, called from
    several threads, gives `(H, W, 3)` uint8 BGR.

    Returns:
        The features; the file of each row; why each of the others was refused, one line each.
    """
    features = np.empty((len(pictures), backbone.info.feature_dim), np.float32)
    kept: list[tuple[Path, int]] = []

    def keep(picture: tuple[Path, int], computed: npt.NDArray[np.float32]) -> None:
        features[len(kept)] = computed
        kept.append(picture)

    refused = compute_each(
        pictures,
        lambda picture: read(picture[0]),
        backbone.extract,
        keep,
        progress=progress,
        what="computing features",
        threads=threads,
    )
    rows = FeatureSet(
        features[: len(kept)],
        np.array([class_id for _, class_id in kept], np.int64),
        np.array([str(n) for n in range(len(kept))], np.str_),
        class_names,
    )
    return with_recordings(rows), [path for path, _ in kept], refused
