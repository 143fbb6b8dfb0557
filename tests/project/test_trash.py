"""What was removed can be put back, whatever has happened since."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import (
    CancelledError,
    InvalidClassNameError,
    InvalidValueError,
    TrashEmptiedError,
)
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


def picture(number: int) -> Image:
    small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


def capture(store: ProjectStore, class_name: str, *numbers: int) -> list[Sample]:
    burst_id = store.next_burst_id()
    return [store.add_sample(encode_image(picture(n)), class_name, burst_id) for n in numbers]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project", ["mug", "phone", "pen"]) as made:
        capture(made, "mug", 1, 2, 3)
        capture(made, "phone", 4, 5)
        yield made


def test_a_sample_that_is_removed_lies_in_the_trash_also_for_the_next_to_open(
    store: ProjectStore,
) -> None:
    middle = store.samples()[1]
    store.remove_samples([middle])
    assert middle not in store.samples()
    assert files(store.path / "trash") == ["000001/mug/b0000001-0001.jpg"]
    with ProjectStore.open(store.path, read_only=True) as other:
        assert other.samples() == store.samples()


def test_a_sample_that_is_put_back_is_where_and_what_it_was(store: ProjectStore) -> None:
    before = store.samples()
    removed = store.remove_samples([before[1]])
    assert store.put_back(removed) == 1
    assert store.samples() == before
    assert files(store.path / "trash") == []
    store.close()
    with ProjectStore.open(store.path) as again:
        assert again.samples() == before


def test_an_undone_burst_can_be_put_back(store: ProjectStore) -> None:
    before = store.samples()
    removed = store.remove_burst(before[-1].burst_id)
    assert store.put_back(removed) == 2
    assert store.samples() == before


def test_a_class_comes_back_with_its_place_colour_pictures_and_held_out_pictures(
    store: ProjectStore,
) -> None:
    encoded = encode_image(picture(9))
    store.add_sample(encoded, "mug", store.next_burst_id(), held_out=True)
    before = (store.class_names(), store.colour("mug"), store.samples(), store.held_out())
    removed = store.remove_class("mug")
    assert removed.count == 4
    assert store.put_back(removed) == 4
    assert (store.class_names(), store.colour("mug"), store.samples(), store.held_out()) == before
    store.close()
    with ProjectStore.open(store.path) as again:
        assert (again.class_names(), again.colour("mug"), again.samples()) == before[:3]


def test_a_class_without_pictures_comes_back_as_well(store: ProjectStore) -> None:
    removed = store.remove_class("pen")
    assert store.put_back(removed) == 0
    assert store.class_names() == ("mug", "phone", "pen")


def test_pictures_come_back_to_the_class_that_has_taken_the_name_meanwhile(
    store: ProjectStore,
) -> None:
    before = [s.image_sha256 for s in store.samples() if s.class_name == "mug"]
    removed = store.remove_class("mug")
    store.add_class("mug")
    new = [s.image_sha256 for s in capture(store, "mug", 11, 12)]
    assert store.put_back(removed) == 3
    assert [s.image_sha256 for s in store.samples() if s.class_name == "mug"] == before + new


def test_a_picture_comes_back_although_its_class_was_renamed(store: ProjectStore) -> None:
    removed = store.remove_samples([store.samples()[0]])
    store.rename_class("mug", "cup")
    assert store.put_back(replace(removed, class_name="cup")) == 1
    assert [s.path.parent.name for s in store.samples()[:3]] == ["cup"] * 3
    store.close()
    with ProjectStore.open(store.path) as again:
        assert again.samples() == store.samples()


def test_a_picture_comes_back_although_its_class_was_removed_since(store: ProjectStore) -> None:
    before = store.samples()
    one = store.remove_samples([before[0]])
    rest = store.remove_class("mug")
    assert store.put_back(one) == 1
    assert store.put_back(rest) == 2
    assert store.samples() == before


def test_a_picture_whose_file_name_was_taken_meanwhile_gets_another_one(
    store: ProjectStore,
) -> None:
    folder = store.path / "samples" / "mug"
    (folder / "by hand.jpg").write_bytes(encode_image(picture(20)).data)
    store.close()
    with ProjectStore.open(store.path) as again:
        by_hand = next(s for s in again.samples() if s.path.name == "by hand.jpg")
        removed = again.remove_samples([by_hand])
        by_hand.path.write_bytes(encode_image(picture(21)).data)
        again.put_back(removed)
        assert (folder / "by hand (2).jpg").read_bytes() == encode_image(picture(20)).data
        assert by_hand.path.read_bytes() == encode_image(picture(21)).data
        assert "by hand (2).jpg" in [s.path.name for s in again.samples()]


def test_a_class_whose_name_is_too_like_another_one_now_stays_in_the_trash(
    store: ProjectStore,
) -> None:
    removed = store.remove_class("mug")
    store.add_class("MUG")
    with pytest.raises(InvalidClassNameError):
        store.put_back(removed)
    assert len(files(store.path / "trash")) == 3
    store.rename_class("MUG", "other")
    assert store.put_back(removed) == 3


def test_what_somebody_has_deleted_from_the_trash_is_told(store: ProjectStore) -> None:
    removed = store.remove_samples(store.samples()[:2])
    shutil.rmtree(store.path / "trash")
    with pytest.raises(TrashEmptiedError, match="no longer in"):
        store.put_back(removed)
    assert len(store.samples()) == 3


def test_what_is_left_in_the_trash_after_a_failure_can_be_put_back_later(
    store: ProjectStore,
) -> None:
    before = store.samples()
    removed = store.remove_samples(before[:3])
    in_the_way = before[1].path.with_name("away.jpg")
    assert removed.samples is not None
    hidden = removed.samples.folder / before[1].path.name
    hidden.rename(in_the_way)
    assert store.put_back(removed) == 2
    removed.samples.folder.mkdir(parents=True)
    in_the_way.rename(hidden)
    assert store.put_back(removed) == 1
    assert store.samples() == before


def test_only_samples_of_one_class_of_this_project_are_removed(store: ProjectStore) -> None:
    mug, phone = store.samples()[0], store.samples()[-1]
    for samples in ([], [mug, phone], [replace(mug, path=mug.path.with_name("x.jpg"))]):
        with pytest.raises(InvalidValueError, match="of one class"):
            store.remove_samples(samples)
    assert len(store.samples()) == 5


def test_a_copy_that_is_stopped_leaves_nothing_behind(store: ProjectStore, tmp_path: Path) -> None:
    told: list[float] = []

    def progress(done: float, _what: str | None = None, /) -> None:
        told.append(done)

    target = tmp_path / "a" / "b" / "copy"
    with pytest.raises(CancelledError, match="no copy was saved"):
        store.save_as(target, progress, lambda: len(told) >= 3)
    assert len(told) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["project"]
    assert len(store.samples()) == 5


def test_saving_a_copy_tells_how_far_it_is(store: ProjectStore, tmp_path: Path) -> None:
    told: list[float] = []

    def progress(done: float, _what: str | None = None, /) -> None:
        told.append(done)

    store.save_as(tmp_path / "copy", progress)
    assert told == sorted(told)
    assert len(told) >= 5
    assert told[0] == 0.0
    assert 0.5 < told[-1] <= 1.0
