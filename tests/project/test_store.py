from __future__ import annotations

import json
import logging
import os
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import (
    BackboneMismatchError,
    InvalidClassNameError,
    InvalidImageError,
    InvalidValueError,
    NotAProjectError,
    ProjectError,
    ProjectFormatError,
    ProjectLockedError,
    UnknownClassError,
)
from edge_classifier.project.folder import default_project_path
from edge_classifier.project.picture_file import encode_image, read_image, read_thumbnail
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Sample

HEADER = "edge-classifier hashes 1\n"
INFO = BackboneInfo("v1-0.25", (7, 7, 256), "pooled", "ab" * 32, Preprocessing(224))


def picture(number: int = 0) -> Image:
    small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (80, 60)), dtype=np.uint8)


def capture(store: ProjectStore, class_name: str, *numbers: int) -> list[Sample]:
    burst_id = store.next_burst_id()
    return [store.add_sample(encode_image(picture(n)), class_name, burst_id) for n in numbers]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.fixture
def store(path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(path, ["mug", "phone"]) as made:
        yield made


def reopened(store: ProjectStore) -> ProjectStore:
    store.close()
    return ProjectStore.open(store.path)


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
    store.add_sample(encoded, "mug", burst_id)
    with pytest.raises(InvalidValueError, match="belongs to the class 'mug'"):
        store.add_sample(encoded, "phone", burst_id)
    assert len(files(path / "samples")) == 1


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


# Classes


def test_a_class_is_added_at_the_end_as_cleaned(store: ProjectStore) -> None:
    assert store.add_class("  tasse a\u0300 café ") == "tasse à café"
    assert store.class_names() == ("mug", "phone", "tasse à café")
    assert len({store.colour(name) for name in store.class_names()}) == 3
    with reopened(store) as again:
        assert again.class_names() == ("mug", "phone", "tasse à café")


def test_a_class_called_unknown_of_an_older_project_is_kept_and_can_be_renamed(
    store: ProjectStore,
) -> None:
    capture(store, "mug", 1, 2)
    store.close()
    (store.path / "samples" / "mug").rename(store.path / "samples" / "unknown")
    path = store.path / "project.json"
    path.write_text(path.read_text().replace('"mug"', '"unknown"'))
    with ProjectStore.open(store.path) as older:
        assert [s.class_name for s in older.samples()] == ["unknown", "unknown"]
        assert older.rename_class("unknown", "other") == "other"
    with ProjectStore.open(store.path) as again:
        assert [s.class_name for s in again.samples()] == ["other", "other"]


@pytest.mark.parametrize("name", ["", "mug", "MUG", "../../x", "x" * 300, "Unknown"])
def test_a_bad_class_name_is_refused_and_nothing_changes(store: ProjectStore, name: str) -> None:
    before = (store.path / "project.json").read_bytes()
    with pytest.raises(InvalidClassNameError):
        store.add_class(name)
    with pytest.raises(InvalidClassNameError):
        store.rename_class("phone", name)
    assert (store.path / "project.json").read_bytes() == before


def test_a_renamed_class_keeps_its_place_its_colour_and_its_samples(store: ProjectStore) -> None:
    colour = store.colour("mug")
    capture(store, "mug", 1, 2)
    other = capture(store, "phone", 3)
    hashes = [s.image_sha256 for s in store.samples()]
    assert store.rename_class("mug", "cup") == "cup"
    third = capture(store, "cup", 4)[0]
    assert store.class_names() == ("cup", "phone")
    assert store.colour("cup") == colour
    assert [s.image_sha256 for s in store.samples()] == [
        *hashes[:2],
        third.image_sha256,
        other[0].image_sha256,
    ]
    assert all(s.path.exists() for s in store.samples())
    expected = store.samples()
    with reopened(store) as again:
        assert again.samples() == expected
        with pytest.raises(UnknownClassError):
            again.rename_class("mug", "x")


def test_a_class_can_be_renamed_in_case_only_and_to_itself(store: ProjectStore) -> None:
    capture(store, "mug", 1)
    assert store.rename_class("mug", " mug ") == "mug"
    assert store.rename_class("mug", "Mug") == "Mug"
    with reopened(store) as again:
        assert [s.class_name for s in again.samples()] == ["Mug"]


def test_renaming_onto_a_folder_that_holds_something_is_refused(
    store: ProjectStore, path: Path
) -> None:
    sample = capture(store, "mug", 1)[0]
    (path / "samples" / "cup").mkdir()
    (path / "samples" / "cup" / "a.jpg").write_bytes(sample.path.read_bytes())
    with pytest.raises(ProjectError, match="cup already; move it away"):
        store.rename_class("mug", "cup")
    assert store.samples() == (sample,)
    with reopened(store) as again:
        assert again.class_names() == ("mug", "phone", "cup")
        assert len(again.samples()) == 2


@pytest.mark.parametrize("moved", [False, True])
def test_a_renaming_cut_short_is_completed_when_opened_and_seen_through_by_readers(
    store: ProjectStore, path: Path, *, moved: bool
) -> None:
    capture(store, "mug", 1, 2)
    store.close()
    file = path / "project.json"
    content = json.loads(file.read_text())
    content["classes"][0].update(name="cup", renamed_from="mug")
    file.write_text(json.dumps(content))
    if moved:
        (path / "samples" / "mug").rename(path / "samples" / "cup")
    for read_only in (True, False, False):
        with ProjectStore.open(path, read_only=read_only) as again:
            assert again.class_names() == ("cup", "phone")
            assert [s.class_name for s in again.samples()] == ["cup", "cup"]
            assert all(s.path.exists() for s in again.samples())
    assert files(path / "samples") == ["cup/b0000001-0000.jpg", "cup/b0000001-0001.jpg"]
    assert "renamed_from" not in file.read_text()


def test_a_removed_class_lies_in_the_trash_and_its_name_is_free(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    store.remove_class("mug")
    assert store.class_names() == ("phone",)
    assert store.samples() == ()
    assert store.add_class("mug") == "mug"
    capture(store, "mug", 2)
    store.remove_class("mug")
    store.remove_class("phone")
    assert files(path / "trash") == [
        "000001/mug/b0000001-0000.jpg",
        "000002/mug/b0000002-0000.jpg",
    ]
    with reopened(store) as again:
        assert again.class_names() == ()
        with pytest.raises(UnknownClassError):
            again.remove_class("mug")


# Backbone and settings


def test_the_backbone_is_recorded_and_never_changed_silently(store: ProjectStore) -> None:
    assert store.backbone is None
    store.set_backbone(INFO)
    store.set_backbone(INFO)
    with reopened(store) as again:
        assert again.backbone == INFO
        other = replace(INFO, name="v2-0.35")
        with pytest.raises(BackboneMismatchError, match=r"v1-0\.25.*v2-0\.35"):
            again.set_backbone(other)
        with pytest.raises(BackboneMismatchError, match="other weights"):
            again.set_backbone(replace(INFO, weights_sha256="cd" * 32))
        assert again.backbone == INFO
        again.set_backbone(other, replace=True)
        assert again.backbone == other


def test_settings_are_kept_and_returned_as_copies(store: ProjectStore) -> None:
    store.update_settings(head={"kind": "linear"}, mirror=True)
    store.update_settings(mirror=False)
    store.settings["head"]["kind"] = "changed by a caller"
    with reopened(store) as again:
        assert again.settings == {"head": {"kind": "linear"}, "mirror": False}
        with pytest.raises(InvalidValueError):
            again.update_settings(bad=object())


# Opening


def test_open_or_create_makes_a_project_and_later_adds_the_classes_it_lacks(path: Path) -> None:
    with ProjectStore.open_or_create(path, ["mug"]) as made:
        assert made.name == "project"
        capture(made, "mug", 1)
    with ProjectStore.open_or_create(path, [" mug", "phone"]) as again:
        assert again.class_names() == ("mug", "phone")
        assert len(again.samples()) == 1
    with pytest.raises(InvalidClassNameError):
        ProjectStore.open_or_create(path, ["MUG"])
    ProjectStore.open(path).close()


def test_a_bad_first_class_name_makes_no_folder(path: Path) -> None:
    with pytest.raises(InvalidClassNameError):
        ProjectStore.create(path, ["a", "A"])
    assert not path.exists()


def test_a_folder_left_by_a_kill_before_the_first_project_file_is_used(path: Path) -> None:
    path.mkdir()
    (path / ".lock").touch()
    (path / ".tmp-0123").write_text("{")
    with ProjectStore.open_or_create(path, ["mug"]) as made:
        assert made.class_names() == ("mug",)
    assert not (path / ".tmp-0123").exists()


def test_opening_what_is_not_there_says_how_to_make_it(path: Path) -> None:
    with pytest.raises(NotAProjectError, match="edge-classifier live"):
        ProjectStore.open(path)
    assert not path.exists()


@pytest.mark.parametrize("action", [ProjectStore.open_or_create, ProjectStore.create])
def test_a_foreign_folder_is_refused_and_left_untouched(tmp_path: Path, action: object) -> None:
    assert callable(action)
    (tmp_path / "thesis.doc").write_text("x")
    with pytest.raises(NotAProjectError, match="not a project and not empty"):
        action(tmp_path)
    (tmp_path / "mug").mkdir()
    (tmp_path / "mug" / "a.JPG").write_text("x")
    with pytest.raises(NotAProjectError, match=r"pictures; `edge-classifier add"):
        action(tmp_path)
    assert files(tmp_path) == ["mug/a.JPG", "thesis.doc"]


def test_a_file_in_the_place_of_a_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match="is a file"):
        ProjectStore.open_or_create(tmp_path / "file")
    with pytest.raises(ProjectError):
        ProjectStore.open_or_create(tmp_path / "file" / "below")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_a_folder_that_cannot_be_written_is_a_project_error() -> None:
    with pytest.raises(ProjectError, match="Cannot make the folder"):
        ProjectStore.create(Path("/proc/project"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may everything")
def test_a_project_without_permission_is_refused_but_can_be_read(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    store.close()
    (path / ".lock").unlink()
    path.chmod(0o500)
    try:
        with pytest.raises(ProjectError, match="permission denied"):
            ProjectStore.open(path)
        assert len(ProjectStore.open(path, read_only=True).samples()) == 1
    finally:
        path.chmod(0o700)


def test_a_damaged_project_file_is_refused_and_rebuilt_once_moved_away(
    store: ProjectStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capture(store, "mug", 1)
    store.close()
    (path / "project.json").write_text("{")
    with pytest.raises(ProjectFormatError, match="move it away"):
        ProjectStore.open(path)
    (path / "project.json").rename(path.parent / "damaged.json")
    with ProjectStore.open(path) as again:
        assert [s.class_name for s in again.samples()] == ["mug"]
    assert "missing" in caplog.text
    assert json.loads((path / "project.json").read_text())["classes"][0]["name"] == "mug"


@pytest.mark.parametrize("place", ["samples", "samples/mug", "trash", "cache", "model"])
def test_a_link_in_a_folders_place_is_refused_so_that_nothing_is_written_outside(
    tmp_path: Path, path: Path, place: str
) -> None:
    ProjectStore.create(path, ["mug"]).close()
    (path / "samples").mkdir(exist_ok=True)
    (path / "cache").rmdir() if (path / "cache").exists() else None
    (path / "samples").rmdir() if place == "samples" else None
    (tmp_path / "outside").mkdir()
    (path / place).symlink_to(tmp_path / "outside")
    with pytest.raises(ProjectFormatError, match="move it away"):
        ProjectStore.open(path)


def test_one_program_writes_and_a_second_one_may_only_read(store: ProjectStore, path: Path) -> None:
    sample = capture(store, "mug", 1)[0]
    with pytest.raises(ProjectLockedError, match="open in another"):
        ProjectStore.open(path)
    with ProjectStore.open(path, read_only=True) as second:
        assert second.samples() == (sample,)
        assert second.read_only
        for change in (
            lambda: second.add_class("x"),
            lambda: second.rename_class("mug", "x"),
            lambda: second.remove_class("mug"),
            lambda: second.remove_burst(sample.burst_id),
            lambda: second.add_sample(encode_image(picture()), "mug", sample.burst_id),
            lambda: second.update_settings(a=1),
            lambda: second.set_backbone(INFO),
        ):
            with pytest.raises(ProjectError, match="read-only"):
                change()
    capture(store, "mug", 2)
    store.close()
    store.close()
    with pytest.raises(ProjectError, match="read-only"):
        store.add_class("x")


def test_a_reader_changes_nothing_on_disk(store: ProjectStore, path: Path) -> None:
    capture(store, "mug", 1)
    (path / "samples" / "dropped").mkdir()
    (path / "samples" / "mug" / ".tmp-1").write_text("the writer's own")
    before = {p: p.lstat().st_mtime_ns for p in path.rglob("*")}
    with ProjectStore.open(path, read_only=True) as reader:
        assert reader.class_names() == ("mug", "phone", "dropped")
    assert {p: p.lstat().st_mtime_ns for p in path.rglob("*")} == before


def test_writes_that_never_ended_are_no_samples_and_are_swept_up(
    store: ProjectStore, path: Path
) -> None:
    capture(store, "mug", 1)
    for folder in (path, path / "samples" / "mug", store.cache_folder, store.model_folder):
        folder.mkdir(exist_ok=True)
        (folder / ".tmp-0123").write_bytes(b"\xff\xd8half")
    with reopened(store) as again:
        assert len(again.samples()) == 1
    assert files(path / "samples") == ["mug/b0000001-0000.jpg"]
    assert not list(path.rglob(".tmp-*"))


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
