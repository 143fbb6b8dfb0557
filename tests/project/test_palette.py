from __future__ import annotations

import pytest

from edge_classifier.project.palette import PALETTE, colour_from_hex, colour_to_hex, next_colour


def test_a_colour_is_read_as_blue_green_red_and_written_back() -> None:
    assert colour_from_hex("#56b4e9") == (0xE9, 0xB4, 0x56)
    assert colour_to_hex((0xE9, 0xB4, 0x56)) == "#56b4e9"


@pytest.mark.parametrize("text", ["", "56b4e9", "#56b4e", "#56b4eg", "#5 b4e9", "#56b4e90"])
def test_anything_else_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match=r"colour|hexadecimal"):
        colour_from_hex(text)


def test_nine_classes_have_nine_colours_and_a_tenth_shares_one() -> None:
    used: list[tuple[int, int, int]] = []
    for _ in range(10):
        used.append(next_colour(used))
    assert len(set(used[:9])) == 9
    assert used[9] == PALETTE[0]


def test_a_colour_that_became_free_is_given_again() -> None:
    assert next_colour([PALETTE[0], PALETTE[2]]) == PALETTE[1]
