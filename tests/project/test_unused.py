"""A project that was made, and in which nothing was done, leaves no folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeBackbone

from edge_classifier.project.store import ProjectStore
from edge_classifier.project.unused import missing_folders, remove_unused


def test_an_empty_project_goes_with_the_folders_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "projects" / "new"
    made = missing_folders(path)
    with ProjectStore.create(path) as store:
        store.set_backbone(FakeBackbone().info)  # which no person has chosen
    assert remove_unused(path, made)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_or_hold_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "projects" / "new"
    made = missing_folders(path)
    ProjectStore.create(path).close()
    ProjectStore.create(tmp_path / "projects" / "other").close()
    assert remove_unused(path, made)
    assert [each.name for each in (tmp_path / "projects").iterdir()] == ["other"]


def test_a_folder_that_was_there_before_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.mkdir()
    made = missing_folders(path)
    ProjectStore.create(path).close()
    assert not remove_unused(path, made)
    assert (path / "project.json").exists()


def add_class(store: ProjectStore) -> None:
    store.add_class("mug")


def record(store: ProjectStore) -> None:
    store.add_class("mug")
    encoded = store.encode(np.zeros((8, 8, 3), np.uint8))
    store.add_sample(encoded, "mug", store.next_burst_id())


def record_and_remove(store: ProjectStore) -> None:
    record(store)
    store.remove_class("mug")


def set_something(store: ProjectStore) -> None:
    store.update_settings(unknown_steps=1)


def put_a_file(store: ProjectStore) -> None:
    store.cache_folder.mkdir()
    (store.cache_folder / "notes.txt").write_text("mine")


def put_a_link(store: ProjectStore) -> None:
    (store.path / "samples").mkdir()
    (store.path / "samples" / "photos").symlink_to(store.path.parent)


@pytest.mark.parametrize(
    "do", [add_class, record, record_and_remove, set_something, put_a_file, put_a_link]
)
def test_whatever_was_done_keeps_it(tmp_path: Path, do: Callable[[ProjectStore], None]) -> None:
    path = tmp_path / "new"
    made = missing_folders(path)
    with ProjectStore.create(path) as store:
        do(store)
    before = sorted(path.rglob("*"))
    assert not remove_unused(path, made)
    assert sorted(path.rglob("*")) == before


def test_what_another_program_has_open_stays(tmp_path: Path) -> None:
    path = tmp_path / "projects" / "new"
    made = missing_folders(path)
    with ProjectStore.create(path) as theirs:  # by one that was started at the same moment
        assert ProjectStore.open_as_possible(path).read_only
        assert not remove_unused(path, made)
        record(theirs)
        theirs.look()
        assert not theirs.lost


def test_a_project_that_has_gone_meanwhile_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "new"
    assert not remove_unused(path, missing_folders(path))
