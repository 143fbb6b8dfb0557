"""The live picture: what the model sees of it is whole and where it belongs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.views import REGIONS, SIZES, differing, drawn, lies_within, scene, view

from edge_classifier.device.framing import Region
from edge_classifier.live.view import Mode
from edge_classifier.screen.overlay import Overlay


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


WIDE = np.full((360, 1280, 3), 200, np.uint8)
QUARTER = Region(0.0, 0.0, 0.25, 1.0)


@pytest.mark.parametrize("mirrored", [False, True])
def test_all_of_the_picture_is_shown_with_its_region_outlined_and_the_rest_dimmed(
    mirrored: bool,  # noqa: FBT001 - as pytest gives it
) -> None:
    canvas = drawn(view(image=WIDE, region=QUARTER, mirrored=mirrored, message=None))
    box = REGIONS.video
    middle, quarter = box.top + box.height // 2, box.width // 8
    inside, outside = box.left + quarter, box.right - quarter
    edge = box.left
    if mirrored:
        inside, outside, edge = outside, inside, box.right - 1
    assert canvas[middle, inside].tolist() == [200, 200, 200]
    assert canvas[middle, outside].tolist() == [90, 90, 90]
    assert canvas[middle, edge].min() > 225


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pixel_of_the_window_is_a_place_in_the_picture(
    size: tuple[int, int],
    mirrored: bool,  # noqa: FBT001 - as pytest gives it
) -> None:
    overlay = Overlay(size)
    image = np.zeros((90, 120, 3), np.uint8)
    image[30:60, 40:60] = (0, 255, 0)
    framing = view(image=image, region=Region(), mode=Mode.FRAMING, mirrored=mirrored, message=None)
    canvas = overlay.draw(framing)
    green = np.argwhere((canvas == (0, 255, 0)).all(axis=2))
    (top, left), (bottom, right) = green.min(axis=0), green.max(axis=0)
    found = overlay.part_at(int(left + right) // 2, int(top + bottom) // 2)
    assert found == pytest.approx((50 / 120, 1 / 2), abs=0.02)
    assert overlay.part_at(0, -99) == (1.0 if mirrored else 0.0, 0.0), "the nearest, beside it"
    overlay.draw(view(image=image, region=Region(0, 0, 0.5, 1)))
    assert overlay.part_at(5, 5) is None, "nobody chooses"


@pytest.mark.parametrize("edges", [(0, 0, 0.02, 0.02), (0.98, 0.98, 1, 1), (0.2, 0.5, 1, 0.52)])
def test_the_smallest_region_is_seen_in_the_smallest_window(
    edges: tuple[float, float, float, float],
) -> None:
    plain = view(image=np.full((480, 640, 3), 90, np.uint8), region=Region())
    small = view(image=plain.image, region=Region(*edges))
    place = differing(drawn(plain, SIZES[0]), drawn(small, SIZES[0]))
    assert place.width > 0
