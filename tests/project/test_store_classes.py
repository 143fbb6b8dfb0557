"""What a project knows of its classes, and its settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.captured import INFO, capture, files, reopened

from edge_classifier.errors import (
    BackboneMismatchError,
    InvalidClassNameError,
    InvalidValueError,
    ProjectError,
    UnknownClassError,
)
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from edge_classifier.project.store import ProjectStore


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
