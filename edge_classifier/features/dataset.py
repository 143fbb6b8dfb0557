"""What was captured so far, as values: classes, samples, bursts, and the features known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.errors import InvalidValueError
from edge_classifier.features.subsample import pick_evenly
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_classifier.features.variation import Variation
    from edge_classifier.values import Features, Sample, Variants


class FeatureTable:
    """Features by image hash, in one array that grows.

    Args:
        feature_dim: D, the number of features per image.
    """

    def __init__(self, feature_dim: int) -> None:
        self._rows: dict[str, int] = {}
        self._features = np.empty((0, feature_dim), np.float32)

    @property
    def feature_dim(self) -> int:
        """D, the number of features per image."""
        return int(self._features.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_sha256: str) -> bool:
        return image_sha256 in self._rows

    def add(self, image_sha256: str, features: Features) -> None:
        """Add one image's features, `(D,)` float32; adding a known image changes nothing."""
        if image_sha256 in self._rows:
            return
        row = len(self._rows)
        if row == len(self._features):
            grown = np.empty((max(64, row + row // 2), self._features.shape[1]), np.float32)
            grown[:row] = self._features
            self._features = grown
        self._features[row] = features
        self._rows[image_sha256] = row

    def fill(self, image_sha256s: Sequence[str], features: Features) -> None:
        """Take over a whole array `(N, D)`, for an empty table; the array is not copied.

        Raises:
            InvalidValueError: if the table is not empty or the sizes do not agree.
        """
        if self._rows or features.shape != (len(image_sha256s), self._features.shape[1]):
            raise InvalidValueError(
                f"Expected an empty table and {len(image_sha256s)} rows of "
                f"{self._features.shape[1]} features, received {features.shape}."
            )
        self._rows = {sha: row for row, sha in enumerate(image_sha256s)}
        self._features = features

    def only(self, image_sha256s: Iterable[str]) -> FeatureTable:
        """Copy what is known of these images into a table of its own; this one stays as it is."""
        kept = dict.fromkeys(sha for sha in image_sha256s if sha in self._rows)
        table = FeatureTable(self._features.shape[1])
        table.fill(list(kept), self.take(list(kept)))
        return table

    def take(self, image_sha256s: Sequence[str]) -> Features:
        """Copy the features of known images, `(N, D)` float32.

        Raises:
            KeyError: if an image is not known.
        """
        return self._features[[self._rows[sha] for sha in image_sha256s]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The classes and samples of a project at one moment.

    Attributes:
        class_names: In the order of their keys.
        samples: By class, then in the order they were captured.
    """

    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
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
    ) -> FeatureSet:
        """Collect the known features of all samples; classes without any are left out.

        Args:
            table: What is known.
            most_per_class: Of more samples some are chosen, evenly in the order of capture.
            variation: Known variants of the samples, which are collected with them.
        """
        known = [s for s in self.samples if s.image_sha256 in table]
        if most_per_class is not None:
            ids = {name: i for i, name in enumerate(self.class_names)}
            class_ids = np.array([ids[s.class_name] for s in known], np.int64)
            known = [known[n] for n in pick_evenly(class_ids, np.full(len(ids), most_per_class))]
        variants = variation.of(known) if variation else None
        return self.labelled(known, table.take([s.image_sha256 for s in known]), variants)

    def labelled(
        self, samples: Sequence[Sample], features: Features, variants: Variants | None = None
    ) -> FeatureSet:
        """Join some of the samples with their features; classes without any are left out.

        Args:
            samples: N of them.
            features: `(N, D)` float32; not copied.
            variants: Of these samples, counted as they are.
        """
        present = {s.class_name for s in samples}
        class_names = tuple(name for name in self.class_names if name in present)
        ids = {name: i for i, name in enumerate(class_names)}
        return FeatureSet(
            features,
            np.array([ids[s.class_name] for s in samples], np.int64),
            _strings(s.burst_id for s in samples),
            class_names,
            variants,
        )


def _strings(values: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.array(list(values), np.str_)
