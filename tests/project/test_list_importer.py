"""Lists of files and labels as people have them: which file each row means, which lists count."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.picture_files import write_pictures, write_zip

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer

Found = dict[str, tuple[str, bool]]


def read(path: Path, class_name: str | None = None) -> tuple[Found, list[Refusal], str]:
    """Give the label and the split of each picture, by its path; what is refused; and the notes."""
    importer = open_importer(path, class_name=class_name)
    items = list(importer)
    folder = path if path.is_dir() else path.parent
    found = {
        Path(item.source).relative_to(folder).as_posix(): (item.class_name, item.held_out)
        for item in items
        if isinstance(item, LabelledPicture)
    }
    refused = [item for item in items if isinstance(item, Refusal)]
    return found, refused, "\n".join(importer.notes)


def labels(path: Path) -> dict[str, str]:
    return {name: label for name, (label, _) in read(path)[0].items()}


@pytest.mark.parametrize(
    "called",
    [
        "photos/0a1b.jpg",
        "0a1b.jpg",
        "0a1b",
        "0A1B.JPG",
        "0a1b.png",
        "0a1b.dcm",
        "./photos/0a1b.jpg",
        "C:\\Users\\me\\Pictures\\photos\\0a1b.jpg",
        "D:/data/0a1b.jpg",
        "/content/drive/MyDrive/set/photos/0a1b.jpg",
        "/kaggle/input/thing/train/0a1b.jpg",
        "gs://bucket/photos/0a1b.jpg",
        "s3://bucket/a/b/0a1b.jpg",
        "https://host/photos/0a1b.jpg?X-Goog-Signature=1",
        "file:///home/me/0a1b.jpg",
        "/data/upload/1/51cf00ab-0a1b.jpg",
        "/data/upload/12/7-51cf00ab-0a1b.jpg",
        "/data/local-files/?d=set/photos/0a1b.jpg",
        "3f2a1b4c-1111-2222-3333-444455556666_0a1b.jpg",
        "0a1b_jpg.rf.0123456789abcdef0123456789abcdef.jpg",
    ],
)
def test_a_file_is_found_whatever_the_computer_that_the_list_was_written_on(
    tmp_path: Path, called: str
) -> None:
    write_pictures(tmp_path, "photos/0a1b.jpg", "photos/2c3d.jpg")
    (tmp_path / "t.csv").write_text(f'file,label\n"{called}",dog\n2c3d.jpg,cat\n')
    assert labels(tmp_path) == {"photos/0a1b.jpg": "dog", "photos/2c3d.jpg": "cat"}


def test_files_that_have_a_hash_in_their_names_are_found_by_the_names_without(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "images/51cf00ab-a.jpg", "images/b_jpg.rf." + 32 * "0" + ".jpg")
    (tmp_path / "t.csv").write_text("file,label\na.jpg,dog\nb.jpg,cat\n")
    assert sorted(labels(tmp_path).values()) == ["cat", "dog"]


def test_two_different_hashes_before_one_name_are_two_files(tmp_path: Path) -> None:
    write_pictures(tmp_path, "51cf00ab-a.jpg", "b.jpg")
    (tmp_path / "t.csv").write_text("file,label\nb.jpg,cat\n99ee00ff-a.jpg,dog\n")
    found, refused, _ = read(tmp_path)
    assert found == {"b.jpg": ("cat", False)}
    assert [r.reason for r in refused] == ["there is no such file"]


def test_of_files_of_one_name_that_is_meant_whose_folders_agree_furthest(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a/x/1.jpg", "b/x/1.jpg", "b/y/1.jpg")
    (tmp_path / "t.csv").write_text(
        "file,label\n/home/me/a/x/1.jpg,dog\nQ:\\b\\x\\1.jpg,cat\ny/1.png,cow\n"
    )
    assert labels(tmp_path) == {"a/x/1.jpg": "dog", "b/x/1.jpg": "cat", "b/y/1.jpg": "cow"}


def test_what_fits_several_files_is_told_and_not_guessed(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a/1.jpg", "b/1.jpg", "a/2.jpg", "b/3.jpg")
    (tmp_path / "t.csv").write_text("file,label\n1.jpg,dog\n2.jpg,cat\n3.jpg,dog\n")
    found, refused, _ = read(tmp_path)
    assert sorted(found) == ["a/2.jpg", "b/3.jpg"]
    assert [(r.source[-21:], r.reason) for r in refused] == [
        ("1.jpg (a/1.jpg, b/1.jpg)"[-21:], "several files are called so")
    ]


def test_a_folder_that_the_list_names_and_that_is_there_is_believed(tmp_path: Path) -> None:
    write_pictures(tmp_path, "cat/1.jpg", "cat/2.jpg", "dog/2.jpg")
    (tmp_path / "t.csv").write_text("file,label\ndog/1.jpg,dog\ncat/2.jpg,cat\ndog/2.jpg,dog\n")
    found, refused, _ = read(tmp_path)
    assert found == {"cat/2.jpg": ("cat", False), "dog/2.jpg": ("dog", False)}
    assert [r.reason for r in refused] == ["there is no such file"]


def test_a_picture_of_the_test_does_not_stand_in_for_one_that_is_not_unpacked(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "test/1.jpg", "train/2.jpg", "train/3.jpg")
    (tmp_path / "train.csv").write_text("id,label\n1,dog\n2,cat\n3,dog\n")
    found, refused, _ = read(tmp_path)
    assert sorted(found) == ["train/2.jpg", "train/3.jpg"]
    assert [r.reason for r in refused] == ["there is no such file"]


def test_names_that_are_in_both_splits_are_of_the_split_that_the_list_is_of(tmp_path: Path) -> None:
    write_pictures(
        tmp_path, *(f"{split}_images/{n}.png" for split in ("train", "test") for n in (1, 2))
    )
    (tmp_path / "train_labels.csv").write_text("id,label\n1,dog\n2,cat\n")
    assert labels(tmp_path) == {"train_images/1.png": "dog", "train_images/2.png": "cat"}


def test_a_row_that_fits_two_files_is_of_the_folder_where_all_the_others_are(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "one/1.jpg", "one/2.jpg", "one/3.jpg", "two/1.jpg")
    (tmp_path / "t.csv").write_text("id,label\n1,dog\n2,cat\n3,dog\n")
    assert sorted(labels(tmp_path)) == ["one/1.jpg", "one/2.jpg", "one/3.jpg"]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("Image,Id", ["{0},{1}"]),
        ("id,breed", ["{0},{1}"]),
        ("image_id,label,source", ["{0},{1},web"]),
        ("fichier,etiquette", ["{0}.jpg,{1}"]),
        ("Datei;Klasse;Breite", ["{0}.jpg;{1};0,5"]),
        ("画像\t分類", ["{0}.jpg\t{1}"]),
        ("idx,a,b", ["{n},{0}.jpg,{1}"]),
        (",filename,class,width,height", ["{n},{0}.jpg,{1},96,96"]),
        ("subdir_path, expression", ["photos/{0}, {1}"]),
        ("# made by hand\nfile,label", ["{0}.jpg,{1}"]),
        ("#filename,file_size,label", ["{0}.jpg,100,{1}"]),
        ("sep=;\nfile;label", ["{0}.jpg;{1}"]),
        ("", ["{0}.jpg|{1}"]),
        ("", ["TRAINING,gs://bucket/{0}.jpg,{1}"]),
    ],
)
def test_columns_are_found_by_what_is_in_them(tmp_path: Path, header: str, rows: list[str]) -> None:
    names = [f"{n:04x}f" for n in range(6)]
    write_pictures(tmp_path, *(f"photos/{name}.jpg" for name in names))
    lines = [
        row.format(name, ("cat", "dog")[n % 2], n=n) for n, name in enumerate(names) for row in rows
    ]
    text = "\n".join([header, *lines] if header else lines)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert labels(tmp_path) == {
        f"photos/{name}.jpg": ("cat", "dog")[n % 2] for n, name in enumerate(names)
    }


def test_two_columns_that_could_be_the_classes_are_told_and_not_guessed(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(8)))
    rows = [f"{n}.jpg,{('red', 'blue')[n % 2]},{('big', 'small')[n // 4]}" for n in range(8)]
    (tmp_path / "t.csv").write_text("\n".join(["datei,farbe,form", *rows]))
    with pytest.raises(NotImportableError, match=r"which of its columns 'farbe', 'form' names the"):
        open_importer(tmp_path / "t.csv")


def test_readable_names_are_preferred_to_the_numbers_that_go_with_them(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(4)))
    rows = [f"{n}.jpg,{n % 2}.0,{('cat', 'dog')[n % 2]}" for n in range(4)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,bedeutung", *rows]))
    assert set(labels(tmp_path).values()) == {"cat", "dog"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "cat\ndog\nowl\n"),
        ("labels.txt", "0 cat\n1 dog\n2 owl\n"),
        ("obj.names", "cat\r\ndog\r\nowl"),
        ("data.yaml", "train: ../train\nnc: 3\nnames: ['cat', 'dog', 'owl']\n"),
        ("data.yaml", "names:\n  0: cat\n  1: dog  # a dog\n  2: owl\nnc: 3\n"),
        ("data.yaml", "names:\n- cat\n- dog\n- owl\n"),
        ("cat_to_name.json", '{"0": "cat", "1": "dog", "2": "owl"}'),
        ("class_indices.json", '{"cat": 0, "dog": 1, "owl": 2}'),
        ("classes.json", '["cat", "dog", "owl"]'),
        ("signnames.csv", "ClassId,SignName\n0,cat\n1,dog\n2,owl\n"),
    ],
)
def test_class_numbers_are_named_by_the_file_beside_the_list(
    tmp_path: Path, name: str, text: str
) -> None:
    write_pictures(tmp_path, *(f"images/{n}.png" for n in range(6)))
    (tmp_path / "t.csv").write_text(
        "\n".join(["file,label", *(f"{n}.png,{n % 3}" for n in range(6))])
    )
    (tmp_path / name).write_text(text)
    found, _, notes = read(tmp_path)
    assert [label for label, _ in found.values()] == ["cat", "dog", "owl"] * 2
    assert f"{name} names the classes: 0 is cat, 1 is dog, 2 is owl." in notes


def test_numbers_that_begin_at_one_are_named_from_one(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "t.csv").write_text("file,label\na.jpg,1\nb.jpg,2\n")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert labels(tmp_path) == {"a.jpg": "cat", "b.jpg": "dog"}


def test_numbers_that_names_could_be_counted_to_in_two_ways_stay_numbers(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "t.csv").write_text("file,label\na.jpg,1\nb.jpg,2\n")
    (tmp_path / "classes.txt").write_text("cat\ndog\nowl\n")
    assert labels(tmp_path) == {"a.jpg": "1", "b.jpg": "2"}


def test_one_column_a_class_is_read_by_its_one_and_other_rows_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    (tmp_path / "_classes.csv").write_text(
        "filename, cat, dog, Unlabeled\n0.jpg, 1, 0, 0\n1.jpg, 0, 1, 0\n2.jpg, 1.0, 0.0, 0\n"
        "3.jpg, 0, 0, 0\n4.jpg, 1, 1, 0\n5.jpg, 0, 0, 1\n"
    )
    found, refused, _ = read(tmp_path)
    assert found == {"0.jpg": ("cat", False), "1.jpg": ("dog", False), "2.jpg": ("cat", False)}
    assert [r.reason for r in refused] == [
        "it has no label",
        "it has several labels; a picture has one here",
        "it has no label",
    ]


def test_a_column_of_true_and_false_among_the_classes_that_is_none_is_left_out(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(4)))
    (tmp_path / "t.csv").write_text(
        "file,is_checked,cat,dog,is_valid\n0.jpg,1,1,0,False\n1.jpg,0,0,1,False\n2.jpg,1,1,0,True\n"
        "3.jpg,1,0,1,True\n"
    )
    found, _, notes = read(tmp_path)
    assert list(found.values()) == [("cat", False), ("dog", False), ("cat", True), ("dog", True)]
    assert "'is_checked' are no classes" in notes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("split", ["train", "val"]),
        ("Usage", ["Training", "PublicTest"]),
        ("phase", ["TRAIN", "Validation"]),
        ("is_valid", ["False", "True"]),
        ("valid", ["0", "1"]),
        ("is_train", ["1", "0"]),
        ("in_test_set", ["no", "yes"]),
        ("split", ["0", "1"]),
        ("split", ["train", "prueba"]),
        ("verwendung", ["train", "test"]),
    ],
)
def test_what_a_column_says_is_not_for_training_is_held_out(
    tmp_path: Path, name: str, values: list[str]
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    rows = [f"{n}.jpg,{('cat', 'dog')[n % 2]},{values[n == 5]}" for n in range(6)]
    (tmp_path / "t.csv").write_text("\n".join([f"file,label,{name}", *rows]))
    found = read(tmp_path)[0]
    assert [held_out for _, held_out in found.values()] == [False] * 5 + [True]


def test_a_split_that_is_not_understood_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    rows = [f"{n}.jpg,{('cat', 'dog')[n % 2]},{'AB'[n // 3]}" for n in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,split", *rows]))
    assert "the column 'split' was not understood as a split: it says 'A', 'B'" in read(tmp_path)[2]


def test_of_lists_beside_each_other_the_one_that_names_most_is_taken_and_the_others_told(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"all/{n}.jpg" for n in range(9)))
    (tmp_path / "a.csv").write_text("id,label\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in (7, 8)))
    (tmp_path / "train.csv").write_text(
        "id,label\n" + "".join(f"{n},{('cat', 'dog')[n % 2]}\n" for n in range(6))
    )
    found, refused, notes = read(tmp_path)
    assert len(found) == 6
    assert {label for label, _ in found.values()} == {"cat", "dog"}
    assert refused == []
    assert "a.csv was left aside: it names 2 pictures" in notes
    assert "3 pictures are in no list, and left out" in notes


def test_what_a_competition_wants_to_be_handed_in_is_not_taken_even_if_it_names_more(
    tmp_path: Path,
) -> None:
    write_pictures(
        tmp_path, *(f"train/{n}.jpg" for n in range(4)), *(f"test/{n}x.jpg" for n in range(9))
    )
    (tmp_path / "sample_submission.csv").write_text(
        "id,label\n" + "".join(f"{n}x,cat\n" for n in range(9))
    )
    (tmp_path / "train.csv").write_text("id,label\n0,cat\n1,dog\n2,cat\n3,dog\n")
    assert sorted(labels(tmp_path)) == [f"train/{n}.jpg" for n in range(4)]


def test_lists_of_the_splits_beside_each_other_are_taken_together(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"images/{n}.jpg" for n in range(6)))
    for name, numbers in (("train", (0, 1, 2, 3)), ("valid_labels", (4, 5))):
        (tmp_path / f"{name}.csv").write_text(
            "id,label\n" + "".join(f"{n},{('cat', 'dog')[n % 2]}\n" for n in numbers)
        )
    found = read(tmp_path)[0]
    assert [held_out for _, held_out in found.values()] == [False] * 4 + [True] * 2


def test_a_list_in_the_folder_of_each_split_is_taken_also_in_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for split in ("train", "valid"):
        write_pictures(folder, f"{split}/1.jpg", f"{split}/2.jpg")
        (folder / split / "_classes.csv").write_text("filename,cat,dog\n1.jpg,1,0\n2.jpg,0,1\n")
    expected = {
        "train/1.jpg": ("cat", False),
        "train/2.jpg": ("dog", False),
        "valid/1.jpg": ("cat", True),
        "valid/2.jpg": ("dog", True),
    }
    assert read(folder)[0] == expected
    entries = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")
    }
    archive = write_zip(tmp_path / "set.zip", {f"wrapper/{k}": v for k, v in entries.items()})
    found = {
        item.source.removeprefix(f"{archive}/wrapper/"): (item.class_name, item.held_out)
        for item in open_importer(archive)
        if isinstance(item, LabelledPicture)
    }
    assert found == expected


def test_a_list_that_is_of_the_test_is_held_out_when_it_is_added_alone(tmp_path: Path) -> None:
    write_pictures(tmp_path, "images/1.jpg", "images/2.jpg")
    (tmp_path / "test_labels.csv").write_text("file,label\n1.jpg,cat\n2.jpg,dog\n")
    found, _, notes = read(tmp_path / "test_labels.csv")
    assert [held_out for _, held_out in found.values()] == [True, True]
    assert "is held out, as a name or a column says" in notes


def test_one_file_with_two_labels_is_refused_and_a_row_that_is_there_twice_counts_once(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    (tmp_path / "t.csv").write_text(
        "file,label\n1.jpg,cat\n./1.jpg,dog\n2.jpg,cat\n2.jpg,cat\n3.jpg,dog\n"
    )
    found, refused, _ = read(tmp_path)
    assert found == {"2.jpg": ("cat", False), "3.jpg": ("dog", False)}
    assert [(r.source.rpartition("/")[2], r.reason) for r in refused] == [
        ("1.jpg ('cat' in row 2, 'dog' in row 3)", "it has different labels, and none is taken")
    ]


def test_class_folders_are_believed_where_a_list_names_few_of_their_pictures(
    tmp_path: Path,
) -> None:
    write_pictures(
        tmp_path, *(f"{kind}/{kind}{n}.jpg" for kind in ("cat", "dog") for n in range(5))
    )
    (tmp_path / "corrections.csv").write_text("file,label\ncat/cat1.jpg,dog\n")
    found, _, notes = read(tmp_path)
    assert len(found) == 10
    assert "corrections.csv was left aside: folders or names tell the classes of 10" in notes


def test_a_table_of_a_program_that_is_not_read_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "cat/1.jpg", "dog/1.jpg")
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    assert "labels.xlsx: not read; save what names the classes as .csv" in read(tmp_path)[2]


def test_with_a_class_said_a_folder_is_all_of_that_class_whatever_lists_say(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "t.csv").write_text("file,label\n1.jpg,cat\n")
    assert {label for label, _ in read(tmp_path, "mug")[0].values()} == {"mug"}


def test_a_list_in_whose_folder_no_file_is_says_what_to_add(tmp_path: Path) -> None:
    write_pictures(tmp_path, "images/1.jpg")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "t.csv").write_text("file,label\n1.jpg,cat\n")
    found, refused, notes = read(tmp_path / "lists" / "t.csv")
    assert found == {}
    assert [r.reason for r in refused] == ["there is no such file"]
    assert "add the folder that holds both" in notes
