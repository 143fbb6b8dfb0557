from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.mounts import named_pipe
from support.picture_files import picture_bytes, write_pictures
from support.shared_data import shared_folder

from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore


def classes(path: Path) -> dict[str, tuple[int, int]]:
    """Pictures to train on and held-out ones, by class."""
    found: dict[str, tuple[int, int]] = {}
    for item in open_importer(path):
        if isinstance(item, LabelledPicture):
            training, held_out = found.get(item.class_name, (0, 0))
            found[item.class_name] = training + (not item.held_out), held_out + item.held_out
    return found


def test_the_articles_pictures_keep_their_split() -> None:
    data = shared_folder("data", "article")
    assert classes(data / "pexel-images") == {
        "mobile": (10, 2),
        "notebook": (10, 2),
        "wood": (7, 1),
    }
    assert classes(data / "colors") == {"blue": (2, 1), "red": (2, 1)}


def test_ten_classes_with_train_and_test() -> None:
    found = classes(shared_folder("data", "clothing"))
    assert len(found) == 10
    assert found["t-shirt"] == (30, 15)


@pytest.mark.parametrize("name", ["gone", "gone.zip", "gone.csv", "gone.jpg", "x\0y"])
def test_what_is_not_there_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotImportableError):
        open_importer(tmp_path / name)


def test_an_empty_folder_and_a_text_say_what_can_be_imported(tmp_path: Path) -> None:
    with pytest.raises(NotImportableError, match="There is no picture in"):
        open_importer(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(NotImportableError, match="none of its columns 'x' names pictures"):
        open_importer(tmp_path / "notes.txt")
    (tmp_path / "notes.doc").write_text("x")
    with pytest.raises(NotImportableError, match="none of what can be imported"):
        open_importer(tmp_path / "notes.doc")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("pipe.zip", "pipe.jpg"):
        named_pipe(tmp_path / name)
        with pytest.raises(NotImportableError, match="not a regular file"):
            open_importer(tmp_path / name)


def test_photos_without_labels_need_a_class(tmp_path: Path) -> None:
    write_pictures(tmp_path, "IMG_1.jpg", "IMG_2.jpg")
    with pytest.raises(NotImportableError, match=r"the 2 pictures in .*`--class NAME`"):
        open_importer(tmp_path)
    found = [c for c in open_importer(tmp_path, class_name="mug") if isinstance(c, LabelledPicture)]
    assert [c.class_name for c in found] == ["mug", "mug"]


def test_a_picture_by_itself_has_its_class_in_its_name_or_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog-1.jpg", "me.jpg")
    assert classes(tmp_path / "dog-1.jpg") == {"dog": (1, 0)}
    with pytest.raises(NotImportableError, match=r"me\.jpg.*--class NAME"):
        open_importer(tmp_path / "me.jpg")


def test_another_project_gives_its_classes_its_splits_and_its_bursts(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "other", ["mug"]) as store:
        for number, held_out in ((1, False), (2, False), (3, True)):
            burst_id = store.next_burst_id()
            for shift in (0, 1):
                store.add_sample(
                    encode_image(_noise(number * 10 + shift)), "mug", burst_id, held_out=held_out
                )
        store.remove_burst("b0000002")
    importer = open_importer(tmp_path / "other")
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    assert importer.description == "a project"
    assert [(c.class_name, c.held_out) for c in found] == [("mug", False)] * 2 + [("mug", True)] * 2
    assert len({c.group for c in found}) == 2


def test_a_project_inside_of_a_folder_is_not_imported_with_it(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog/1.jpg", "cat/1.jpg")
    with ProjectStore.create(tmp_path / "project", ["mug"]) as store:
        store.add_sample(encode_image(_noise(1)), "mug", store.next_burst_id())
    assert classes(tmp_path) == {"cat": (1, 0), "dog": (1, 0)}


def test_links_to_folders_are_not_followed_round_and_round(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog/1.jpg", "cat/1.jpg")
    (tmp_path / "dog" / "again").symlink_to(tmp_path)
    assert classes(tmp_path) == {"cat": (1, 0), "dog": (1, 0)}


def test_names_in_any_script_and_200_characters_long(tmp_path: Path) -> None:
    long = "лица " * 20 + "-1.jpg"  # 100 Cyrillic characters: about 200 bytes
    for name in (
        "杯子/ぬいぐるみ 写真.jpg",
        "tasse à café/é.jpg",
        f"ok/{long}",
        f"ok/{'x' * 200}.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture_bytes(len(name)))
    assert classes(tmp_path) == {"ok": (2, 0), "tasse à café": (1, 0), "杯子": (1, 0)}


def test_a_folder_that_may_not_be_read_is_refused_and_the_rest_is_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog/1.jpg", "cat/1.jpg")
    (tmp_path / "cat").chmod(0)
    if os.access(tmp_path / "cat", os.R_OK):
        pytest.skip("root may read everything")
    refused = [item for item in open_importer(tmp_path) if isinstance(item, Refusal)]
    (tmp_path / "cat").chmod(0o700)
    assert [r.reason.split(";")[0] for r in refused] == ["permission denied"]


def _noise(number: int) -> Image:
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (16, 24, 3), np.uint8)
