from __future__ import annotations

import pytest

from edge_classifier.project.importers.splits import SplitName, held_out_by_name, without_split


@pytest.mark.parametrize(
    "name",
    [
        *("train", "Training", "TRAIN", "training_set", "train_images", "Train Data", "trainset"),
        *("TrainImages", "imgs-train", "train2017", "train (1)", "my-training-pictures"),
        *("trainval", "train_val", "full_train"),
    ],
)
def test_what_is_trained_on_has_many_names(name: str) -> None:
    assert held_out_by_name(name) is False


@pytest.mark.parametrize(
    "name",
    [
        *("validation", "VAL", "valid", "dev", "dev_set", "ValidationImages", "val2017", "valset"),
        *("test", "Test Data", "test_set", "test-images", "testData", "TESTset", "PublicTest"),
        *("eval", "Evaluation Set", "hold-out", "hold out", "HoldOut", "held_out", "testing1"),
    ],
)
def test_what_is_measured_on_has_many_names(name: str) -> None:
    assert held_out_by_name(name) is True


@pytest.mark.parametrize(
    "name",
    [
        *("dog", "trains", "latest", "contest", "testament", "attest", "evaluator", "device"),
        *("1", "", "set", "images", "train_test_split", "invalid", "trainer", "data"),
    ],
)
def test_other_words_are_no_splits(name: str) -> None:
    assert held_out_by_name(name) is None


@pytest.mark.parametrize("name", ["seg_test", "rps-test-set", "test tube", "crashTest"])
def test_a_name_that_says_more_is_left_to_what_lies_around(name: str) -> None:
    assert held_out_by_name(name) is None
    assert SplitName.of(name).held_out is True
    assert len(SplitName.of(name).rest) == 1


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("cats_train", "cats"),
        ("test-Big Dog", "Big-Dog"),
        ("validation dogs 2", "dogs 2"),
        ("catsTest", "cats"),
        ("кот test", "кот"),
    ],
)
def test_the_class_is_what_a_name_says_beside_the_split(name: str, left: str) -> None:
    assert without_split(name) == left


def test_names_of_any_set_of_pictures_name_no_class() -> None:
    named = ("images", "Data 2", "dataset_images", "raw_images", "fold3")
    assert all(SplitName.of(name).is_container for name in named)
    others = ("dog", "raw", "2", "", "images of dogs", "test images")
    assert not any(SplitName.of(name).is_container for name in others)
