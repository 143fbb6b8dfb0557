from __future__ import annotations

import numpy as np

from edge_classifier.device.frame_buffer import DIFFERS, MAX_FRAMES, FrameBuffer

DIM = 16


def row(index: int, turned: float = 0.0) -> np.ndarray:
    """Give one of `DIM` directions, turned by so many radians towards the next one."""
    found = np.zeros(DIM, np.float32)
    found[index % DIM] = np.cos(turned)
    found[(index + 1) % DIM] = np.sin(turned)
    return found


def test_a_frame_like_one_that_is_there_is_left_out() -> None:
    buffer = FrameBuffer(DIM)
    alike, differs = np.arccos(1 - DIFFERS * 0.9), np.arccos(1 - DIFFERS * 1.1)
    assert buffer.add(row(0), 0)
    assert not buffer.add(row(0), 0)
    assert not buffer.add(row(0, alike), 1)
    assert buffer.add(row(0, differs), 1)
    assert len(buffer) == 2
    assert buffer.counts(3).tolist() == [1, 1, 0]


def test_what_stands_still_for_hours_fills_nothing() -> None:
    buffer = FrameBuffer(DIM)
    generator = np.random.default_rng(0)
    for _ in range(2000):
        noisy = row(3) + generator.normal(0, 0.005, DIM).astype(np.float32)
        buffer.add(noisy / np.linalg.norm(noisy), 0)
    assert len(buffer) == 1


def test_once_it_is_full_what_came_by_rarely_stays_and_the_oldest_of_the_others_goes() -> None:
    buffer = FrameBuffer(DIM, most=4)
    for index, class_id in enumerate((1, 0, 0, 0, 0, 0)):
        assert buffer.add(row(index), class_id)
    assert buffer.counts(2).tolist() == [3, 1]
    np.testing.assert_array_equal(buffer.rows, [row(0), row(3), row(4), row(5)])


def test_it_never_holds_more_than_it_may() -> None:
    buffer = FrameBuffer(64)
    generator = np.random.default_rng(1)
    for number in range(3 * MAX_FRAMES):
        found = generator.normal(size=64).astype(np.float32)
        buffer.add(found / np.linalg.norm(found), number % 5)
    assert len(buffer) == len(buffer.rows) == MAX_FRAMES
    assert buffer.counts(5).sum() == MAX_FRAMES


def test_rows_that_were_given_stay_as_they_are() -> None:
    buffer = FrameBuffer(DIM, most=2)
    buffer.add(row(0), 0)
    before = buffer.rows
    buffer.add(row(1), 0)
    buffer.add(row(2), 0)
    np.testing.assert_array_equal(before, [row(0)])
