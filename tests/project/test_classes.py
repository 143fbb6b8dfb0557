from __future__ import annotations

import os
import tempfile
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_classifier.errors import InvalidClassNameError
from edge_classifier.project.classes import (
    MAX_BYTES,
    PALETTE,
    clean_class_name,
    colour_from_hex,
    colour_to_hex,
    key_of,
    next_colour,
)
from edge_classifier.values import BACKGROUND


def test_spaces_around_and_between_words_are_collapsed() -> None:
    assert clean_class_name("  my \t blue\n mug ") == "my blue mug"


def test_a_name_is_stored_composed() -> None:
    assert clean_class_name("tasse à café".replace("é", "e\u0301")) == "tasse à café"


@pytest.mark.parametrize(
    "name",
    [
        "杯子",
        "tasse à café",
        "می\u200cخواهم",  # noqa: RUF001 - Persian, with its joiner
        "👩\u200d🔬",
        "a..b",
        "C++",
    ],
)
def test_names_in_any_script_are_taken(name: str) -> None:
    assert clean_class_name(name) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 300, "too long"),
        ("杯" * 90, "270 bytes"),
        ("../../x", "path"),
        ("..", "path"),
        ("a/b", "path"),
        ("a\\b", "path"),
        ("mug\x00", "U+0000"),
        ("mug\u202egnp", "U+202E"),
        ("\u200dmug", "U+200D"),
        ("half\ud800", "U+D800"),
        ("what?", "Windows"),
        ("a:b", "Windows"),
        (".git", "dot"),
        ("mug.", "dot"),
        ("NUL", "device"),
        ("com1.txt", "device"),
        ("@eaDir", "other programs"),
    ],
)
def test_a_name_that_cannot_be_a_folder_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidClassNameError, match=said.replace("+", r"\+")) as caught:
        clean_class_name(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("Mug", "already"),
        ("mug", "only in case"),
        ("MUG", "only in case"),
        ("M\u200dug", "invisibly"),
    ],
)
def test_a_name_that_cannot_be_told_from_another_is_refused(other: str, said: str) -> None:
    with pytest.raises(InvalidClassNameError, match=said):
        clean_class_name("Mug", [other])


@pytest.mark.parametrize("name", ["unknown", "Unknown", " UNKNOWN "])
def test_the_verdict_of_what_resembles_no_class_is_no_name_of_a_new_class(name: str) -> None:
    with pytest.raises(InvalidClassNameError, match="resemble no class; take another name, such"):
        clean_class_name(name)
    assert clean_class_name("unknown", is_stored=True) == "unknown"
    assert clean_class_name("unknown person") == "unknown person"


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=[]), max_size=120),
        st.text("./\\ .:conNUL\u0301é\u200d杯", max_size=8),
    )
)
@example("\u1e9bde\u0323\u0307")
def test_whatever_is_accepted_is_one_folder_that_gives_the_name_back(text: str) -> None:
    try:
        name = clean_class_name(text)
    except InvalidClassNameError:
        return
    assert clean_class_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert len(os.fsencode(name)) <= MAX_BYTES
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples"
        samples.mkdir()
        (samples / name).mkdir()
        assert os.listdir(samples) == [name]  # noqa: PTH208 - the names as they are
        assert (samples / name).parent == samples
        assert not any(part == ".." for part in (samples / name).parts)


def test_the_background_has_its_own_key_and_takes_no_digit() -> None:
    names = ("mug", BACKGROUND, "phone")
    assert [key_of(names, name) for name in names] == ["1", "B", "2"]


def test_the_tenth_class_has_no_digit() -> None:
    names = tuple(f"class {n}" for n in range(1, 12))
    assert key_of(names, "class 9") == "9"
    assert key_of(names, "class 10") is None


def test_a_colour_is_read_as_blue_green_red_and_written_back() -> None:
    assert colour_from_hex("#56b4e9") == (0xE9, 0xB4, 0x56)
    assert colour_to_hex((0xE9, 0xB4, 0x56)) == "#56b4e9"


@pytest.mark.parametrize("text", ["", "56b4e9", "#56b4e", "#56b4eg", "#5 b4e9", "#56b4e90"])
def test_anything_else_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match=r"colour|hexadecimal"):
        colour_from_hex(text)


@pytest.mark.parametrize(("classes", "apart"), [(9, 25.0), (20, 25.0), (40, 20.0), (200, 5.0)])
def test_colours_of_classes_stay_apart(classes: int, apart: float) -> None:
    """Two colours are just told apart side by side at 2.3 (Mahy et al., 1994), on cards at more."""
    used: list[tuple[int, int, int]] = []
    for _ in range(classes):
        used.append(next_colour("mug", used))
    lab = cv2.cvtColor(np.array([used], np.float32) / np.float32(255), cv2.COLOR_BGR2LAB)[0]
    distances = np.linalg.norm(lab[:, None] - lab, axis=2)[np.triu_indices(classes, 1)]
    assert distances.min() >= apart
    assert lab[len(PALETTE) :, 0].min(initial=100) > 40, "too dark for the window"


def test_a_colour_that_became_free_is_given_again() -> None:
    assert next_colour("mug", [PALETTE[0], PALETTE[2]]) == PALETTE[1]
