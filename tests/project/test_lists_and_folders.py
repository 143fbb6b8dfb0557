"""Which tells the classes, a list or the folders; and which of a list's columns, if one does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.picture_files import write_pictures

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, open_importer

PETS = [f"{kind}/{number}.jpg" for kind in ("cat", "dog") for number in range(6)]


def read(path: Path) -> tuple[Counter[str], str]:
    """Give how many pictures each class has, and the notes."""
    importer = open_importer(path)
    classes = Counter(i.class_name for i in importer if isinstance(i, LabelledPicture))
    return classes, "\n".join(importer.notes)


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("file,name", "Holiday {n}"),
        ("file,label", "{n}x7b"),  # the text in a picture, as of a captcha
        ("file,author", "{author}"),
        ("file,licence", "{licence}"),
        ("file,name", "{author}"),
        ("file,tag", "{licence}"),
        ("file,camera,licence", "one,{licence}"),
        ("file,year", "{year}"),
    ],
)
@pytest.mark.parametrize("splits", [(), ("train", "test")])
def test_folders_that_tell_classes_apart_are_believed_before_titles_and_credits(
    tmp_path: Path, header: str, says: str, splits: tuple[str, ...]
) -> None:
    names = [f"{split}/{name}" for split in splits for name in PETS] or PETS
    write_pictures(tmp_path, *names)
    rows = [
        f"{name},"
        + says.format(
            n=n, author=("Ann", "Bob", "Cem")[n % 3], licence=("CC", "PD")[n % 2], year=2001 + n % 3
        )
        for n, name in enumerate(names)
    ]
    table(tmp_path / "about.csv", header, rows)
    classes, notes = read(tmp_path)
    assert set(classes) == {"cat", "dog"}
    assert classes.total() == len(names)
    assert "about.csv was left aside: " in notes


@pytest.mark.parametrize(
    ("header", "labels", "expected"),
    [
        ("file,label", {"cat": "Katze", "dog": "Hund"}, {"Katze", "Hund"}),
        ("file,name", {"cat": "Katze", "dog": "Hund"}, {"Katze", "Hund"}),
        ("datei,klasse", {"cat": "Katze", "dog": "Hund"}, {"Katze", "Hund"}),
        ("file,breed", {"cat": "siam persian", "dog": "pug boxer"}, None),
        ("file,label", {"cat": "sick well", "dog": "sick well"}, {"sick", "well"}),
    ],
)
def test_a_list_is_believed_whose_column_says_classes_or_whose_labels_go_with_the_folders(
    tmp_path: Path, header: str, labels: dict[str, str], expected: set[str] | None
) -> None:
    write_pictures(tmp_path, *PETS)
    rows = []
    for n, name in enumerate(PETS):
        options = labels[name.split("/")[0]].split()
        rows.append(f"{name},{options[n % len(options)]}")
    table(tmp_path / "t.csv", header, rows)
    classes, notes = read(tmp_path)
    assert set(classes) == (expected or {"siam", "persian", "pug", "boxer"})
    assert ("folders tell other classes" in notes) is (len(labels["cat"].split()) > 1)


def test_what_files_are_called_does_not_outweigh_a_list_as_folders_do(tmp_path: Path) -> None:
    names = [f"images/{kind}-{n}.jpg" for kind in ("a", "b") for n in range(6)]
    write_pictures(tmp_path, *names)
    rows = [f"{name},{('sick', 'well')[n % 2]}" for n, name in enumerate(names)]
    table(tmp_path / "t.csv", "datei,befund", rows)
    assert set(read(tmp_path)[0]) == {"sick", "well"}


@pytest.mark.parametrize("rows", [5, 12])
@pytest.mark.parametrize("named", ["name", "tag", "label"])
def test_a_column_that_is_different_in_every_row_gives_way_to_one_of_classes(
    tmp_path: Path, named: str, rows: int
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(rows)))
    other = "species" if named == "label" else "kind"
    lines = [f"{n}.jpg,Title of picture {n},{('dog', 'cat')[n % 2]}" for n in range(rows)]
    path = table(tmp_path / "meta.csv", f"file,{named},{other}", lines)
    assert set(read(path)[0]) == {"cat", "dog"}


@pytest.mark.parametrize("header", ["file,name", "file,name,width", ""])
def test_where_nothing_repeats_no_column_is_taken_for_the_classes(
    tmp_path: Path, header: str
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(12)))
    rows = [f"{n}.jpg,Title of picture {n}" + ",0.5" * header.count("w") for n in range(12)]
    path = table(tmp_path / "meta.csv", header, rows) if header else tmp_path / "meta.csv"
    if not header:
        path.write_text("\n".join(rows))
    with pytest.raises(NotImportableError, match="does not say which of its columns"):
        open_importer(path)


def test_a_label_for_each_picture_is_taken_where_the_column_says_so_and_told(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(12)))
    path = table(tmp_path / "t.csv", "file,label", [f"{n}.jpg,thing {n}" for n in range(12)])
    classes, notes = read(path)
    assert len(classes) == 12
    assert "almost every row has its own label in the column 'label'" in notes


def test_of_lists_that_name_as_much_the_one_is_taken_whose_column_says_classes(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    table(
        tmp_path / "a.csv", "file,author", [f"{n}.jpg,{('Ann', 'Bob')[n // 3]}" for n in range(6)]
    )
    table(
        tmp_path / "list.csv", "file,class", [f"{n}.jpg,{('cat', 'dog')[n % 2]}" for n in range(6)]
    )
    assert set(read(tmp_path)[0]) == {"cat", "dog"}


def test_many_classes_of_a_long_table_are_not_taken_for_titles(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    rows = [f"{n}.jpg,bird {n % 15_000}" for n in range(1, 60_001)]
    path = table(tmp_path / "t.csv", "file,name", rows)
    assert set(read(path)[0]) == {"bird 1", "bird 2", "bird 3"}


def test_numbers_are_counted_from_a_background_that_no_picture_shows(tmp_path: Path) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    (tmp_path / "classes.txt").write_text("__background__\ncat\ndog\n")
    path = table(tmp_path / "l.csv", "file,class_id", [f"{n}.jpg,{n % 2 + 1}" for n in range(6)])
    assert set(read(path)[0]) == {"cat", "dog"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("owl\ncat\ndog\n", "does not say whether it counts from 0 or from 1"),
        ("cat\n", "does not name each of the class numbers differently"),
        ("cat\ncat\n", "does not name each of the class numbers differently"),
    ],
)
def test_class_numbers_that_stay_numbers_are_told(tmp_path: Path, names: str, told: str) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(6)))
    (tmp_path / "classes.txt").write_text(names)
    path = table(tmp_path / "l.csv", "file,class_id", [f"{n}.jpg,{n % 2 + 1}" for n in range(6)])
    classes, notes = read(path)
    assert set(classes) == {"1", "2"}
    assert f"classes.txt {told}; the classes are called by their numbers." in notes


LOOKED_AT = """
import json, sys
from pathlib import Path
from edge_classifier.project.importers import open_importer
seen = []
def note(event, said):
    if event in {"open", "os.scandir"}:
        seen.append((event, str(said[0])))
sys.addaudithook(note)
count = open_importer(Path(sys.argv[1])).count
print(json.dumps([count, [event for event, path in seen if "elsewhere" in path]]))
"""


@pytest.mark.parametrize(
    ("called", "looked_at"),
    [("mine/1.jpg", set()), ("C:\\pictures\\1.jpg", {"os.scandir"})],
)
def test_files_around_a_list_that_is_added_by_itself_are_not_opened_nor_listed_without_need(
    tmp_path: Path, called: str, looked_at: set[str]
) -> None:
    write_pictures(tmp_path, "mine/1.jpg", "mine/2.jpg")
    for name in ("a/b.dat", "c", "d.txt"):
        other = tmp_path / "elsewhere" / name
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(b"no picture")
    path = table(tmp_path / "t.csv", "file,label", [f"{called},cat", "mine/2.jpg,dog"])
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", LOOKED_AT, str(path)], capture_output=True, check=True
    )
    count, events = json.loads(done.stdout)
    assert count == 2
    assert set(events) == looked_at


def test_pictures_without_a_suffix_are_found_by_a_list_that_is_added_by_itself(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "set/1.jpg", "set/2.jpg")
    for name in "12":
        (tmp_path / "set" / f"{name}.jpg").rename(tmp_path / "set" / f"scan{name}")
    path = table(tmp_path / "t.csv", "file,label", ["scan1,cat", "scan2,dog"])
    assert set(read(path)[0]) == {"cat", "dog"}
