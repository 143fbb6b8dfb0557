"""Opening and making a project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.captured import INFO, capture, files, picture, reopened

from edge_classifier.errors import (
    InvalidClassNameError,
    NotAProjectError,
    ProjectError,
    ProjectFormatError,
    ProjectLockedError,
)
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from edge_classifier.project.store import ProjectStore


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
