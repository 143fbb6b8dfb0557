"""How a camera's picture is framed: turned, flipped, and the part that is looked at."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge_classifier.device.errors import InvalidValueError
from edge_classifier.device.framing import NO_FRAMING, WHOLE, Framing, Region

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_a_region_is_its_part_of_a_picture_of_any_size_and_no_copy() -> None:
    right_half = Region(0.5, 0.0, 1.0, 1.0)
    part = right_half.of(IMAGE)
    assert np.array_equal(part, IMAGE[:, 3:])
    assert np.shares_memory(part, IMAGE)
    assert right_half.of(np.zeros((480, 640, 3), np.uint8)).shape == (480, 320, 3)


@pytest.mark.parametrize("edge", [0.0, 0.5, 0.98])
def test_something_of_the_tiniest_picture_is_always_looked_at(edge: float) -> None:
    assert Region(edge, edge, edge + 0.02, edge + 0.02).of(IMAGE[:1, :1]).shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("0.25,0,.75,1", Region(0.25, 0.0, 0.75, 1.0)),
        ("left=0,0,0.5,1.0", Region(0.0, 0.0, 0.5, 1.0, "left")),
        ("whole", WHOLE),
        ("all-of_it2=whole", Region(name="all-of_it2")),
    ],
)
def test_a_region_is_read_as_it_is_written(text: str, region: Region) -> None:
    assert Region.parse(text) == region
    assert Region.parse(str(region)).edges == region.edges


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,0,2,1", "lies outside of the picture"),
        ("0.5,0,0.5,1", "is empty"),
        ("0.75,0,0.25,1", "is empty"),
        ("0,0,1,0.01", "is empty, or less than 2% of the picture's width or height"),
        ("0,0,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("0,0,1,1,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("-0.1,0,1,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("nan,0,1,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        (".,0,1,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("\u0660,0,1,1", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("", "expected LEFT,TOP,RIGHT,BOTTOM"),
        ("=0,0,1,1", "has no name before its ="),
        ("a/b=0,0,1,1", "cannot be named 'a/b'"),
        ("tür=0,0,1,1", "cannot be named 'tür'"),
        (f"{'x' * 33}=0,0,1,1", "cannot be named"),
    ],
)
def test_what_is_no_region_is_told_in_a_line(text: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=r"region|LEFT|name") as refused:
        Region.parse(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("framing", "corner"),
    [
        (NO_FRAMING, (0, 0)),
        (Framing(rotate=90), (3, 0)),
        (Framing(rotate=180), (3, 5)),
        (Framing(rotate=270), (0, 5)),
        (Framing(flip=True), (0, 5)),
        (Framing(rotate=90, flip=True), (0, 0)),
    ],
)
def test_a_picture_is_turned_clockwise_then_flipped(
    framing: Framing, corner: tuple[int, int]
) -> None:
    """What is in the upper left corner afterwards was in `corner` before."""
    turned = framing.upright(IMAGE)
    assert turned[0, 0].tolist() == IMAGE[corner].tolist()
    assert turned.shape[:2] == ((6, 4) if framing.rotate in (90, 270) else (4, 6))
    assert turned.flags.c_contiguous


def test_what_is_kept_is_read_again_and_as_usual_is_nothing_to_keep() -> None:
    framing = Framing(Region(0.1, 0.2, 0.3, 0.4), 1.7778, 270, flip=True)
    assert Framing.from_json(json.loads(json.dumps(framing.as_json()))) == framing
    assert NO_FRAMING.as_json() == {}
    assert Framing.from_json({}) == NO_FRAMING


@pytest.mark.parametrize(
    "kept",
    [
        [],
        {"region": [0, 0, 1]},
        {"region": [0, 0, 1, True]},
        {"region": "whole"},
        {"region": [0, 0, 7, 1]},
        {"region": [0, 0, float("nan"), 1]},
        {"aspect": 0},
        {"aspect": "wide"},
        {"rotate": 45},
        {"rotate": "90"},
        {"rotate": True},
        {"flip": 1},
    ],
)
def test_a_damaged_framing_is_refused(kept: object) -> None:
    with pytest.raises(ValueError, match=r"expected|Expected|region"):
        Framing.from_json(kept)


def test_pictures_of_another_shape_are_told_unless_all_of_them_is_looked_at() -> None:
    framing = Framing(Region(0.0, 0.0, 0.5, 1.0), aspect=1.5)
    assert not framing.trouble(IMAGE)
    assert "may show another part" in framing.trouble(IMAGE[:, :4])
    assert not Framing(aspect=1.5).trouble(IMAGE[:, :4])
