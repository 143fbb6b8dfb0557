from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.variants import MOST_VARIED, VARIANTS, Variation
from edge_classifier.values import Sample

DIM = 4


def taken(count: int, start: int = 0) -> tuple[Sample, ...]:
    return tuple(
        Sample("mug", "b0000001", Path(f"{n}.jpg"), f"{n:064x}")
        for n in range(start, start + count)
    )


def opened(folder: Path) -> Variation:
    return Variation(FileFeatureCache(folder, "key", DIM), DIM)


def marked(mark: float) -> np.ndarray:
    return (
        np.full((VARIANTS, DIM), mark, np.float32) + np.arange(VARIANTS, dtype=np.float32)[:, None]
    )


def test_variants_are_computed_once_and_outlive_the_program(tmp_path: Path) -> None:
    samples = taken(3)
    first = opened(tmp_path)
    assert first.missing(samples) == samples
    first.keep(samples[1].image_sha256, marked(10))
    first.close()
    again = opened(tmp_path)
    assert again.missing(samples) == (samples[0], samples[2])
    variants = again.of(samples)
    assert variants is not None
    np.testing.assert_array_equal(variants.features, marked(10))
    assert variants.rows.tolist() == [1] * VARIANTS
    again.close()


def test_a_picture_that_is_there_twice_is_varied_once_and_counts_twice(tmp_path: Path) -> None:
    (sample,) = taken(1)
    variation = opened(tmp_path)
    assert variation.missing((sample, sample)) == (sample,)
    variation.keep(sample.image_sha256, marked(0))
    variants = variation.of((sample, sample))
    assert variants is not None
    assert variants.rows.tolist() == [0] * VARIANTS + [1] * VARIANTS
    variation.close()


def test_nothing_is_varied_where_there_are_many_samples(tmp_path: Path) -> None:
    many = taken(MOST_VARIED + 1)
    variation = opened(tmp_path)
    variation.keep(many[0].image_sha256, marked(0))
    assert variation.missing(many) == ()
    assert variation.of(many) is None
    assert variation.of(many[1:3]) is None
    variation.close()


def test_what_a_crash_left_half_kept_is_computed_again(tmp_path: Path) -> None:
    """The variant that stands for all is written last."""
    (sample,) = taken(1)
    whole = opened(tmp_path)
    whole.keep(sample.image_sha256, marked(0))
    whole.close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-8])
    again = opened(tmp_path)
    assert again.missing((sample,)) == (sample,)
    assert again.of((sample,)) is None
    again.close()


def test_variants_of_what_was_removed_do_not_pile_up(tmp_path: Path) -> None:
    variation = opened(tmp_path)
    there = taken(5)
    for sample in (*there, *taken(300, start=5)):
        variation.keep(sample.image_sha256, marked(1))
        variation.missing(there)
    assert len(variation._table) <= VARIANTS * (2 * 5 + 64 + 1)
    assert variation.missing(there) == ()
    variants = variation.of(there)
    assert variants is not None
    assert len(variants.features) == VARIANTS * 5
    variation.close()
