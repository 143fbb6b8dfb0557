"""The live picture: what the model sees of it is whole and where it belongs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.views import REGIONS, differing, drawn, lies_within, scene, view


@pytest.mark.parametrize(
    "shape", [(480, 640), (720, 1280), (1080, 1920), (224, 224), (500, 356), (90, 1000), (7, 5)]
)
def test_a_picture_of_any_shape_shows_the_whole_square_that_the_model_sees(
    shape: tuple[int, int],
) -> None:
    image = scene(shape[1], shape[0])
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    box = REGIONS.video
    seen = box.height
    expected = cv2.resize(image[top : top + side, left : left + side], (seen, seen))
    start = box.left + (box.width - seen) // 2
    shown = drawn(view(image=image))[box.top : box.bottom, start : start + seen]
    inside = slice(40, seen - 40)
    error = np.abs(shown[inside, inside].astype(float) - expected[inside, inside])
    assert error.mean() < 6


def test_only_what_the_model_does_not_see_is_dimmed() -> None:
    box = REGIONS.video
    canvas = drawn(view(image=np.full((480, 640, 3), 200, np.uint8)))
    middle = box.top + box.height // 2
    assert canvas[middle, box.left + 10].tolist() == [90, 90, 90]
    assert canvas[middle, box.left + box.width // 2].tolist() == [200, 200, 200]
    assert canvas[middle, box.right - 10].tolist() == [90, 90, 90]


def test_mirroring_turns_the_picture_and_not_the_text() -> None:
    straight, mirrored = drawn(view(cards=())), drawn(view(cards=(), mirrored=True))
    part = REGIONS.video.inner(40).of
    assert np.array_equal(part(mirrored), part(straight)[:, ::-1])
    assert lies_within(differing(straight, mirrored), REGIONS.video)


def test_what_is_hot_is_red_in_its_place_of_the_square_and_mirrored_with_it() -> None:
    plain = drawn(view())
    heat = np.zeros((5, 5), np.float32)
    assert (drawn(view(heat=heat)) == plain).all()
    heat[0, 0] = 1.0
    for mirrored in (False, True):
        cold = drawn(view(mirrored=mirrored))
        hot = drawn(view(mirrored=mirrored, heat=heat))
        place = differing(hot, cold)
        assert lies_within(place, REGIONS.video)
        assert place.bottom < REGIONS.video.top + REGIONS.video.height // 2
        middle = REGIONS.video.left + REGIONS.video.width // 2
        assert place.left > middle if mirrored else place.right < middle
        top, left = place.top + place.height // 4, place.left + place.width // 2
        redder = hot[top, left].astype(int) - cold[top, left]
        assert redder[2] > redder[0]
