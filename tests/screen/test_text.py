"""Text in any script fits where it is put, and nothing that cannot be drawn is silent."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import features

from edge_classifier.screen.fonts import EmbeddedFace, SystemFonts, needs_shaping
from edge_classifier.screen.text import BOLD, TextRenderer, line_height, tidy

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def no_face(_character: str) -> None:
    """Stand for a machine without any font."""


def bare() -> TextRenderer:
    return TextRenderer(find_face=no_face)


def ink_columns(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    return np.flatnonzero(mask.max(axis=0) > 100)


@pytest.mark.parametrize(
    "name", ["mug", "tasse à café", "杯子", "кружка", "머그", "カップ", "Tiếng"]
)
def test_names_without_joined_letters_need_no_installed_font(name: str) -> None:
    asked: list[str] = []
    mask = TextRenderer(find_face=asked.append).mask(name, 24)
    assert asked == []
    assert ink_columns(mask).size > 10


def test_different_characters_look_different() -> None:
    renderer = bare()
    pictures = {renderer.mask(character, 30).tobytes() for character in "杯子碗茶머그кé"}
    assert len(pictures) == len("杯子碗茶머그кé")


RENDERER = bare()


@given(
    text=st.text(max_size=120),
    size=st.integers(9, 44),
    max_width=st.integers(1, 300),
)
def test_any_text_stays_within_its_box(text: str, size: int, max_width: int) -> None:
    bitmap = RENDERER.bitmap(text, size, WHITE, BLACK, max_width=max_width)
    assert bitmap.shape[0] == line_height(size)
    assert bitmap.shape[1] <= max_width


def test_a_text_that_fits_is_not_shortened() -> None:
    renderer = bare()
    width = renderer.width("a coffee mug", 20)
    whole = renderer.mask("a coffee mug", 20)
    assert np.array_equal(renderer.mask("a coffee mug", 20, max_width=width), whole)


def test_a_text_that_is_too_long_keeps_its_beginning_and_ends_in_an_ellipsis() -> None:
    renderer = bare()
    whole = renderer.mask("mug " * 25, 20)
    cut = renderer.mask("mug " * 25, 20, max_width=200)
    assert 170 <= cut.shape[1] <= 200
    assert np.array_equal(cut[:, :120], whole[:, :120])
    dots = renderer.mask("…", 20)
    assert np.array_equal(cut[:, -dots.shape[1] + 2 :], dots[:, 2:])


def test_typing_shows_the_end_of_what_does_not_fit() -> None:
    renderer = bare()
    shown = renderer.tail("a very long name indeed", 20, 100)
    assert shown.startswith("…")
    assert shown.endswith("indeed")
    assert renderer.width(shown, 20) <= 100
    assert renderer.tail("mug", 20, 100) == "mug"


def test_a_long_message_breaks_at_spaces_and_the_last_line_takes_the_rest() -> None:
    lines = bare().wrap("one two three four five six seven eight", 16, 90, 3)
    assert len(lines) == 3
    assert " ".join(lines) == "one two three four five six seven eight"
    assert bare().wrap("", 16, 90, 3) == []


def test_an_accent_typed_apart_is_the_same_letter() -> None:
    assert np.array_equal(bare().mask("cafe\u0301", 24), bare().mask("café", 24))


def test_controls_cannot_reorder_or_break_a_line() -> None:
    assert tidy("a\u202eb\nc\td\x00e\ufe0f") == "ab c de"


def test_what_was_drawn_once_is_drawn_once() -> None:
    renderer = bare()
    first = renderer.bitmap("mug", 20, WHITE, BLACK, weight=BOLD)
    assert renderer.bitmap("mug", 20, WHITE, BLACK, weight=BOLD) is first
    assert renderer.bitmap("mug", 20, WHITE, BLACK) is not first


def test_memory_stays_bounded_over_many_texts() -> None:
    renderer = bare()
    for number in range(1500):
        renderer.bitmap(str(number), 10, WHITE, BLACK)
    assert renderer._bitmaps.cache_info().currsize <= 1024


def test_colours_are_blue_green_red_and_reach_both_ends() -> None:
    bitmap = bare().bitmap("█", 24, (10, 20, 200), (1, 2, 3))
    assert (bitmap == (10, 20, 200)).all(axis=2).any()
    assert (bitmap == (1, 2, 3)).all(axis=2).any()


def test_a_script_without_a_font_is_said_once_with_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    renderer = TextRenderer(find_face=SystemFonts(candidates=lambda _: []).find)
    with caplog.at_level(logging.WARNING):
        renderer.mask("कप हिन्दी", 20)
        renderer.mask("दूसरा", 20)
    assert len(caplog.records) == 1
    assert "DEVANAGARI" in caplog.text
    assert "install" in caplog.text


def test_what_no_font_can_draw_is_replaced_by_something_visible() -> None:
    mask = bare().mask("क", 24)
    assert np.array_equal(mask, bare().mask("\ufffd", 24))
    assert ink_columns(mask).size > 5


def test_a_damaged_font_file_is_passed_over(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.ttf"
    damaged.write_bytes(b"\x00\x01\x00\x00 not a font")
    fonts = SystemFonts(candidates=lambda _: [(str(damaged), 0), (str(tmp_path / "gone.ttf"), 0)])
    assert fonts.find("क") is None


def test_scripts_that_join_or_reorder_are_not_left_to_the_embedded_face() -> None:
    face = EmbeddedFace()
    for character in "كसกם":
        assert needs_shaping(character)
        assert not face.covers(character)


@pytest.fixture
def arabic() -> TextRenderer:
    fonts = SystemFonts()
    if fonts.find("ك") is None or not features.check("raqm"):
        pytest.skip("no Arabic font, or no raqm, on this machine (apt install fonts-dejavu-core)")
    return TextRenderer(find_face=fonts.find)


def test_arabic_letters_join(arabic: TextRenderer) -> None:
    apart = sum(arabic.width(letter, 40) for letter in "كوب")
    assert arabic.width("كوب", 40) < apart


def test_arabic_begins_at_the_right(arabic: TextRenderer) -> None:
    first = arabic.mask("د", 40)
    both = arabic.mask("دا", 40)  # neither of the two joins to the left
    width = int(np.ptp(ink_columns(first)))
    right_part = both[:, ink_columns(both).max() - width :]
    assert abs(int(right_part.sum()) - int(first.sum())) < 0.25 * first.sum()


def test_a_name_that_mixes_scripts_is_drawn_whole(arabic: TextRenderer) -> None:
    parts = sum(arabic.width(part, 30) for part in ("mug ", "كوب", "杯子"))
    assert abs(arabic.width("mug كوب 杯子", 30) - parts) < 30
