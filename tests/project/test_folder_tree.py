from __future__ import annotations

from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_pictures, write_zip

from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.store import ProjectStore


def labels(path: Path) -> list[str]:
    return [item.class_name for item in open_importer(path) if isinstance(item, LabelledPicture)]


def reasons(path: Path) -> dict[str, str]:
    items = [item for item in open_importer(path) if isinstance(item, Refusal)]
    return {item.source.removeprefix(f"{path}/"): item.reason for item in items}


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A folder beside the data, to make links in."""
    write_pictures(tmp_path, "disk/cat/1.jpg", "disk/dog/1.jpg")
    (tmp_path / "set").mkdir()
    return tmp_path / "set"


def test_class_folders_that_are_links_are_followed_and_told(linked: Path) -> None:
    for name in ("cat", "dog"):
        (linked / name).symlink_to(f"../disk/{name}")
    assert labels(linked) == ["cat", "dog"]
    assert open_importer(linked).notes == ("Links to folders were followed: 'cat', 'dog'.",)


def test_a_link_to_a_split_is_that_split(linked: Path) -> None:
    for name in ("train", "val"):
        (linked / name).symlink_to("../disk")
    found = [i for i in open_importer(linked) if isinstance(i, LabelledPicture)]
    assert [(i.class_name, i.held_out) for i in found] == [
        ("cat", False),
        ("dog", False),
        ("cat", True),
        ("dog", True),
    ]


def test_a_link_that_is_added_by_itself_is_the_split_that_it_is_called(linked: Path) -> None:
    (linked / "test").symlink_to("../disk")
    assert all(i.held_out for i in open_importer(linked / "test") if isinstance(i, LabelledPicture))


def held_out(path: Path) -> list[tuple[str, bool]]:
    return [
        (i.class_name, i.held_out) for i in open_importer(path) if isinstance(i, LabelledPicture)
    ]


def test_a_link_is_the_split_that_what_it_leads_to_is_called(linked: Path) -> None:
    write_pictures(linked.parent, "real_test/cat/1.jpg", "real_test/dog/1.jpg", "train/cat/2.jpg")
    (linked / "one").symlink_to("../real_test")
    assert held_out(linked / "one") == [("cat", True), ("dog", True)]
    assert (
        "Links to folders were followed: 'one -> real_test'." in open_importer(linked / "one").notes
    )
    assert held_out(linked) == [("cat", True), ("dog", True)]
    (linked / "train").symlink_to("../real_test")
    assert held_out(linked / "train") == [("cat", True), ("dog", True)]


def test_links_to_splits_beside_each_other_are_these_splits(linked: Path) -> None:
    for name, target in (("a", "train"), ("b", "test")):
        write_pictures(linked.parent, f"store/{target}/cat/1.jpg", f"store/{target}/dog/1.jpg")
        (linked / name).symlink_to(f"../store/{target}")
    expected = [("cat", False), ("dog", False), ("cat", True), ("dog", True)]
    assert held_out(linked) == expected


def test_classes_that_are_links_to_splits_of_them_keep_their_names(linked: Path) -> None:
    for name, split in (("cat", "test"), ("dog", "train")):
        write_pictures(linked.parent, f"store/{name}/{split}/1.jpg")
        (linked / name).symlink_to(f"../store/{name}/{split}")
    assert held_out(linked) == [("dog", False), ("cat", True)]


def test_links_within_a_class_are_splits_by_either_name(linked: Path) -> None:
    write_pictures(linked.parent, "set/cat/1.jpg", "set/dog/1.jpg", "test/2.jpg", "more/3.jpg")
    (linked / "cat" / "further").symlink_to("../../test")
    (linked / "dog" / "test").symlink_to("../../more")
    (linked / "dog" / "night").symlink_to("../../more")
    assert held_out(linked) == [
        ("cat", False),
        ("dog", False),
        ("dog", False),
        ("cat", True),
        ("dog", True),
    ]


@pytest.mark.parametrize("target", ["..", "../..", ".", "/"])
def test_links_that_lead_round_are_ended_and_told(linked: Path, target: str) -> None:
    write_pictures(linked, "cat/1.jpg", "dog/1.jpg")
    (linked / "cat" / "again").symlink_to(target)
    assert labels(linked) == ["cat", "dog"]
    assert reasons(linked) == {"cat/again": "a link to a folder around it"}


def test_folders_that_link_to_each_other_are_walked_through_once_each_way(linked: Path) -> None:
    write_pictures(linked, "cat/1.jpg", "dog/1.jpg")
    (linked / "cat" / "x").symlink_to("../dog")
    (linked / "dog" / "x").symlink_to("../cat")
    assert labels(linked) == ["cat", "cat", "dog", "dog"]
    assert set(reasons(linked)) == {"cat/x/x", "dog/x/x"}


def test_links_that_double_the_folders_at_each_level_come_to_an_end(linked: Path) -> None:
    write_pictures(linked, *(f"{n}/{n}.jpg" for n in range(30)))
    for n in range(29):
        for name in ("a", "b"):
            (linked / str(n) / name).symlink_to(f"../{n + 1}")
    assert len(labels(linked)) < 30 * 17
    assert "a folder that many links lead to" in reasons(linked).values()


def test_links_to_nothing_and_to_themselves_are_left_alone_and_told(linked: Path) -> None:
    write_pictures(linked, "cat/1.jpg", "dog/1.jpg")
    (linked / "bird").symlink_to("../disk/bird")
    (linked / "fish").symlink_to("fish")
    importer = open_importer(linked)
    assert importer.left_alone == (f"{linked}/bird", f"{linked}/fish")


def test_folders_that_systems_and_programs_make_are_left_out_and_told(tmp_path: Path) -> None:
    folders = (".git", "__MACOSX", "@eaDir", ".ipynb_checkpoints", "$RECYCLE.BIN")
    names = ["cat/1.jpg", "dog/1.jpg", *(f"{folder}/cat/2.jpg" for folder in folders)]
    write_pictures(tmp_path / "set", *names, "cat/@eaDir/3.jpg", "cat/.thumb.jpg")
    path = write_zip(tmp_path / "set.zip", {name: picture_bytes(1) for name in names})
    for source in (tmp_path / "set", path):
        assert labels(source) == ["cat", "dog"]
        (note,) = open_importer(source).notes
        assert note.startswith("Left out, as hidden or made by systems: '$RECYCLE.BIN', '.git', ")


def test_a_project_that_lies_in_the_folder_is_left_out_and_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog/1.jpg", "cat/1.jpg")
    ProjectStore.create(tmp_path / "project", ["mug"]).close()
    write_pictures(tmp_path, "project/samples/mug/b0000001-0000.jpg")
    assert labels(tmp_path) == ["cat", "dog"]
    (note,) = open_importer(tmp_path).notes
    assert note == f"Left out, as it is a project of its own: {tmp_path / 'project'}."


def test_archives_in_a_folder_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path / "set", "dog/1.jpg", "cat/1.jpg")
    write_zip(tmp_path / "set" / "more.zip", {"dog/2.jpg": picture_bytes(2)})
    for name in ("old.tar.gz", "x.7z"):
        (tmp_path / "set" / name).write_bytes(b"x")
    assert reasons(tmp_path / "set") == {
        "more.zip": "an archive in there; name it by itself",
        "old.tar.gz": "an archive in there; name it by itself",
        "x.7z": "archives of this kind cannot be read; unpack it, or pack it as .zip",
    }
