"""What was captured so far: the classes and samples of a project at one moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.features.strangers import Strangers
    from edge_classifier.features.variants import Variation
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Features, Sample, Variants

REVIEWED_SETTING: Final = "reviewed"
"""Under this name a project's settings hold the hashes of pictures that a person called right."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The classes and samples of a project at one moment.

    Attributes:
        class_names: In the order of their keys.
        samples: By class, then in the order they were captured.
        reviewed: Hashes of pictures that a person has looked at and called right.
    """

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    reviewed: frozenset[str] = frozenset()
    _counts: dict[str, int] = field(init=False, repr=False, compare=False)
    _newest: dict[str, Sample] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = dict.fromkeys(self.class_names, 0)
        newest: dict[str, Sample] = {}
        for sample in self.samples:
            counts[sample.class_name] += 1
            newest[sample.class_name] = sample
        object.__setattr__(self, "_counts", counts)
        object.__setattr__(self, "_newest", newest)

    @classmethod
    def of(cls, store: ProjectStore, samples: tuple[Sample, ...] | None = None) -> Dataset:
        """Take what a project has at this moment, or other samples of its classes."""
        if samples is None:
            samples = store.samples()
        stored = store.settings.get(REVIEWED_SETTING)
        listed = stored if isinstance(stored, list) else []
        called_right = {sha for sha in listed if isinstance(sha, str)}
        reviewed = called_right and called_right & {sample.image_sha256 for sample in samples}
        return cls(store.class_names(), samples, frozenset(reviewed))

    def count(self, class_name: str) -> int:
        """Samples of a class."""
        return self._counts[class_name]

    def newest(self, class_name: str) -> Sample | None:
        """The sample of a class that was captured last."""
        return self._newest.get(class_name)

    def burst_count(self, class_name: str) -> int:
        """Bursts of a class."""
        return len({s.burst_id for s in self.samples if s.class_name == class_name})

    @property
    def fingerprint(self) -> str:
        """A hash of the classes and samples, to tell whether a model was trained on just these."""
        digest = hashlib.sha256("\0".join(self.class_names).encode())
        for sample in self.samples:
            digest.update(f"\n{sample.class_name}\0{sample.image_sha256}".encode())
        for sha in sorted(self.reviewed):
            digest.update(f"\nreviewed {sha}".encode())
        return digest.hexdigest()

    @property
    def last_burst(self) -> tuple[Sample, ...]:
        """The samples of the burst that was captured last, over all classes."""
        if not self.samples:
            return ()
        last = max(sample.burst_id for sample in self.samples)
        return tuple(sample for sample in self.samples if sample.burst_id == last)

    @property
    def captured_classes(self) -> tuple[str, ...]:
        """The classes that have samples."""
        return tuple(name for name in self.class_names if self._counts[name])

    def missing(self, table: FeatureTable) -> tuple[Sample, ...]:
        """The samples whose features are not known yet."""
        return tuple(s for s in self.samples if s.image_sha256 not in table)

    def feature_set(
        self,
        table: FeatureTable,
        most_per_class: int | None = None,
        variation: Variation | None = None,
        strangers: Strangers | None = None,
    ) -> FeatureSet:
        """Collect the known features of all samples; classes without any are left out.

        Of more than `most_per_class` samples some are chosen, evenly in the order of capture. The
        variants that `variation` knows of the samples are collected with them, and `strangers`.
        """
        known = [s for s in self.samples if s.image_sha256 in table]
        if most_per_class is not None:
            ids = {name: i for i, name in enumerate(self.class_names)}
            class_ids = np.array([ids[s.class_name] for s in known], np.int64)
            known = [known[n] for n in pick_evenly(class_ids, np.full(len(ids), most_per_class))]
        variants = variation.of(known) if variation else None
        features = table.take([s.image_sha256 for s in known])
        return self.labelled(known, features, variants, strangers)

    def labelled(
        self,
        samples: Sequence[Sample],
        features: Features,
        variants: Variants | None = None,
        strangers: Strangers | None = None,
    ) -> FeatureSet:
        """Join N of the samples with their features `(N, D)`, which are not copied.

        Classes without any are left out. The rows of `variants` count these samples.
        """
        present = {s.class_name for s in samples}
        class_names = tuple(name for name in self.class_names if name in present)
        ids = {name: i for i, name in enumerate(class_names)}
        return FeatureSet(
            features,
            np.array([ids[s.class_name] for s in samples], np.int64),
            np.array([s.burst_id for s in samples], np.str_),
            class_names,
            variants,
            strangers.features() if strangers else None,
            np.array([s.image_sha256 in self.reviewed for s in samples]) if self.reviewed else None,
        )
