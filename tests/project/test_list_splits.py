"""Lists that say what is not to be trained on, where folders tell the classes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.picture_files import write_pictures

from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer

NAMES = [f"{name}/img_{n}.jpg" for name in ("cat", "dog") for n in range(6)]
TESTED = {"cat/img_4.jpg", "cat/img_5.jpg", "dog/img_5.jpg"}


def split_of(name: str) -> str:
    return "test" if name in TESTED else "train"


LISTS = {
    "split.csv": "file,split\n" + "\n".join(f"{name},{split_of(name)}" for name in NAMES),
    "split.json": json.dumps(
        {"val": sorted(TESTED), "train": [name for name in NAMES if name not in TESTED]}
    ),
    "meta/test.txt": "\n".join(name.removesuffix(".jpg") for name in sorted(TESTED)),
    "valid.txt": "\n".join(sorted(TESTED)),
}


@pytest.mark.parametrize("list_name", LISTS)
def test_what_a_list_says_is_tested_on_is_held_out_of_the_classes_that_folders_tell(
    tmp_path: Path, list_name: str
) -> None:
    write_pictures(tmp_path, *NAMES)
    path = tmp_path / list_name
    path.parent.mkdir(exist_ok=True)
    path.write_text(LISTS[list_name])
    importer = open_importer(tmp_path)
    items = [item for item in importer if isinstance(item, LabelledPicture)]
    held_out = {Path(i.source).relative_to(tmp_path).as_posix() for i in items if i.held_out}
    assert {item.class_name for item in items} == {"cat", "dog"}
    assert held_out == TESTED
    assert len(items) == len(NAMES)
    (note,) = [note for note in importer.notes if "held out" in note]
    assert note.startswith("3 pictures are held out")
    assert list_name in note


def test_a_list_of_what_is_trained_on_holds_nothing_out(tmp_path: Path) -> None:
    write_pictures(tmp_path, *NAMES)
    (tmp_path / "train.txt").write_text("\n".join(NAMES))
    items = [item for item in open_importer(tmp_path) if isinstance(item, LabelledPicture)]
    assert not any(item.held_out for item in items)


def test_a_label_that_is_a_split_among_classes_is_none(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    said = {"cat": ["0.jpg", "1.jpg"], "dog": ["2.jpg", "3.jpg"], "test": ["4.jpg", "5.jpg"]}
    (tmp_path / "labels.json").write_text(json.dumps(said))
    items = list(open_importer(tmp_path))
    labels = [item.class_name for item in items if isinstance(item, LabelledPicture)]
    refused = [item.reason for item in items if isinstance(item, Refusal)]
    assert sorted(labels) == ["cat", "cat", "dog", "dog"]
    assert refused == ["it is labelled 'test', as what is not trained on is called"] * 2


def test_trains_and_tests_beside_controls_are_classes(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    said = {"car": ["0.jpg", "1.jpg"], "bus": ["2.jpg", "3.jpg"], "train": ["4.jpg", "5.jpg"]}
    (tmp_path / "labels.json").write_text(json.dumps(said))
    items = [item for item in open_importer(tmp_path) if isinstance(item, LabelledPicture)]
    assert {item.class_name for item in items} == {"car", "bus", "train"}
    said = {"control": ["0.jpg", "1.jpg", "2.jpg"], "test": ["3.jpg", "4.jpg", "5.jpg"]}
    (tmp_path / "labels.json").write_text(json.dumps(said))
    items = [item for item in open_importer(tmp_path) if isinstance(item, LabelledPicture)]
    assert {item.class_name for item in items} == {"control", "test"}
