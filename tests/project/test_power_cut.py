"""A power cut, as a copy of a real disk while it is in use: what was synced is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.lost_projects import capture, hash_of, pictures
from support.mounts import block_disk

from edge_classifier.project.store import ProjectStore


@pytest.mark.parametrize("change", ["nothing", "rename the class", "rename the project"])
def test_what_was_synced_survives_a_power_cut_wherever_it_was_moved_before(
    tmp_path: Path, change: str
) -> None:
    disk, image, after = tmp_path / "disk", tmp_path / "disk.img", tmp_path / "after.img"
    with block_disk(disk, image):
        project = disk / "new" / "project"
        store = ProjectStore.create(project, ["mug", "phone"])
        capture(store, "mug", 1, 2, 3)
        capture(store, "phone", 4, 5)
        if change == "rename the class":
            store.rename_class("mug", "cup")
        elif change == "rename the project":
            project.rename(disk / "moved")
        store.sync()
        shutil.copyfile(image, after)
    with block_disk(tmp_path / "after", after):
        assert pictures(tmp_path / "after") == {hash_of(number) for number in range(1, 6)}


def test_a_project_that_was_just_made_survives_a_power_cut(tmp_path: Path) -> None:
    disk, image, after = tmp_path / "disk", tmp_path / "disk.img", tmp_path / "after.img"
    with block_disk(disk, image):
        ProjectStore.create(disk / "a" / "b" / "project", ["mug"])
        shutil.copyfile(image, after)
    with (
        block_disk(tmp_path / "after", after) as found,
        ProjectStore.open(found / "a" / "b" / "project") as store,
    ):
        assert store.class_names() == ("mug",)
