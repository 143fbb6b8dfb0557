"""Names in the order in which people expect them."""

from edge_classifier.project.natural_order import natural_key


def test_classes_sort_as_people_count() -> None:
    names = ["class10", "Class2", "class1", "class02", "b", "a"]
    assert sorted(names, key=natural_key) == ["a", "b", "class1", "Class2", "class02", "class10"]


def test_any_number_of_digits_can_be_sorted() -> None:
    assert min(["9" * 9000, "1"], key=natural_key) == "1"
