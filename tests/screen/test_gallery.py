"""The drawing of stored pictures: what is shown, where, and what of it can be pressed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.views import (
    IMAGE,
    REGIONS,
    SIZES,
    TEXT,
    card,
    differing,
    drawn,
    gallery,
    lies_within,
    scene,
    view,
)

from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.view import Gallery, Message, Prompt
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay

LONG = ("x" * 60, "杯" * 60, "a cup of tea " * 5)


def shown(a_gallery: Gallery, size: tuple[int, int], **changes: object) -> Overlay:
    overlay = Overlay(size, TEXT)
    overlay.draw(view(gallery=a_gallery, buttons=BUTTONS, **changes))
    return overlay


def targets(overlay: Overlay, step: int = 8) -> dict[str, int]:
    """Count the points, so many pixels apart, at which each can be pressed."""
    width, height = overlay.size
    found: dict[str, int] = {}
    for x in range(0, width, step):
        for y in range(0, height, step):
            name = overlay.target_at(x, y)
            found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("size", [*SIZES, (320, 240), (3840, 2160)])
@pytest.mark.parametrize("text", ["", "looks like phone, not mug"])
def test_at_least_as_many_rows_are_shown_as_the_room_says(size: tuple[int, int], text: str) -> None:
    room = shown(gallery(1), size).room
    assert room is not None
    assert room.columns >= 2
    # each row a round of its own is the worst there is
    rows = gallery(1, text=text).rows * 40
    named = tuple(
        replace(row, pictures=(replace(row.pictures[0], id=f"mug/{n}"),))
        for n, row in enumerate(rows)
    )
    overlay = shown(gallery(text=text, rows=named, row_count=40), size)
    assert overlay.room is not None
    seen = {name for name in targets(overlay, step=16) if name.startswith("choose:")}
    assert seen >= {f"choose:mug/{n}" for n in range(overlay.room.rows)}


@pytest.mark.parametrize("size", [(480, 320), (800, 480), (1280, 720), (480, 800)])
def test_pictures_rounds_and_the_rest_can_be_pressed_by_fingers(size: tuple[int, int]) -> None:
    room = shown(gallery(1), size).room
    assert room is not None
    found = targets(shown(gallery(40, columns=room.columns, row_count=90), size), step=4)
    assert {"choose:mug/0", "choose:mug/1", "round:mug/0", "pageup", "pagedown"} <= set(found)
    assert {"record:mug", "look:mug", "look:杯子"} <= set(found), "another class can be shown"
    assert all(count * 4 * 4 > 24 * 24 for count in found.values())


@pytest.mark.parametrize("size", [*SIZES, (320, 240)])
@pytest.mark.parametrize("text", ["", "looks like phone, not mug"])
def test_nothing_leaves_its_place_at_any_size(size: tuple[int, int], text: str) -> None:
    plain = Overlay(size, TEXT)
    before = plain.draw(view(gallery=gallery(40, text=text), buttons=BUTTONS)).copy()
    place = plain._canvas.place(plain.regions.video)
    for name in LONG:
        other = gallery(40, name=name, text=text and name, detail=name, note=name)
        difference = differing(before, drawn(view(gallery=other, buttons=BUTTONS), size))
        assert lies_within(difference, place)


def test_pictures_keep_to_themselves() -> None:
    few, more = (drawn(view(gallery=gallery(n))) for n in (2, 3))
    added = differing(few, more)
    assert added.height > 20
    first, second = (gallery(3), gallery(3))
    row = second.rows[0]
    other = replace(row.pictures[0], thumbnail=scene(96, 72)[::-1].copy())
    changed = replace(second, rows=(replace(row, pictures=(other, *row.pictures[1:])),))
    difference = differing(drawn(view(gallery=first)), drawn(view(gallery=changed)))
    assert 60 < difference.width < 130
    assert 40 < difference.height < 100


def test_the_live_picture_goes_on_small_beside_the_verdict() -> None:
    stored = gallery()
    first, second = (
        drawn(view(gallery=stored, image=image)) for image in (IMAGE, np.zeros_like(IMAGE))
    )
    difference = differing(first, second)
    assert lies_within(difference, REGIONS.banner)
    assert difference.width < REGIONS.banner.width // 3
    first = drawn(view(gallery=stored, hint=""))
    verdicts = differing(first, drawn(view(gallery=stored, hint="", banner=None)))
    assert lies_within(verdicts, REGIONS.banner)
    assert verdicts.left >= difference.right


def test_what_is_chosen_is_seen() -> None:
    one = gallery(10)
    row = one.rows[0]
    whole = replace(row, pictures=tuple(replace(p, chosen=True) for p in row.pictures))
    both = replace(one, rows=(whole, *one.rows[1:]))
    difference = differing(drawn(view(gallery=one)), drawn(view(gallery=both)))
    assert difference.width > 400


def test_a_picture_that_cannot_be_read_looks_other_than_one_that_is_being_read() -> None:
    one = gallery(1)
    row = one.rows[0]

    def with_problem(problem: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        picture = replace(row.pictures[0], thumbnail=None, problem=problem)
        return drawn(view(gallery=replace(one, rows=(replace(row, pictures=(picture,)),))))

    assert differing(with_problem(""), with_problem("Cannot read")).width > 20


def test_messages_and_questions_stay_on_it_and_leave_no_trace() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    stored = gallery()
    before = overlay.draw(view(gallery=stored)).copy()
    for changes in (
        {"message": Message("removed 12 pictures of mug; U takes it back")},
        {"prompt": Prompt("To which class belong 12 pictures of mug?", None, "1 … 9", "no class")},
    ):
        over = overlay.draw(view(gallery=stored, **changes))
        assert lies_within(differing(before, over), REGIONS.video)
        assert np.array_equal(overlay.draw(view(gallery=stored)), before)


def test_behind_a_question_nothing_can_be_chosen_but_the_class() -> None:
    overlay = shown(gallery(), DESIGN_SIZE, prompt=Prompt("To which class?", None, ""))
    found = set(targets(overlay))
    assert not any(name.startswith(("choose:", "round:")) for name in found)
    assert "record:mug" in found


def test_what_has_not_changed_is_not_drawn_again() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(gallery=gallery(40)))
    kept = overlay._gallery._drawn
    overlay.draw(view(gallery=gallery(40)))
    assert overlay._gallery._drawn is kept


@pytest.mark.parametrize("size", SIZES)
def test_among_many_classes_their_pictures_can_be_looked_at(size: tuple[int, int]) -> None:
    overlay = Overlay(size, TEXT)
    overlay.draw(view(cards=tuple(card(f"class {n}") for n in range(40)), buttons=BUTTONS))
    found = set(targets(overlay))
    assert {"look:class 0", "record:class 0", "rename:class 0"} <= found


def test_where_all_is_in_sight_nothing_scrolls() -> None:
    found = set(targets(shown(gallery(5), DESIGN_SIZE)))
    assert not {"pageup", "pagedown"} & found
