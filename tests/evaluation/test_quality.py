from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.exported_project import picture as draw

from edge_classifier.device.preprocessing import Image
from edge_classifier.evaluation.quality import measure_quality


@pytest.fixture(scope="module")
def picture() -> Image:
    return draw(1, 0)


def test_blur_costs_most_of_the_sharpness_and_little_of_the_contrast(picture: Image) -> None:
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 3), np.uint8)
    sharp, soft = measure_quality(picture), measure_quality(blurred)
    assert soft.sharpness < sharp.sharpness / 8
    assert soft.contrast > sharp.contrast / 2


def test_a_picture_has_the_same_quality_at_twice_the_size(picture: Image) -> None:
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    assert measure_quality(large) == measure_quality(picture)


def test_clipped_parts_are_parts_of_what_the_network_sees() -> None:
    image = np.full((240, 320, 3), 128, np.uint8)
    image[:, 40:160] = 255  # the left half of the central square
    image[:60, 160:280] = 0  # a quarter of the right half
    image[:, :40] = 0  # outside
    quality = measure_quality(image)
    assert quality.white == pytest.approx(0.5, abs=0.01)
    assert quality.black == pytest.approx(0.125, abs=0.01)


def test_a_picture_of_nothing_has_neither_edge_nor_contrast() -> None:
    quality = measure_quality(np.full((1, 1, 3), 128, np.uint8))
    assert quality.sharpness == pytest.approx(0.0, abs=1e-3)
    assert quality.contrast == pytest.approx(0.0, abs=1e-3)
