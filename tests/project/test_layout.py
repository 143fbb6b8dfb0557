from __future__ import annotations

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
