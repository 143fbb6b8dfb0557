"""Tests of what is asked of SDL itself."""

import numpy as np
import pytest

from edge_classifier.screen.sdl import copy_onto, pygame

BGRX = (0xFF0000, 0xFF00, 0xFF, 0)
RGBX = (0xFF, 0xFF00, 0xFF0000, 0)


@pytest.mark.parametrize("size", [(33, 21), (40, 30), (20, 10)], ids=["same", "larger", "smaller"])
@pytest.mark.parametrize(("bits", "masks"), [(32, BGRX), (32, RGBX), (24, BGRX)])
def test_a_surface_of_any_layout_shows_a_picture_in_its_colours(
    size: tuple[int, int], bits: int, masks: tuple[int, int, int, int]
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (21, 33, 3), np.uint8)
    surface = pygame.Surface(size, 0, bits, masks)

    copy_onto(surface, picture)

    width, height = min(size[0], 33), min(size[1], 21)
    shown = [[surface.get_at((x, y))[:3] for x in range(width)] for y in range(height)]
    np.testing.assert_array_equal(shown, picture[:height, :width, ::-1])


def test_a_surface_whose_rows_are_padded_shows_a_picture_whole() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 5, 3), np.uint8)
    surface = pygame.Surface((16, 8), 0, 32, BGRX).subsurface((0, 0, 5, 8))

    copy_onto(surface, picture)

    shown = [[surface.get_at((x, y))[:3] for x in range(5)] for y in range(8)]
    np.testing.assert_array_equal(shown, picture[:, :, ::-1])
