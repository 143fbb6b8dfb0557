from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_classifier.project.importers.labels import labels_of


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("dog-1", "dog"),
        ("dog_12", "dog"),
        ("dog 3", "dog"),
        ("dog (4)", "dog"),
        ("dog.005", "dog"),
        ("dog12", "dog"),
        ("class10-1", "class10"),
        ("japanese_cherry_6", "japanese_cherry"),
        ("tasse à café-2", "tasse à café"),
        ("杯子_7", "杯子"),
        ("7_12", "7"),
    ],
)
def test_a_number_at_the_end_is_not_part_of_the_label(stem: str, label: str) -> None:
    assert labels_of([stem]) == [label]


def test_labels_are_not_mangled_from_the_tenth_class_on() -> None:
    stems = [f"class{n}-{i}" for n in range(1, 13) for i in range(3)]
    assert labels_of(stems) == [f"class{n}" for n in range(1, 13) for _ in range(3)]


def test_a_bare_label_with_a_number_of_its_own_stays_whole_beside_its_numbered_ones() -> None:
    assert labels_of(["class10-1", "class10", "dog"]) == ["class10", "class10", None]


@pytest.mark.parametrize(
    "stem",
    [
        "IMG_1234",
        "DSC00012",
        "PXL_20240501_101112",
        "image-3",
        "Screenshot 12",
        "WhatsApp Image 1",
        "12",
        "20240501_101112",
        "2024-05-01",
        "dog",
        "",
        "-1",
        "photo",
    ],
)
def test_names_that_cameras_give_and_names_without_a_number_are_no_labels(stem: str) -> None:
    assert labels_of([stem]) == [None]


def test_titles_that_are_all_different_are_not_taken_for_classes() -> None:
    titles = ["access-blur-bowl-744461", "apple-blur-270666", "memo-4723", "black-and-white-1"]
    assert labels_of(titles) == [None] * 4


@given(st.text(st.characters(blacklist_categories=["Nd", "Cs"]), min_size=1), st.integers(0, 9999))
def test_any_label_with_a_number_set_apart_is_found_or_refused_but_never_cut(
    label: str, number: int
) -> None:
    found = labels_of([f"{label}-{number}"])[0]
    assert found is None or found == label.strip(" \t._#-") or label.strip() != label
