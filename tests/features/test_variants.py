from __future__ import annotations

import numpy as np
import pytest

from edge_classifier.device.preprocessing import Image
from edge_classifier.features.variants import VARIANTS, make_variants


def photograph(height: int = 480, width: int = 640) -> Image:
    """Make a picture with soft shapes, as a camera gives."""
    rows, columns = np.mgrid[0:height, 0:width] / 40
    planes = [
        127 + 100 * np.sin(rows * a) * np.cos(columns * b) for a, b in ((1, 2), (2, 1), (3, 3))
    ]
    return np.stack(planes, axis=-1).astype(np.uint8)


def test_a_picture_is_always_varied_in_the_same_ways() -> None:
    for once, again in zip(make_variants(photograph()), make_variants(photograph()), strict=True):
        np.testing.assert_array_equal(once, again)


def test_no_variant_is_like_another_or_another_pictures() -> None:
    first, other = make_variants(photograph()), make_variants(photograph(640, 480))
    assert len(first) == VARIANTS
    sizes_and_means = {(v.shape[0], round(float(v.mean()), 3)) for v in (*first, *other)}
    assert len(sizes_and_means) == 2 * VARIANTS


def test_the_middle_of_the_picture_stays_in_sight() -> None:
    """A bright spot in the middle, on black: a crop that lost it would be black."""
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[200:280, 280:360] = 255
    for variant in make_variants(picture):
        assert variant.max() > 100


def test_nothing_is_taken_from_outside_the_square_that_a_network_sees() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :80] = picture[:, 560:] = 255
    for variant in make_variants(picture):
        assert variant.max() < 30


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (33, 20)])
def test_the_smallest_pictures_can_be_varied(shape: tuple[int, int]) -> None:
    for variant in make_variants(np.full((*shape, 3), 90, np.uint8)):
        assert variant.dtype == np.uint8
        assert variant.shape[0] == variant.shape[1] >= 1
