from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import InvalidImageError, InvalidValueError
from edge_classifier.features.bulk import compute_all


def picture(number: int) -> Image:
    return np.full((20, 30, 3), number % 256, np.uint8)


def test_results_come_in_the_order_of_the_pictures() -> None:
    backbone = FakeBackbone()
    found = list(compute_all(range(50), picture, backbone.extract, threads=4))
    assert [result.item for result in found] == list(range(50))
    values = np.stack([r.values for r in found if r.values is not None])
    np.testing.assert_array_equal(values, backbone.extract([picture(n) for n in range(50)]))


def test_a_million_pictures_are_never_taken_ahead() -> None:
    taken = itertools.count()
    items: Iterator[int] = (next(taken) for _ in range(10**6))
    results = compute_all(items, picture, FakeBackbone().extract, threads=2)
    for _ in range(100):
        next(results)
    results.close()
    assert next(taken) <= 100 + 5 * 8


def test_the_first_answer_does_not_wait_for_a_whole_batch() -> None:
    allowed = threading.Event()

    def read(number: int) -> Image:
        if number > 4:
            assert allowed.wait(30)
        return picture(number)

    results = compute_all(range(100), read, FakeBackbone().extract, threads=2)
    assert next(results).item == 0
    allowed.set()
    assert len(list(results)) == 99


def test_a_picture_that_cannot_be_read_is_told_and_the_others_go_on() -> None:
    def read(number: int) -> Image:
        if number == 3:
            raise InvalidImageError("number 3 is damaged")
        return picture(number)

    found = list(compute_all(range(10), read, FakeBackbone().extract))
    assert [r.item for r in found if r.values is None] == [3]
    assert str(found[3].problem) == "number 3 is damaged"


def test_what_is_no_problem_of_a_picture_ends_the_work() -> None:
    def read(_: Path) -> Image:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(compute_all([Path("a")], read, FakeBackbone().extract))


def test_no_thread_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="1 or more threads, received 0"):
        list(compute_all([1], picture, FakeBackbone().extract, threads=0))


def test_no_thread_is_left_behind() -> None:
    results = compute_all(range(1000), picture, FakeBackbone().extract, threads=3)
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("bulk")]
