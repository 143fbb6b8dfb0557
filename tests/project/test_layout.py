from __future__ import annotations

from collections import Counter

import pytest

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.layout import place_pictures


def found(*paths: str, root: str = "data", class_name: str | None = None) -> dict[str, str]:
    """Class by path; held-out ones are marked with a star, refused ones empty."""
    placed = place_pictures(paths, root, class_name).placed
    return {p.path: p.class_name + "*" * (p.held_out and bool(p.class_name)) for p in placed}


def test_a_folder_is_a_class() -> None:
    assert found("dog/1.jpg", "cat/1.jpg") == {"dog/1.jpg": "dog", "cat/1.jpg": "cat"}


def test_a_folder_with_one_class_is_one_class() -> None:
    assert found("dog/1.jpg", "dog/2.jpg") == {"dog/1.jpg": "dog", "dog/2.jpg": "dog"}


def test_folders_within_a_class_are_not_classes() -> None:
    assert found("dog/garden/1.jpg", "dog/house/1.jpg", "cat/1.jpg") == {
        "dog/garden/1.jpg": "dog",
        "dog/house/1.jpg": "dog",
        "cat/1.jpg": "cat",
    }


def test_folders_around_everything_are_skipped() -> None:
    assert found("my-set/images/dog/1.jpg", "my-set/images/cat/1.jpg") == {
        "my-set/images/dog/1.jpg": "dog",
        "my-set/images/cat/1.jpg": "cat",
    }


def test_a_held_out_split_stays_held_out_above_and_below_the_classes() -> None:
    assert found("train/dog/1.jpg", "validation/dog/2.jpg", "test/cat/3.jpg") == {
        "train/dog/1.jpg": "dog",
        "validation/dog/2.jpg": "dog*",
        "test/cat/3.jpg": "cat*",
    }
    assert found("set/Training/dog/1.jpg", "set/Val/dog/2.jpg") == {
        "set/Training/dog/1.jpg": "dog",
        "set/Val/dog/2.jpg": "dog*",
    }
    assert found("dog/train/1.jpg", "dog/test/2.jpg", "cat/train/1.jpg") == {
        "dog/train/1.jpg": "dog",
        "dog/test/2.jpg": "dog*",
        "cat/train/1.jpg": "cat",
    }


def test_a_split_named_by_itself_is_held_out_too() -> None:
    assert found("dog/1.jpg", "cat/1.jpg", root="validation") == {
        "dog/1.jpg": "dog*",
        "cat/1.jpg": "cat*",
    }


def test_splits_with_labels_in_file_names() -> None:
    assert found("train/dog-1.jpg", "train/dog-2.jpg", "val/dog-3.jpg") == {
        "train/dog-1.jpg": "dog",
        "train/dog-2.jpg": "dog",
        "val/dog-3.jpg": "dog*",
    }


def test_a_test_folder_without_labels_beside_classes_is_refused_and_no_class() -> None:
    placed = place_pictures(["fork/1.jpg", "test/test_image.jpg", "Test/x.jpg"]).placed
    assert {p.path for p in placed if not p.class_name} == {"test/test_image.jpg", "Test/x.jpg"}
    assert all("not what they show" in p.reason for p in placed if not p.class_name)


def test_a_class_of_trains_is_a_class() -> None:
    assert found("train/1.jpg", "plane/1.jpg") == {"train/1.jpg": "train", "plane/1.jpg": "plane"}


def test_without_folders_labels_are_in_the_names() -> None:
    assert found("dog-1.jpg", "dog-2.jpg", "cat_1.png") == {
        "dog-1.jpg": "dog",
        "dog-2.jpg": "dog",
        "cat_1.png": "cat",
    }


def test_a_loose_picture_beside_class_folders_has_no_label_unless_its_name_tells_one() -> None:
    assert found("dog/1.jpg", "cat/1.jpg", "me.jpg", "dog-7.jpg") == {
        "dog/1.jpg": "dog",
        "cat/1.jpg": "cat",
        "dog-7.jpg": "dog",
        "me.jpg": "",
    }


def test_what_the_user_says_goes_over_all_names_but_not_over_splits() -> None:
    assert found("a/1.jpg", "IMG_1.jpg", "val/b/2.jpg", class_name="mug") == {
        "a/1.jpg": "mug",
        "IMG_1.jpg": "mug",
        "val/b/2.jpg": "mug*",
    }


def test_classes_come_in_the_order_people_count_and_held_out_last() -> None:
    placed = place_pictures(
        ["c10/1.jpg", "c2/1.jpg", "c1/10.jpg", "c1/9.jpg", "val/c1/1.jpg"]
    ).placed
    assert [p.path for p in placed] == [
        "c1/9.jpg",
        "c1/10.jpg",
        "c2/1.jpg",
        "c10/1.jpg",
        "val/c1/1.jpg",
    ]


def test_nothing_is_nothing() -> None:
    assert place_pictures([]).placed == []


def notes(*paths: str, root: str = "data") -> str:
    return " ".join(place_pictures(paths, root).notes)


def counts(*folders: str, root: str = "data") -> dict[str, int]:
    """Pictures by class, with a star where held out and `-` where refused; one in each folder."""
    paths = [f"{folder}/IMG_{n}.jpg" for n, folder in enumerate(folders)]
    placed = place_pictures(paths, root).placed
    return dict(Counter((p.class_name or "-") + "*" * p.held_out for p in placed))


TWO = {"a": 1, "b": 1, "a*": 1, "b*": 1}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(("training_set", "test_set"), ("seg_train/seg_train", "seg_test/seg_test")),
        *(("train_images", "test_images"), ("Train Data", "Test Data"), ("rps", "rps-test-set")),
        *(("TrainImages", "ValImages"), ("data_train_v1", "data_test_v1"), ("train", "dev")),
        *(("birds-train-2", "birds-holdout-2"), ("xtrain", "xtest"), ("Training", "PublicTest")),
        *(("photos for training", "photos to test it with"), ("train2017", "val2017")),
        *(("Flowers", "test"), ("train/images", "test/images"), ("all/train", "all/eval set")),
    ],
)
def test_splits_are_held_out_whatever_they_are_called(train: str, test: str) -> None:
    assert counts(f"{train}/a", f"{train}/b", f"{test}/a", f"{test}/b") == TWO


@pytest.mark.parametrize(
    "name", ["seg_test", "rps-test-set", "Test Data", "val_images", "chest_xray_val", "holdout"]
)
def test_a_split_is_held_out_when_it_is_added_alone(name: str) -> None:
    assert counts("a", "b", root=name) == {"a*": 1, "b*": 1}
    assert counts(f"{name}/a", f"{name}/b") == {"a*": 1, "b*": 1}


def test_a_name_that_begins_as_a_split_is_explained_by_what_lies_around_it_or_told() -> None:
    paths = ["a/1.jpg", "b/1.jpg"]
    for beside in (["flowers"], ["x", "train_flowers"]):
        placed = place_pictures(paths, "test_flowers", beside=beside).placed
        assert all(p.held_out for p in placed)
    layout = place_pictures(paths, "test_flowers", beside=["x", "test_cars"])
    assert not any(p.held_out for p in layout.placed)
    assert "`--split held-out`" in layout.notes[0]


def test_splits_inside_of_a_folder_called_test_are_what_counts() -> None:
    assert counts("train/a", "val/a", root="test") == {"a": 1, "a*": 1}


@pytest.mark.parametrize(
    "folders",
    [
        ("test", "control"),
        ("test", "control", "blank"),
        ("valid", "invalid"),
        ("train", "plane", "car"),
        ("crash test", "car", "bike"),
        ("blood test", "urine test"),
        ("control/day1", "control/day2", "test/day1", "test/day2"),
    ],
)
def test_a_class_that_is_called_as_a_split_stays_a_class_and_it_is_told_why(
    folders: tuple[str, ...],
) -> None:
    classes = {folder.partition("/")[0] for folder in folders}
    assert set(counts(*folders)) == classes
    assert "Taken for classes and not for splits" in notes(*(f"{f}/IMG_1.jpg" for f in folders))


def test_within_splits_a_folder_called_test_is_a_class() -> None:
    folders = [f"{split}/{name}" for split in ("train", "val") for name in ("test", "a", "b")]
    assert counts(*folders) == {"test": 1, "test*": 1, **TWO}


def test_a_folder_among_classes_that_looks_like_a_split_is_never_trained_on() -> None:
    assert counts("cat", "dog", "test") == {"cat": 1, "dog": 1, "-*": 1}
    assert counts("cat", "dog", "test", "train") == {"cat": 1, "dog": 1, "-*": 1, "-": 1}
    assert counts("cat", "dog", "val/cat", "val/dog") == {"cat": 1, "dog": 1, "cat*": 1, "dog*": 1}
    assert counts("fork", "spoon", "test/s1", "test/s2") == {"fork": 1, "spoon": 1, "-*": 2}
    paths = ["cat/IMG_1.jpg", "dog/IMG_2.jpg", "test/Cat1.jpg", "test/Cat2.jpg", "test/Dog1.jpg"]
    assert found(*paths)["test/Cat2.jpg"] == "cat*"


def test_splits_of_single_classes_are_parts_of_them() -> None:
    assert counts("a_train", "b_train", "a_test", "b_test") == TWO
    assert counts("cats", "dogs", "cats_test") == {"cats": 1, "dogs": 1, "cats*": 1}
    pets = [f"{pet}/{pet}_{split}" for pet in ("a", "b") for split in ("train", "test")]
    assert counts(*pets) == TWO


@pytest.mark.parametrize(
    "around",
    [("",), ("", "set/"), ("", "set/set/"), ("deep/er/", ""), ("a (1)/b/", "a (2)/b/")],
)
def test_folders_around_splits_are_no_classes_at_any_depth_and_beside_them(
    around: tuple[str, ...],
) -> None:
    folders = [f"{x}{s}/{c}" for x in around for s in ("train", "test") for c in ("a", "b")]
    assert counts(*folders) == {name: len(around) for name in TWO}


def test_a_folder_that_repeats_the_classes_beside_it_is_no_class() -> None:
    assert counts("cat", "dog", "pets/cat", "pets/dog") == {"cat": 2, "dog": 2}
    assert "around class folders: 'pets'" in notes(
        "cat/1.jpg", "dog/1.jpg", "pets/cat/1.jpg", "pets/dog/1.jpg"
    )


def test_numbered_parts_of_a_set_are_no_classes() -> None:
    assert counts("part1/a", "part1/b", "part2/a", "part2/b") == {"a": 2, "b": 2}


def test_pictures_without_labels_beside_splits_are_refused() -> None:
    splits = ("train/a", "train/b", "val/a", "val/b")
    for beside in ("test", "test/test", "test/unknown", "test/images"):
        assert counts(*splits, beside) == {**TWO, "-*": 1}
    for beside in ("seg_pred", "seg_pred/seg_pred", "figures", "extra/a"):
        assert counts(*splits, beside) == {**TWO, "-": 1}


@pytest.mark.parametrize(
    "beside",
    [
        *(["unlabeled"], ["pred"], ["predict/x"], ["new", "docs"], ["samples/a"], ["latest/b"]),
        *(["gallery/a", "gallery/b", "query/a", "query/b"], ["siteA/a", "siteB/a"], ["reference"]),
    ],
)
def test_what_lies_beside_train_with_class_folders_is_refused(beside: list[str]) -> None:
    for train in ("train/a", "train/b"), ("train/images/a", "train/images/b"):
        assert counts(*train, *beside) == {"a": 1, "b": 1, "-": len(beside)}


def test_beside_what_is_unsorted_a_split_of_a_single_class_is_no_class() -> None:
    assert counts("train/a", "unlabeled") == {"a": 1, "-": 1}
    assert counts("test/a", "test/b", "unlabeled") == {"a*": 1, "b*": 1, "-": 1}


def test_a_class_of_trains_may_hold_a_few_folders() -> None:
    many = [f"train/{n}.jpg" for n in range(9)]
    files = found(*many, "train/old/1.jpg", "train/new/1.jpg", "plane/1.jpg")
    assert set(files.values()) == {"train", "plane"}
    assert counts("val/train/x", "val/train/y", "val/plane") == {"train*": 2, "plane*": 1}


def test_what_lies_beside_a_folder_of_class_folders_is_refused() -> None:
    assert counts("images/a", "images/b", "docs") == {"a": 1, "b": 1, "-": 1}
    assert found("x.jpg", "PetImages/a/1.jpg", "PetImages/b/1.jpg")["x.jpg"] == ""


def test_what_labelling_programs_draw_over_pictures_is_no_class() -> None:
    paths = [f"images/{kind}_{n}.jpg" for kind in ("beagle", "pug") for n in (1, 2)]
    masks = [path.replace("images", "masks") for path in paths]
    trimaps = [path.replace("images", "annotations/trimaps") for path in paths]
    expected = {path: path[7:-6] for path in paths}
    assert found(*paths, *masks) == {**expected, **dict.fromkeys(masks, "")}
    assert found(*paths, *trimaps) == {**expected, **dict.fromkeys(trimaps, "")}
    assert counts("mask", "no_mask") == {"mask": 1, "no_mask": 1}


def test_masks_within_class_folders_are_refused() -> None:
    for pictures, drawn in (("images", "masks"), ("img", "label"), ("images", "overlay")):
        paths = [f"{kind}/{pictures}/{n}.png" for kind in ("covid", "normal") for n in (1, 2)]
        over = [path.replace(f"/{pictures}/", f"/{drawn}/") for path in paths]
        expected = {path: path.partition("/")[0] for path in paths}
        assert found(*paths, *over) == {**expected, **dict.fromkeys(over, "")}
    assert found("cat/images/1.png", "cat/masks/1_mask.png", "dog/images/1.png") == {
        "cat/images/1.png": "cat",
        "cat/masks/1_mask.png": "",
        "dog/images/1.png": "dog",
    }
    assert found("cat/1.jpg", "cat/gt/1.png", "dog/1.jpg")["cat/gt/1.png"] == ""


def test_folders_of_a_class_that_are_drawn_over_nothing_are_parts_of_it() -> None:
    assert found("bottle/label/1.jpg", "bottle/cap/1.jpg", "can/1.jpg") == {
        "bottle/label/1.jpg": "bottle",
        "bottle/cap/1.jpg": "bottle",
        "can/1.jpg": "can",
    }
    numbered = [f"cat/images/{n}.jpg" for n in range(4)]
    assert found(*numbered, "cat/night/1.jpg", "dog/1.jpg")["cat/night/1.jpg"] == "cat"
    assert found(*numbered[:1], "cat/test/0.jpg", "dog/1.jpg")["cat/test/0.jpg"] == "cat*"


def test_classes_at_unequal_depth_are_told() -> None:
    paths = ("cat/1.jpg", "dog/1.jpg", "birds/robin/1.jpg", "birds/eagle/1.jpg")
    assert found(*paths)["birds/robin/1.jpg"] == "birds"
    assert "'birds/eagle', 'birds/robin' are of the outer one" in notes(*paths)
    assert "add the outer ones by themselves: 'birds'" in notes(*paths)


def test_folders_of_the_same_names_in_several_classes_are_told() -> None:
    told = notes("day1/a/1.jpg", "day1/b/1.jpg", "day2/a/1.jpg", "day2/b/1.jpg")
    assert "add the outer ones by themselves: 'day1', 'day2'" in told


def test_classes_that_are_only_held_out_are_told() -> None:
    assert "'b': only held out" in notes("train/a/1.jpg", "val/a/2.jpg", "val/b/3.jpg")


def test_the_folder_test_is_a_class_where_the_user_says_so() -> None:
    assert found("1.jpg", root="test", class_name="test") == {"1.jpg": "test"}
    assert found("1.jpg", root="test", class_name="mug") == {"1.jpg": "mug*"}


def test_any_number_of_folders_in_each_other_and_beside_each_other() -> None:
    assert found("a/" * 5000 + "1.jpg", "b/1.jpg")["b/1.jpg"] == "b"
    wide = [f"class {n} test/{n}.jpg" for n in range(3000)]
    assert len(place_pictures(wide).placed) == 3000
    with pytest.raises(NotImportableError, match="more than 20,000 folders"):
        place_pictures([f"{n}/1.jpg" for n in range(20_002)])
