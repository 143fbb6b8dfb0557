"""What was captured so far: the classes and samples of a project at one moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.subsample import pick_evenly
from edge_classifier.project.sample_files import recording_of
from edge_classifier.project.samples import NO_SAMPLES, Samples
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edge_classifier.features.feature_table import FeatureTable
    from edge_classifier.features.strangers import Strangers
    from edge_classifier.features.variants import Variation
    from edge_classifier.project.samples import ClassSamples
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Features, Sample, Variants

_LOOKED_AT: Final = 4
"""Times as many samples as are wanted of a class: enough of them will be known."""

REVIEWED_SETTING: Final = "reviewed"
"""Under this name a project's settings hold the hashes of pictures that a person called right."""


def stored_reviewed(settings: Mapping[str, object]) -> frozenset[str]:
    """Read from a project's settings which pictures were called right, those in the trash too."""
    stored = settings.get(REVIEWED_SETTING)
    if not isinstance(stored, list):
        return frozenset()
    return frozenset(sha for sha in stored if isinstance(sha, str))


@dataclass(frozen=True)
class Dataset:
    """The classes and samples of a project at one moment.

    One is made for each picture that is captured, so that costs the same however many there are.

    Attributes:
        class_names: In the order of their keys.
        samples: By class, then in the order they were captured.
        called_right: Hashes of pictures that a person has looked at and called right, those in the
            trash too.
    """

    class_names: tuple[str, ...]
    samples: Samples
    called_right: frozenset[str] = frozenset()

    @classmethod
    def of(cls, store: ProjectStore, samples: Iterable[Sample] | None = None) -> Dataset:
        """Take what a project has at this moment, or other samples of its classes."""
        return cls(
            store.class_names(),
            store.now() if samples is None else Samples.of(samples),
            stored_reviewed(store.settings),
        )

    def of_class(self, class_name: str) -> ClassSamples:
        """The samples of a class."""
        return self.samples.of_class.get(class_name, NO_SAMPLES)

    def count(self, class_name: str) -> int:
        """Samples of a class."""
        return len(self.of_class(class_name))

    def newest(self, class_name: str) -> Sample | None:
        """The sample of a class that was captured last."""
        samples = self.of_class(class_name)
        return samples[-1] if samples else None

    def burst_count(self, class_name: str) -> int:
        """Bursts of a class."""
        return self.of_class(class_name).burst_count

    @cached_property
    def reviewed(self) -> frozenset[str]:
        """Hashes of the samples that a person has called right."""
        if not self.called_right:
            return self.called_right
        return self.called_right.intersection(sample.image_sha256 for sample in self.samples)

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
        newest = [samples[-1].burst_id for samples in self.samples.of_class.values()]
        last = max(newest, default="")
        return tuple(sample for sample in self.samples if sample.burst_id == last)

    @property
    def captured_classes(self) -> tuple[str, ...]:
        """The classes that have samples."""
        return tuple(name for name in self.class_names if name in self.samples.of_class)

    def feature_set(
        self,
        table: FeatureTable,
        most_per_class: int | None = None,
        variation: Variation | None = None,
        strangers: Strangers | None = None,
    ) -> FeatureSet:
        """Collect the known features of all samples; classes without any are left out.

        Of more than `most_per_class` samples some are chosen, evenly in the order of capture; of
        classes many times as large most are not even looked at. The variants that `variation`
        knows of the samples are collected with them, and `strangers`.
        """
        known: list[Sample] = []
        for of_class in self.samples.of_class.values():
            looked_at: Sequence[Sample] = of_class
            if most_per_class and len(of_class) > _LOOKED_AT * most_per_class:
                looked_at = of_class[:: len(of_class) // (_LOOKED_AT * most_per_class)]
            found = [sample for sample in looked_at if sample.image_sha256 in table]
            if most_per_class and len(found) > most_per_class:
                rows = pick_evenly(np.zeros(len(found), np.int64), np.array([most_per_class]))
                found = [found[row] for row in rows]
            known += found
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
            np.array([recording_of(s.burst_id) for s in samples], np.str_),
            class_names,
            variants,
            strangers.features() if strangers else None,
            np.array([s.image_sha256 in self.reviewed for s in samples]) if self.reviewed else None,
        )
