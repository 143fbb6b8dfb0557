"""Thumbnails are read beside the loop, and only those that are wanted are kept."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from support.fakes import ImmediateExecutor, ManualExecutor

from edge_classifier.device.preprocessing import Image
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.thumbnails import THUMBNAIL_SIDE, Thumbnails
from edge_classifier.project.picture_file import encode_image, read_thumbnail


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, ...]:
    """Four pictures."""
    data = encode_image(np.full((480, 640, 3), 90, np.uint8)).data
    paths = tuple(tmp_path / f"{n}.jpg" for n in range(4))
    for path in paths:
        path.write_bytes(data)
    return paths


def read(path: Path) -> Image:
    return read_thumbnail(path, THUMBNAIL_SIDE)


def test_they_are_as_large_as_a_gallery_needs_and_say_when_they_were_written(
    paths: tuple[Path, ...],
) -> None:
    os.utime(paths[0], (1_000_000_000, 1_000_000_000))
    thumbnails = Thumbnails(read, ImmediateExecutor())
    assert thumbnails.of(paths[0]) is None
    thumbnails.want(paths)
    found = thumbnails.of(paths[0])
    assert found is not None
    assert found.image is not None
    assert found.image.shape == (144, 192, 3)
    assert found.written.startswith("2001-09-")


def test_what_is_no_longer_wanted_is_neither_read_nor_kept(paths: tuple[Path, ...]) -> None:
    executor = ManualExecutor()
    thumbnails = Thumbnails(read, executor)
    thumbnails.want(paths[:2])
    thumbnails.want(paths[2:])
    executor.run_all()
    assert [thumbnails.of(path) is not None for path in paths] == [False, False, True, True]
    thumbnails.want(paths[3:])
    assert len(thumbnails) == 1
    assert executor.pending == 0, "it is known already"


def test_one_that_is_being_read_when_others_are_wanted_is_not_kept(paths: tuple[Path, ...]) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slow(path: Path) -> Image:
        reading.set()
        assert go_on.wait(20)
        return read(path)

    worker = start_worker()
    thumbnails = Thumbnails(slow, worker)
    thumbnails.want(paths[:1])
    assert reading.wait(20)
    thumbnails.want(paths[1:])
    go_on.set()
    worker.shutdown(wait=True)
    assert [thumbnails.of(path) is not None for path in paths] == [False, True, True, True]


def test_what_cannot_be_read_says_why_and_the_others_are_read(paths: tuple[Path, ...]) -> None:
    paths[0].unlink()
    paths[1].write_bytes(b"no picture")

    def surprised(path: Path) -> Image:
        if path == paths[2]:
            raise MemoryError
        return read(path)

    thumbnails = Thumbnails(surprised, ImmediateExecutor())
    thumbnails.want(paths)
    found = [thumbnails.of(path) for path in paths]
    assert [each is not None and each.image is not None for each in found] == [False] * 3 + [True]
    for path, each in zip(paths[:3], found, strict=False):
        assert each is not None
        assert str(path) in each.problem
        assert "\n" not in each.problem
