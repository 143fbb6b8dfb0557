"""A set of labels is all text, all whole numbers or all booleans; nothing is converted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier import ImageClassifier
from edge_classifier.errors import InvalidValueError

PICTURES = [np.full((24, 32, 3), 20 * n, np.uint8) for n in range(12)]


def learned(labels: Any) -> ImageClassifier:
    return ImageClassifier(FakeBackbone()).fit(PICTURES, labels)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["b", "a"] * 6, ["a", "b"]),
        ([np.str_("b"), "a"] * 6, ["a", "b"]),
        (np.array(["b", "a"] * 6, object), ["a", "b"]),
        ([2, 1] * 6, [1, 2]),
        ([np.int8(2), 1] * 6, [1, 2]),
        ([2.0, 1] * 6, [1, 2]),
        (np.array([2.0, 1.0] * 6), [1, 2]),
        ([True, np.False_] * 6, [False, True]),
        (["1", "01"] * 6, ["01", "1"]),
    ],
)
def test_labels_of_one_type_are_classes(labels: Any, expected: list[Any]) -> None:
    assert learned(labels).classes_.tolist() == expected


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["a", 1] * 6, r"text \('a', row 0\) and numbers \(1, row 1\)"),
        ([np.str_("a")] * 11 + [np.int64(1)], r"and numbers \(np.int64\(1\), row 11\)"),
        ([1, True] * 6, r"numbers \(1, row 0\) and booleans \(True, row 1\)"),
        (["a", b"a"] * 6, r"text \('a', row 0\) and bytes \(b'a', row 1\)"),
        (["a", None] * 6, r"text \('a', row 0\) and NoneType \(None, row 1\)"),
        (["a", math.nan] * 6, r"text \('a', row 0\) and NaN \(nan, row 1\)"),
        ([1.0, math.nan] * 6, r"numbers \(1.0, row 0\) and NaN \(nan, row 1\)"),
        (np.array(["a", 1] * 6, object), r"text \('a', row 0\) and numbers \(1, row 1\)"),
        (np.array([1.0, math.nan] * 6), "nan in row 1 is no label"),
        (np.array([1.0, math.inf] * 6), "inf in row 1 is no label"),
        ([1, 0.5] * 6, "0.5 in row 1 is no label"),
        ([b"a", b"b"] * 6, "b'a' in row 0 is no label"),
        (np.array(["2020-01-01"] * 12, "M8[D]"), "in row 0 is no label"),
        ([("a",)] * 12, r"shape \(N,\)"),
        (["a", "a\0"] * 6, "NUL"),
        ("aaaaaaaaaaaa", r"shape \(\)"),
    ],
)
def test_labels_of_several_types_or_of_none_are_refused_in_one_line(labels: Any, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told) as refused:
        learned(labels)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("labels", "others"), [(["1", "2"], [1, 2]), ([1, 2], ["1", "2"]), ([0, 1], [False, True])]
)
def test_later_labels_have_to_be_of_the_same_type(labels: list[Any], others: list[Any]) -> None:
    classifier = learned(labels * 6)
    with pytest.raises(InvalidValueError, match="same type as before"):
        classifier.partial_fit(PICTURES, others * 6)
    with pytest.raises(InvalidValueError, match="same type as before"):
        classifier.score(PICTURES, others * 6)
    assert classifier.score(PICTURES, labels * 6) > 0.4
