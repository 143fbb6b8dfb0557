"""Samples are moved to another class, and stay what they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.live_session import scene

from edge_classifier.errors import (
    EdgeClassifierError,
    InvalidValueError,
    ProjectError,
    UnknownClassError,
)
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project", ["mug", "phone", "pen"]) as store:
        yield store


def capture(store: ProjectStore, class_name: str, count: int) -> list[Sample]:
    burst_id = store.next_burst_id()
    pictures = (encode_image(scene(1, n)) for n in range(count))
    return [store.add_sample(picture, class_name, burst_id) for picture in pictures]


def places(store: ProjectStore) -> list[tuple[str, str, str]]:
    return [(s.class_name, s.path.name, s.burst_id) for s in store.samples()]


def reopened(store: ProjectStore) -> list[tuple[str, str, str]]:
    with ProjectStore.open(store.path, read_only=True) as again:
        return places(again)


def test_a_whole_burst_stays_the_burst_that_it_was(store: ProjectStore) -> None:
    samples = capture(store, "mug", 2)
    moved = store.move_samples(samples, "phone")
    assert moved == list(store.samples())
    assert [(s.class_name, s.burst_id) for s in moved] == [("phone", samples[0].burst_id)] * 2
    assert not list((store.path / "samples" / "mug").iterdir())
    assert reopened(store) == places(store)
    assert store.remove_burst(samples[0].burst_id).count == 2


def test_a_part_of_a_burst_is_one_of_its_own_and_joins_the_rest_when_it_is_back(
    store: ProjectStore,
) -> None:
    samples = capture(store, "mug", 4)
    before = places(store)
    first = store.move_samples(samples[:1], "phone")
    second = store.move_samples(samples[1:2], "phone")
    assert first[0].burst_id == second[0].burst_id != samples[0].burst_id
    assert reopened(store) == places(store)
    assert store.remove_burst(samples[0].burst_id).class_name == "mug", "and the rest of it only"
    store.move_samples([*first, *second], "mug")
    assert places(store) == before[:2]


def test_pictures_of_other_programs_keep_their_names_as_far_as_they_are_free(
    store: ProjectStore,
) -> None:
    for class_name in ("mug", "phone"):
        folder = store.path / "samples" / class_name
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_bytes(encode_image(scene(1, len(class_name))).data)
    store.close()
    with ProjectStore.open(store.path) as again:
        moved = again.move_samples([s for s in again.samples() if s.class_name == "mug"], "phone")
        assert [s.path.name for s in moved] == ["a (2).jpg"]
        assert reopened(again) == places(again)
        assert [s.path.name for s in again.move_samples(moved, "pen")] == ["a (2).jpg"]


def test_what_was_deleted_is_not_there_afterwards(store: ProjectStore) -> None:
    samples = capture(store, "mug", 3)
    samples[1].path.unlink()
    moved = store.move_samples(samples, "phone")
    assert [s.path.name for s in moved] == [samples[0].path.name, samples[2].path.name]
    assert reopened(store) == places(store)


def test_after_a_failure_every_sample_is_where_it_is_on_disk(store: ProjectStore) -> None:
    samples = capture(store, "mug", 3)
    (store.path / "samples" / "phone").write_bytes(b"in the way")
    with pytest.raises(ProjectError):
        store.move_samples(samples, "phone")
    assert list(store.samples()) == samples


@pytest.mark.parametrize(
    ("which", "class_name", "error"),
    [
        (slice(0, 1), "nothing", UnknownClassError),
        (slice(0, 0), "phone", InvalidValueError),
        (slice(0, 4), "phone", InvalidValueError),
    ],
)
def test_what_cannot_be_moved_is_refused_and_left(
    store: ProjectStore, which: slice, class_name: str, error: type[EdgeClassifierError]
) -> None:
    samples = [*capture(store, "mug", 2), *capture(store, "pen", 2)]
    before = places(store)
    with pytest.raises(error):
        store.move_samples(samples[which], class_name)
    assert places(store) == before
    assert reopened(store) == before
