"""The picture at any size of the window, and what can be pressed in it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from support.views import REGIONS, SIZES, TEXT, card, differing, drawn, lies_within, view

from edge_classifier.languages.language import LANGUAGES, Language
from edge_classifier.languages.text import Text
from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.controls import HELP
from edge_classifier.live.view import Prompt
from edge_classifier.screen.canvas import Box
from edge_classifier.screen.class_cards import _parts
from edge_classifier.screen.overlay import _HINT, DESIGN_SIZE, Overlay, scale_of
from edge_classifier.screen.text import SEMIBOLD


@pytest.mark.parametrize("size", [*SIZES, (320, 240), (3000, 240), (320, 3000)])
def test_the_canvas_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    for cards in ((), view().cards, (card(),) * 9, (card(),) * 40, (card(),) * 200):
        canvas = drawn(view(cards=cards, buttons=BUTTONS, help_lines=HELP), size)
        assert canvas.shape == (size[1], size[0], 3)
        assert canvas.dtype == np.uint8


@pytest.mark.parametrize("size", SIZES)
def test_the_places_lie_beside_each_other_and_within_the_window(size: tuple[int, int]) -> None:
    regions = Overlay(size, TEXT).regions
    whole = Box(0, 0, *regions.size)
    places = [
        *(regions.title, regions.activity, regions.rates, regions.video, regions.banner),
        *(regions.cards, regions.hint, regions.quality, regions.buttons),
    ]
    for number, place in enumerate(places):
        assert lies_within(place, whole)
        assert place.width > 60
        assert place.height > 15
        for other in places[:number]:
            across = min(place.right, other.right) > max(place.left, other.left)
            down = min(place.bottom, other.bottom) > max(place.top, other.top)
            assert not (across and down), (place, other)


@pytest.mark.parametrize("size", [(800, 480), (1040, 724), (3840, 2160)])
def test_letters_are_never_smaller_than_they_can_be_read(size: tuple[int, int]) -> None:
    assert scale_of(size) >= 1.0
    assert scale_of(size) == pytest.approx(max(1.0, min(size[0] / 1040, size[1] / 724)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 3, 9, 40])
def test_no_name_leaves_its_place_at_any_size(size: tuple[int, int], count: int) -> None:
    cards = tuple(card(f"class {number}") for number in range(count))
    plain = Overlay(size, TEXT)
    before = plain.draw(view(cards=cards)).copy()
    place = plain._canvas.place(plain.regions.cards)
    for name in ("x" * 60, "杯" * 60, "كوب " * 15, "🙂" * 60):
        renamed = (replace(cards[0], name=name), *cards[1:])
        difference = differing(before, drawn(view(cards=renamed), size))
        assert lies_within(difference, place)
        assert difference.right < place.right - 30, "key and numbers stay as they are"


def press_at(overlay: Overlay, box: Box) -> str:
    """Press the middle of a part of the layout."""
    middle = overlay._canvas.place(box)
    return overlay.target_at(middle.left + middle.width // 2, middle.top + middle.height // 2)


@pytest.mark.parametrize("size", SIZES)
def test_all_that_is_shown_can_be_pressed_at_any_size(size: tuple[int, int]) -> None:
    overlay = Overlay(size, TEXT)
    overlay.draw(view(cards=(card(), card("杯子")), buttons=BUTTONS))
    every = [overlay.target_at(x, y) for x in range(0, size[0], 4) for y in range(0, size[1], 4)]
    verbs = ("record", "rename", "look")
    wanted = {"+", *(f"{verb}:{name}" for verb in verbs for name in ("mug", "杯子"))}
    assert set(every) == wanted | {button.press for button in BUTTONS} | {""}
    assert all(every.count(press) * 16 > 24 * 24 for press in set(every)), "fingers are wide"
    assert press_at(overlay, overlay.regions.video) == ""


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_upright_window_has_room_for_all_of_a_hint(code: str) -> None:
    how = Text("hold {key}", key=1)
    another = Text("another class: hold {key}", key=2)
    hint = Text(
        "all but {name} is unknown, not reliably yet: record it again elsewhere ({how}); {another}",
        name="class 1", how=how, another=another,
    )  # fmt: skip
    overlay = Overlay((480, 800), TEXT)
    lines, _ = overlay._canvas.hint(Language.load(code).of(hint), _HINT, overlay.regions.hint.width)
    assert "…" not in " ".join(lines)


def test_before_anything_was_taught_what_is_said_to_be_held_can_be_held() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(cards=()))
    column = REGIONS.cards
    assert overlay.target_at(column.left + 9, column.top + 9) == "1"
    assert overlay.target_at(column.left + 9, column.top + 130) == "2"


def test_nothing_on_a_card_covers_another_thing_however_low_it_is() -> None:
    for height in range(24, 130):
        parts = _parts(Box(0, 0, 300, height), card())
        places = (parts.name, parts.count, parts.track)
        for place, other in combinations(places, 2):
            across = min(place.right, other.right) > max(place.left, other.left)
            down = min(place.bottom, other.bottom) > max(place.top, other.top)
            assert not (across and down), (height, place, other)


@pytest.mark.parametrize("count", [9, 11, 40])
def test_letters_are_whole_on_the_lowest_cards(count: int) -> None:
    others = (card(),) * (count - 1)
    named, nameless = (view(cards=(card(name=name), *others)) for name in ("Åg", " "))
    ink = differing(drawn(named, (800, 480)), drawn(nameless, (800, 480)))
    whole = TEXT.bitmap("Åg", 16, (255, 255, 255), (0, 0, 0), weight=SEMIBOLD).any(axis=(1, 2))
    assert ink.height == np.ptp(np.nonzero(whole)[0]) + 1


def test_of_more_classes_than_there_is_room_for_the_others_can_be_had() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(cards=tuple(card(f"class {n}") for n in range(40))))
    right = REGIONS.cards.right - 9
    assert overlay.target_at(right, REGIONS.cards.bottom - 18) == "pagedown"


def test_the_list_of_keys_can_be_pressed() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(help_lines=HELP))
    every = {overlay.target_at(520, y) for y in range(0, DESIGN_SIZE[1], 3)}
    assert {"w", "t", "q"} <= every


def test_a_button_that_is_pressed_is_seen() -> None:
    plain, pressed = Overlay(DESIGN_SIZE, TEXT), Overlay(DESIGN_SIZE, TEXT)
    a_view = view(buttons=BUTTONS)
    difference = differing(plain.draw(a_view), pressed.draw(a_view, "u"))
    assert 100 < difference.width < 200
    assert lies_within(difference, REGIONS.buttons)


def test_where_the_time_goes_is_shown_only_where_it_is_asked_for() -> None:
    difference = differing(drawn(view()), drawn(view(rates=None)))
    assert difference.width > 100
    assert lies_within(difference, REGIONS.rates)


def test_text_that_typing_replaces_is_marked() -> None:
    kept, replaced = (
        drawn(view(prompt=Prompt("New name", "class 1", "", replaced=r))) for r in (False, True)
    )
    difference = differing(kept, replaced)
    assert 50 < difference.width < 120
    assert difference.height >= 24
