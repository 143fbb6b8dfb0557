from __future__ import annotations

import logging
import unicodedata
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.captured import HEADER, INFO, capture, files, picture, reopened

from edge_classifier.errors import (
    InvalidImageError,
    InvalidValueError,
    ProjectError,
    UnknownClassError,
)
from edge_classifier.project.folder import default_project_path
from edge_classifier.project.picture_file import encode_image, read_image, read_thumbnail
from edge_classifier.project.sample_files import recording_of
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from edge_classifier.project.store import ProjectStore


# Samples


def test_a_sample_is_on_disk_in_its_class_folder_when_it_was_added(
    store: ProjectStore, path: Path
) -> None:
    encoded = encode_image(picture())
    sample = store.add_sample(encoded, "mug", store.next_burst_id())
    assert sample.path == path / "samples" / "mug" / "b0000001-0000.jpg"
    assert sample.path.read_bytes() == encoded.data
    assert sample.image_sha256 == encoded.sha256
    assert np.array_equal(read_image(sample.path), encoded.image)
    assert store.samples() == (sample,)


def test_samples_come_by_class_and_then_as_captured_also_after_reopening(
    store: ProjectStore,
) -> None:
    phone = capture(store, "phone", 1, 2)
    mug = capture(store, "mug", 3)
    mug += capture(store, "mug", 4, 5)
    expected = (*mug, *phone)
    assert store.samples() == expected
    with reopened(store) as again:
        assert again.samples() == expected
    with ProjectStore.open(store.path, read_only=True) as watching:
        assert watching.samples() == expected


def test_a_burst_of_more_than_9999_samples_stays_in_order(store: ProjectStore, path: Path) -> None:
    first = capture(store, "mug", 1)[0]
    for index in (9_999, 10_000):
        (path / f"samples/mug/{first.burst_id}-{index:04d}.jpg").write_bytes(
            first.path.read_bytes()
        )
    with reopened(store) as again:
        assert [s.path.stem[-5:] for s in again.samples()] == ["-0000", "-9999", "10000"]


def test_a_sample_of_an_unknown_class_or_burst_is_refused(store: ProjectStore, path: Path) -> None:
    encoded, burst_id = encode_image(picture()), store.next_burst_id()
    with pytest.raises(UnknownClassError, match="no class 'cup'; it has 'mug', 'phone'"):
        store.add_sample(encoded, "cup", burst_id)
    for wrong in ("../../x", "b0000002", "1"):
        with pytest.raises(InvalidValueError, match="burst"):
            store.add_sample(encoded, "mug", wrong)
    assert not files(path / "samples")


def test_what_was_recorded_with_another_class_is_held_out_with_it(store: ProjectStore) -> None:
    burst_id, others = store.next_burst_id(), store.next_burst_id()
    for n, name in enumerate(("mug", "phone", "mug", "phone")):
        store.add_sample(encode_image(picture(n)), name, burst_id)
    store.add_sample(encode_image(picture(9)), "phone", others)
    for now in (store, reopened(store)):
        samples = now.samples()
        assert [s.path.stem for s in samples] == [
            *("b0000001-0000", "b0000001-0002", "b0000001-0001", "b0000001-0003"),
            "b0000002-0000",
        ]
        assert len({s.burst_id for s in samples}) == 3
        assert [recording_of(s.burst_id) for s in samples] == [*[burst_id] * 4, others]
    now.close()


def test_burst_ids_sort_and_are_never_given_twice_even_if_undone_and_reopened(
    store: ProjectStore, path: Path
) -> None:
    given = [store.next_burst_id() for _ in range(3)]
    capture(store, "mug", 1)
    undone = capture(store, "mug", 2)[0].burst_id
    store.remove_burst(undone)
    removed = capture(store, "phone", 3)[0].burst_id
    store.remove_class("phone")
    reopened(store).close()
    (path / "trash").rename(path.parent / "emptied")
    with ProjectStore.open(path) as again:
        new = again.next_burst_id()
    assert [*given, undone, removed, new] == [f"b000000{n}" for n in (1, 2, 3, 5, 6, 7)]


def test_undo_moves_the_burst_to_the_trash_and_works_after_reopening(
    store: ProjectStore, path: Path
) -> None:
    first = capture(store, "mug", 1, 2)
    capture(store, "mug", 3, 4)
    with reopened(store) as again:
        again.remove_burst(again.samples()[-1].burst_id)
        assert again.samples() == tuple(first)
        again.remove_burst(again.samples()[-1].burst_id)
        assert again.samples() == ()
        with pytest.raises(InvalidValueError, match="no burst 'b0000001'"):
            again.remove_burst(first[0].burst_id)
    assert files(path / "samples") == []
    assert files(path / "trash") == [
        "000001/mug/b0000002-0000.jpg",
        "000001/mug/b0000002-0001.jpg",
        "000002/mug/b0000001-0000.jpg",
        "000002/mug/b0000001-0001.jpg",
    ]


def test_a_class_folder_deleted_under_the_open_project_is_made_again(
    store: ProjectStore, path: Path
) -> None:
    sample = capture(store, "mug", 1)[0]
    sample.path.unlink()
    sample.path.parent.rmdir()
    capture(store, "mug", 2)
    assert files(path / "samples") == ["mug/b0000002-0000.jpg"]


def test_a_thumbnail_is_small_and_a_damaged_sample_is_named(store: ProjectStore) -> None:
    sample = store.add_sample(
        encode_image(np.asarray(cv2.resize(picture(), (640, 480)), np.uint8)),
        "mug",
        store.next_burst_id(),
    )
    assert read_thumbnail(sample.path).shape == (72, 96, 3)
    sample.path.write_bytes(sample.path.read_bytes()[:500])
    with pytest.raises(InvalidImageError, match=r"b0000001-0000\.jpg is damaged"):
        read_thumbnail(sample.path)


def test_other_programs_read_the_samples_folder_as_it_is(store: ProjectStore, path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    capture(store, "mug", 1, 2)
    capture(store, "phone", 3)
    loaded = datasets.load_files(path / "samples", load_content=False)
    assert loaded.target_names == ["mug", "phone"]
    assert sorted(loaded.target) == [0, 0, 1]


# Pictures and folders of other programs


def test_pictures_dropped_into_a_class_are_samples_each_a_burst_of_its_own(
    store: ProjectStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    captured = capture(store, "mug", 1)
    folder = path / "samples" / "mug"
    for name in ("photo.PNG", "été.webp", "x.bmp", "y.jpeg"):
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix.lower(), picture())[1].tobytes())
    with reopened(store) as again:
        samples = again.samples()
        assert len({s.burst_id for s in samples}) == 5
        assert samples[-1] == captured[0]
        assert all(read_image(s.path).shape == (60, 80, 3) for s in samples)
        undone = max(samples, key=lambda s: s.burst_id)
        assert undone == captured[0]
        again.remove_burst(samples[0].burst_id)
        assert len(again.samples()) == 4
    assert not caplog.records


def test_what_is_no_picture_is_left_alone_and_told_once(
    store: ProjectStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture(store, "mug", 1)
    folder = path / "samples" / "mug"
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("x")
    (folder / ".DS_Store").write_text("x")
    (folder / "Thumbs.db").write_text("x")
    (path / "samples" / "@eaDir" / "mug").mkdir(parents=True)
    (folder / "._photo.jpg").write_text("x")
    (folder / "folder.jpg").mkdir()
    (folder / "link.jpg").symlink_to("/etc/hostname")
    (path / "samples" / "con").mkdir()
    (path / "samples" / "linked").symlink_to(folder)
    with reopened(store) as again:
        assert len(again.samples()) == 1
        assert again.class_names() == ("mug", "phone")
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.WARNING
    assert "and 3 more" in caplog.text
    assert (folder / "notes.txt").exists()


def test_a_folder_dropped_into_samples_becomes_a_class_in_either_spelling_of_unicode(
    store: ProjectStore, path: Path
) -> None:
    decomposed = unicodedata.normalize("NFD", "café")
    for folder in (decomposed, "Zebra"):
        (path / "samples" / folder).mkdir(parents=True)
        (path / "samples" / folder / "a.jpg").write_bytes(encode_image(picture()).data)
    with reopened(store) as again:
        assert again.class_names() == ("mug", "phone", "Zebra", "café")
        assert [s.class_name for s in again.samples()] == ["Zebra", "café"]
        capture(again, "café", 1)
        assert again.rename_class("café", "tea") == "tea"
        assert [s.burst_id for s in again.samples() if s.class_name == "tea"] == [
            "+tea/a.jpg",
            "b0000001",
        ]
    with ProjectStore.open(path) as again:
        assert again.class_names() == ("mug", "phone", "Zebra", "tea")
        assert len(again.samples()) == 3


def test_bursts_copied_from_another_project_are_not_undone_with_ours(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    (path / "samples" / "phone").mkdir()
    for index in (0, 1):
        (path / f"samples/phone/b0000001-000{index}.jpg").write_bytes(
            encode_image(picture(index)).data
        )
    with reopened(store) as again:
        again.remove_burst("b0000001")
        left = again.samples()
        assert [s.class_name for s in left] == ["phone", "phone"]
        assert len({s.burst_id for s in left}) == 1


# The index of hashes


def test_with_a_valid_index_no_picture_is_read_and_a_changed_one_is(
    store: ProjectStore, path: Path
) -> None:
    first, second = capture(store, "mug", 1, 2)
    store.close()
    index = path / "cache" / "hashes.txt"
    other = "ab" * 32  # shows where a hash came from
    index.write_text(index.read_text().replace(first.image_sha256, other))
    second.path.write_bytes(encode_image(picture(3)).data)
    with ProjectStore.open(path) as again:
        assert again.samples()[0].image_sha256 == "ab" * 32
        assert again.samples()[1].image_sha256 == encode_image(picture(3)).sha256


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        f"{HEADER}x",
        f"{HEADER}7 8 ab\n",
        f"{HEADER}x y {'ab' * 32} mug/b0000001-0000.jpg\n",
    ],
)
def test_a_damaged_or_deleted_index_costs_nothing_but_time(
    store: ProjectStore, path: Path, damage: str
) -> None:
    capture(store, "mug", 1, 2)
    expected = store.samples()
    store.close()
    (path / "cache" / "hashes.txt").write_text(damage)
    with ProjectStore.open(path) as again:
        assert again.samples() == expected
    for file in (path / "cache").iterdir():
        file.unlink()
    (path / "cache").rmdir()
    with ProjectStore.open(path) as again:
        assert again.samples() == expected


def test_a_renamed_class_needs_no_hashing_when_opened_again(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    store.rename_class("mug", "cup")
    store.close()
    known = (path / "cache" / "hashes.txt").read_text().splitlines()
    assert [line.rpartition(" ")[2] for line in known[1:]] == ["cup/b0000001-0000.jpg"]


def test_an_index_longer_than_the_project_is_read_no_further_than_it_helps(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    expected = store.samples()
    store.close()
    line = f"1 1 {'ab' * 32} mug/b0000001-0000.jpg\n".encode()
    with (path / "cache" / "hashes.txt").open("wb") as file:
        file.write(HEADER.encode() + 1_000 * line)
        file.truncate(1 << 40)  # of nothing: it takes no room
    with ProjectStore.open(path) as again:
        assert again.samples() == expected


# Saving as


def test_a_saved_copy_has_everything_but_the_trash_and_opens(
    store: ProjectStore, tmp_path: Path
) -> None:
    capture(store, "mug", 1, 2)
    capture(store, "phone", 3)
    store.remove_burst(capture(store, "phone", 4)[0].burst_id)
    store.set_backbone(INFO)
    store.model_folder.mkdir()
    (store.model_folder / "head").write_text("x")
    target = tmp_path / "a" / "copy"
    store.save_as(target)
    with ProjectStore.open(target) as copy:
        assert [(s.class_name, s.image_sha256) for s in copy.samples()] == [
            (s.class_name, s.image_sha256) for s in store.samples()
        ]
        assert all(s.path.is_relative_to(target) for s in copy.samples())
        assert copy.backbone == INFO
        assert copy.next_burst_id() == store.next_burst_id()
    assert (target / "model" / "head").read_text() == "x"
    assert not (target / "trash").exists()
    assert [p.name for p in target.parent.iterdir()] == ["copy"]
    capture(store, "mug", 5)
    assert len(list(target.glob("samples/*/*"))) == 3


def test_a_copy_is_never_written_over_or_into_something(
    store: ProjectStore, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.doc").write_text("x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match="not an empty folder"):
        store.save_as(tmp_path / "taken")
    with pytest.raises(ProjectError, match="not an empty folder"):
        store.save_as(tmp_path / "file")
    with pytest.raises(ProjectError, match="inside the project"):
        store.save_as(path / "copy")
    with pytest.raises(ProjectError):
        store.save_as(tmp_path / "file" / "copy")
    (tmp_path / "empty").mkdir()
    store.save_as(tmp_path / "empty")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "project", "taken"]


def test_a_new_projects_path_has_the_date_and_a_number_that_is_free(tmp_path: Path) -> None:
    day = date(2026, 11, 30)
    first = default_project_path(tmp_path, day)
    assert first == tmp_path / "projects" / "2026-11-30-1"
    ProjectStore.create(first).close()
    assert default_project_path(tmp_path, day).name == "2026-11-30-2"


def test_many_samples_are_made_safe_from_a_power_cut_at_once(store: ProjectStore) -> None:
    capture(store, "mug", *([1] * 3))
    store.sync()
    capture(store, "mug", *([1] * 250))
    store.remove_burst("b0000001")
    store.sync()
    assert len(store.samples()) == 250
