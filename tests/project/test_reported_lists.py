"""Lists that people asked about in the trackers of other programs, each as they described it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.picture_files import write_pictures

from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer


def read(path: Path) -> tuple[dict[str, tuple[str, bool]], list[str], str]:
    """Give label and split of each picture, the reasons of refusals, and the notes."""
    importer = open_importer(path)
    items = list(importer)
    found = {
        Path(item.source).relative_to(path).as_posix(): (item.class_name, item.held_out)
        for item in items
        if isinstance(item, LabelledPicture)
    }
    return found, [i.reason for i in items if isinstance(i, Refusal)], "\n".join(importer.notes)


def test_a_table_of_paths_below_the_folder_of_the_training(tmp_path: Path) -> None:
    names = ["n03706229/n03706229_8315.JPEG", "n03706229/n03706229_473.JPEG", "n01440764/a_2.JPEG"]
    write_pictures(tmp_path, *(f"train/{name}" for name in names))
    rows = [f"{name},{label}" for name, label in zip(names, (352, 352, 1), strict=True)]
    (tmp_path / "train.csv").write_text("\n".join(["filenames,cats", *rows]))
    found = [label for label, _ in read(tmp_path)[0].values()]
    assert found == ["n03706229", "n03706229", "n01440764"]  # which say what the numbers mean


def test_a_table_of_all_pictures_of_which_some_were_moved_to_the_test(tmp_path: Path) -> None:
    write_pictures(tmp_path, "images/1.jpg", "images/2.jpg", "images/3.jpg", "test/4.jpg")
    (tmp_path / "labels.csv").write_text("name,tags\n1,a\n2,b\n3,a\n4,b\n")
    assert [held_out for _, held_out in read(tmp_path)[0].values()] == [False] * 3 + [True]


def test_paths_with_spaces_and_the_index_of_a_data_frame(tmp_path: Path) -> None:
    folder = "March 29 2018/Top view_1-2"
    write_pictures(tmp_path, *(f"224x224px/{folder}/IMG_{n}.JPG" for n in range(4)))
    rows = [f"{n},{folder}/IMG_{n}.JPG,{('sick', 'well')[n % 2]}" for n in range(4)]
    (tmp_path / "short_dir_train.csv").write_text("\n".join([",filepath,label", *rows]))
    assert [label for label, _ in read(tmp_path)[0].values()] == ["sick", "well"] * 2


def test_numbers_in_a_column_of_another_name_behind_a_space(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"faces/img_{n}.png" for n in range(6)))
    rows = [f"img_{n}, {n % 3}" for n in range(6)]
    (tmp_path / "set.csv").write_text("\n".join(["subDirectory_filePath, expression", *rows]))
    found, refused, notes = read(tmp_path)
    assert [label for label, _ in found.values()] == ["0", "1", "2"] * 2
    assert refused == []
    assert "the labels were taken from the column 'expression'" in notes


def test_one_column_a_class_without_names_and_between_spaces(tmp_path: Path) -> None:
    write_pictures(tmp_path, "Caves/1._maxresdefault.jpg", "Caves/2.jpg", "Sea/3.jpg")
    (tmp_path / "train.txt").write_text(
        "Caves/1._maxresdefault.jpg 1 0\nCaves/2.jpg 1 0\nSea/3.jpg 0 1\n"
    )
    (tmp_path / "classes.txt").write_text("cave\nsea\n")
    assert [label for label, _ in read(tmp_path)[0].values()] == ["cave", "cave", "sea"]


def test_columns_of_one_and_minus_one_name_a_class_only_where_one_of_them_is_one(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(3)))
    rows = ["0.jpg,1,-1,-1", "1.jpg,-1,1,-1", "2.jpg,1,-1,1"]
    (tmp_path / "list_attr.csv").write_text("\n".join(["image_id,car,bike,ship", *rows]))
    found, refused, _ = read(tmp_path)
    assert [label for label, _ in found.values()] == ["car", "bike"]
    assert refused == ["it has several labels; a picture has one here"]


@pytest.mark.parametrize(
    "called",
    [
        "/data/upload/g_mLPkNFG.jpg",
        "/data/local-files/?d=Users\\anne-\\Desktop\\test1\\g.jpg",
        "/data/local-files/?d=Osman/g.jpg",
        "data/local-files/set/g.jpg",
        "C:/Users/win/Desktop/g.jpg",
        "9642e5d1-g.jpg",
    ],
)
def test_what_label_studio_calls_a_picture_is_found_among_the_own_ones(
    tmp_path: Path, called: str
) -> None:
    write_pictures(tmp_path, "mine/g.jpg", "mine/h.jpg")
    (tmp_path / "project.csv").write_text(f"image,id,choice\n{called},1,cat\nh.jpg,2,dog\n")
    assert [label for label, _ in read(tmp_path)[0].values()] == ["cat", "dog"]


def test_captions_are_no_classes_and_the_folders_are_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"train/{kind}/{n}.jpg" for kind in ("cat", "dog") for n in "123"))
    lines = [
        json.dumps({"file_name": f"{kind}/{n}.jpg", "prompt": f"a {kind} in picture {n}"})
        for kind in ("cat", "dog")
        for n in "123"
    ]
    (tmp_path / "train" / "metadata.jsonl").write_text("\n".join(lines))
    found, refused, notes = read(tmp_path)
    assert {label for label, _ in found.values()} == {"cat", "dog"}
    assert refused == []
    assert "metadata.jsonl was left aside: it does not say which of its columns 'prompt'" in notes


@pytest.mark.parametrize(
    "regions",
    [
        {"label": "z", "object": "z", "qualities": {"is_rotated": True}},
        {"label": "z"},
    ],
)
def test_attributes_of_regions_of_any_depth(tmp_path: Path, regions: dict[str, Any]) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    entries = {
        f"{n}.jpg99": {
            "filename": f"{n}.jpg",
            "size": 99,
            "file_attributes": {},
            "regions": [{"shape_attributes": {"name": "rect", "x": n},
                         "region_attributes": {**regions, "label": label}}],
        }
        for n, label in ((1, "z"), (2, "y"))
    }  # fmt: skip
    (tmp_path / "via.json").write_text(json.dumps(entries))
    assert [label for label, _ in read(tmp_path)[0].values()] == ["z", "y"]


def test_a_list_whose_program_left_out_what_pictures_show_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in (1, 2)]
    coco = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "instances_default.json").write_text(json.dumps(coco))
    found = list(open_importer(tmp_path / "instances_default.json"))
    assert [i.reason for i in found if isinstance(i, Refusal)] == ["it has no label"] * 2


def test_tags_in_the_xml_of_a_labelling_program_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "images/cat-1.jpg", "images/dog-1.jpg")
    (tmp_path / "annotations.xml").write_text("<annotations/>")
    assert "annotations.xml: not read; save what names the classes" in read(tmp_path)[2]


def test_tables_of_training_and_test_beside_one_that_explains_classes(tmp_path: Path) -> None:
    write_pictures(
        tmp_path,
        *(f"Train/{n % 2}/0000{n % 2}_{n}.png" for n in range(6)),
        *(f"Test/{n}.png" for n in range(4)),
        *(f"Meta/{n}.png" for n in range(2)),
    )
    header = "Width,Height,Roi.X1,ClassId,Path"
    rows = [f"27,26,5,{n % 2},Train/{n % 2}/0000{n % 2}_{n}.png" for n in range(6)]
    (tmp_path / "Train.csv").write_text("\n".join([header, *rows]))
    rows = [f"53,54,6,{n % 2},Test/{n}.png" for n in range(4)]
    (tmp_path / "Test.csv").write_text("\n".join([header, *rows]))
    rows = [f"Meta/{n}.png,{n},{n},0" for n in range(2)]
    (tmp_path / "Meta.csv").write_text("\n".join(["Path,ClassId,ShapeId,ColorId", *rows]))
    found, refused, notes = read(tmp_path)
    assert [held_out for _, held_out in found.values()] == [False] * 6 + [True] * 4
    assert {label for label, _ in found.values()} == {"0", "1"}
    assert refused == []
    assert "Meta.csv was left aside: it names 2 pictures" in notes
    assert "2 pictures are in no list, and left out" in notes


def test_files_without_suffixes_by_label_in_a_list_for_each_split(tmp_path: Path) -> None:
    names = {kind: [f"{kind}/{n}" for n in range(4)] for kind in ("churros", "pizza")}
    write_pictures(tmp_path, *(f"images/{name}.jpg" for some in names.values() for name in some))
    (tmp_path / "meta").mkdir()
    for split, part in (("train", slice(3)), ("test", slice(3, 4))):
        lists = {kind: some[part] for kind, some in names.items()}
        (tmp_path / "meta" / f"{split}.json").write_text(json.dumps(lists))
    (tmp_path / "meta" / "classes.txt").write_text("churros\npizza\n")
    found = read(tmp_path)[0]
    assert found["images/pizza/3.jpg"] == ("pizza", True)
    assert sum(held_out for _, held_out in found.values()) == 2
    assert len(found) == 8


def test_a_column_of_diagnoses_among_others_and_pictures_in_parts(tmp_path: Path) -> None:
    names = [f"ISIC_{n:07}" for n in range(6)]
    write_pictures(tmp_path, *(f"HAM_images_part_{n % 2 + 1}/{x}.jpg" for n, x in enumerate(names)))
    rows = [f"L{n},{x},{('mel', 'nv')[n % 2]},histo,80.0,male" for n, x in enumerate(names)]
    header = "lesion_id,image_id,dx,dx_type,age,sex"
    (tmp_path / "HAM_metadata.csv").write_text("\n".join([header, *rows]))
    assert [label for label, _ in read(tmp_path)[0].values()] == ["mel", "nv"] * 3


def test_labels_that_are_nested_in_the_cells_of_a_table(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "via.csv").write_text(
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes\n"
        '1.jpg,99,"{""kind"":""cat""}",0,0,"{}"\n2.jpg,98,"{""kind"":""dog""}",0,0,"{}"\n'
    )
    assert [label for label, _ in read(tmp_path)[0].values()] == ["cat", "dog"]
    (tmp_path / "via.csv").write_text(
        'image,choice,id\n1.jpg,"{""choices"":[""cat""]}",1\n'
        '2.jpg,"{""choices"":[""cat"",""dog""]}",2\n'
    )
    found, refused, _ = read(tmp_path)
    assert found == {"1.jpg": ("cat", False)}
    assert refused == ["it has several labels; a picture has one here"]


def test_the_labels_of_a_list_that_contradict_the_folders_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{kind}/{kind}{n}.jpg" for kind in ("cat", "dog") for n in "12"))
    rows = ["cat/cat1.jpg,cat", "cat/cat2.jpg,dog", "dog/dog1.jpg,dog", "dog/dog2.jpg,dog"]
    (tmp_path / "predictions.csv").write_text("\n".join(["file,label", *rows]))
    assert "1 picture is called otherwise than the folder says" in read(tmp_path)[2]


def test_what_lies_beside_and_cannot_be_read_is_refused_and_not_left_out_silently(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(99))
    (tmp_path / "labels.csv").write_text("file,label\n1.jpg,cat\n2.jpg,dog\n")
    found, refused, _ = read(tmp_path)
    assert len(found) == 2
    assert [reason.partition(";")[0] for reason in refused] == ["a video"]


def test_a_single_row_of_many_that_says_it_is_not_for_training_is_held_out(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    rows = [f"gone{n}.jpg,cat,False" for n in range(9000)]
    rows += ["1.jpg,cat,False", "2.jpg,dog,True", "3.jpg,dog,False"]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,is_valid", *rows]))
    found = read(tmp_path)[0]
    assert found == {"1.jpg": ("cat", False), "2.jpg": ("dog", True), "3.jpg": ("dog", False)}


def test_the_labels_of_a_model_beside_numbered_pictures_are_no_table_of_them(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"mug/{n}.jpg" for n in range(9)))
    (tmp_path / "labels.txt").write_text("0 mug\n1 phone\n")
    found, _, notes = read(tmp_path)
    assert {label for label, _ in found.values()} == {"mug"}
    assert len(found) == 9
    assert "labels.txt was left aside: it may name 2 of 9 pictures, or something else" in notes
