"""The preprocessing contract and the interpreter, by which everything else stands or falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_classifier.device.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]


def _noise(height: int, width: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _smooth(height: int, width: int) -> Image:
    """A picture without detail that any resampling could alias."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = [x / width, y / height, (x + y) / (width + height)]
    return (np.stack(planes, axis=-1) * 255).astype(np.uint8)


def _bilinear(image: Image, size: int) -> npt.NDArray[np.float64]:
    """Interpolate between the centres of pixels, in the plainest way."""
    side = image.shape[0]
    at = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, side - 1)
    part = (at - low)[:, None]
    rows = image[low] * (1 - part[..., None]) + image[high] * part[..., None]
    columns: npt.NDArray[np.float64] = rows[:, low] * (1 - part) + rows[:, high] * part
    return columns


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (100, 333), (224, 225)])
def test_only_the_centred_square_counts_and_nothing_is_squashed(height: int, width: int) -> None:
    image = _noise(height, width)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    outside = np.full_like(image, 255)
    outside[top : top + side, left : left + side] = square
    preprocessing = Preprocessing(224)
    np.testing.assert_array_equal(preprocessing.square(image), preprocessing.square(square))
    np.testing.assert_array_equal(preprocessing.square(image), preprocessing.square(outside))


def test_a_circle_stays_a_circle() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(image, (320, 240), 150, (255, 255, 255), cv2.FILLED)
    white = Preprocessing(224).square(image)[..., 0] > 127
    assert np.ptp(np.flatnonzero(white.any(0))) == np.ptp(np.flatnonzero(white.any(1)))


@pytest.mark.parametrize("side", [100, 224, 480, 1080])
def test_blue_green_red_becomes_red_green_blue(side: int) -> None:
    image = np.empty((side, side, 3), np.uint8)
    image[:] = (10, 20, 30)
    np.testing.assert_array_equal(
        Preprocessing(224).square(image), np.broadcast_to([30, 20, 10], (224, 224, 3))
    )


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 255.0), (0.0, 1.0)])
def test_black_is_low_and_white_is_high(low: float, high: float) -> None:
    image = np.zeros((224, 224, 3), np.uint8)
    image[112:] = 255
    pixels = Preprocessing(224, low=low, high=high).apply(image)
    assert pixels.dtype == np.float32
    assert pixels.shape == (224, 224, 3)
    np.testing.assert_allclose(pixels[:112], low, atol=1e-6)
    np.testing.assert_allclose(pixels[112:], high, atol=1e-6)


def test_every_level_is_scaled_linearly() -> None:
    image = np.empty((16, 16, 3), np.uint8)
    image[:] = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    pixels = Preprocessing(16).apply(image)
    np.testing.assert_allclose(pixels[..., 0].ravel(), np.arange(256) / 127.5 - 1, atol=1e-6)


def test_writing_into_a_given_array_gives_the_same() -> None:
    image = _noise(480, 640)
    out = np.full((224, 224, 3), np.nan, np.float32)
    preprocessing = Preprocessing(224)
    assert preprocessing.apply(image, out=out) is out
    np.testing.assert_array_equal(out, preprocessing.apply(image))


def test_the_image_itself_is_left_as_it_was() -> None:
    image = _noise(224, 224)
    before = image.copy()
    Preprocessing(224).apply(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("side", [64, 160, 223, 225, 300, 447])
def test_a_picture_under_twice_the_input_size_is_plain_bilinear(side: int) -> None:
    image = _noise(side, side)
    expected = _bilinear(image[..., ::-1].astype(np.uint8), 224)
    given = Preprocessing(224).square(image)
    assert np.abs(given - expected).max() < 1.5  # OpenCV weighs in steps of 1/256, twice
    np.testing.assert_array_equal(given, Preprocessing(224, resize="bilinear").square(image))


def test_a_picture_of_twice_the_input_size_is_exact_means_of_two_by_two() -> None:
    image = _noise(448, 448)
    means = image[..., ::-1].reshape(224, 2, 224, 2, 3).astype(np.float64).mean(axis=(1, 3))
    assert np.abs(Preprocessing(224).square(image) - means).max() <= 0.5


@pytest.mark.parametrize("side", [448, 480, 899, 1080, 2160])
def test_a_large_picture_does_not_alias(side: int) -> None:
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[:, ::2] = 254
    assert np.ptp(Preprocessing(224).square(stripes)[:, 2:-2].astype(int)) <= 130
    assert abs(float(Preprocessing(224).square(stripes).mean()) - 127) < 2


@pytest.mark.parametrize("side", [500, 720, 1080])
def test_a_smooth_large_picture_looks_as_area_averaging_makes_it(side: int) -> None:
    image = _smooth(side, side)
    area = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)[..., ::-1]
    assert np.abs(Preprocessing(224).square(image).astype(int) - area).max() <= 3


@pytest.mark.parametrize(
    ("size", "low", "high"), [(0, -1.0, 1.0), (224, 1.0, 1.0), (224, 1.0, -1.0)]
)
def test_a_senseless_preprocessing_is_refused(size: int, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="received"):
        Preprocessing(size, low=low, high=high)
