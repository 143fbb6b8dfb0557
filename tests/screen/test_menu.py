"""What is to be chosen first fits any window, and every row can be pressed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from support.views import TEXT, differing, drawn, view

from edge_classifier.live.opening import Opening
from edge_classifier.live.view import Button, Choice, Menu
from edge_classifier.project.known import KnownProject
from edge_classifier.screen.overlay import Overlay

SIZES = [(480, 320), (320, 240), (1280, 720), (480, 800)]


def menu(count: int = 6, name: str = "mugs") -> Menu:
    rows = (
        Choice(str(n), str(n), name, "3 classes, yesterday 14:02", "/a/b") for n in range(count)
    )
    return Menu("Go on with a project, or begin a new one", "keys", tuple(rows), 0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [2, 6])
def test_every_row_and_the_buttons_can_be_pressed_by_a_finger(
    size: tuple[int, int], count: int
) -> None:
    overlay = Overlay(size, TEXT)
    overlay.draw(view(menu=menu(count), buttons=(Button("Quit", "q"),)))
    every = [overlay.target_at(x, y) for x in range(0, size[0], 4) for y in range(0, size[1], 4)]
    assert set(every) == {str(n) for n in range(count)} | {"q", ""}
    assert all(every.count(press) * 16 > 20 * 60 for press in set(every))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["x" * 200, "杯" * 60, "كوب " * 15, "\u202e\u0000"])
def test_no_name_reaches_what_stands_beside_it(size: tuple[int, int], name: str) -> None:
    plain = menu()
    renamed = (replace(plain.choices[0], text=name), *plain.choices[1:])
    before, after = (drawn(view(menu=m), size) for m in (plain, replace(plain, choices=renamed)))
    difference = differing(before, after)
    assert difference.height < before.shape[0] / 10
    assert difference.right < before.shape[1] * 0.85


def test_a_project_whose_name_is_no_text_is_offered_too() -> None:
    odd = Path(os.fsdecode(b"/\xff/\xfe\n"))
    opening = Opening([KnownProject(odd, 1, 0.0)], odd, datetime.now().astimezone())
    shown = drawn(opening.view(), (800, 480))
    assert shown.std() > 1


def test_what_is_marked_and_what_is_pressed_is_seen() -> None:
    overlay = Overlay((800, 480), TEXT)
    plain = overlay.draw(view(menu=menu())).copy()
    assert (overlay.draw(view(menu=replace(menu(), chosen=2))) != plain).any()
    assert (overlay.draw(view(menu=menu()), "3") != plain).any()


def test_nothing_of_it_is_left_when_the_picture_comes_nor_of_that_when_it_is_back() -> None:
    overlay = Overlay((800, 480), TEXT)
    overlay.draw(view(menu=menu()))
    assert np.array_equal(overlay.draw(view()), drawn(view(), (800, 480)))
    assert np.array_equal(overlay.draw(view(menu=menu())), drawn(view(menu=menu()), (800, 480)))
