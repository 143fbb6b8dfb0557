from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.picture_files import write_pictures, write_zip

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.importers.csv_table import decoded, read_table


def items(path: Path, class_name: str | None = None) -> tuple[list[LabelledPicture], list[Refusal]]:
    found = list(open_importer(path, class_name=class_name))
    candidates = [item for item in found if isinstance(item, LabelledPicture)]
    return candidates, [item for item in found if isinstance(item, Refusal)]


def labels(path: Path) -> list[tuple[str, str]]:
    return [(Path(c.source).name, c.class_name) for c in items(path)[0]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("file", "label"),
    [("file", "label"), ("Filename", "Class"), ("image_path", "category"), ("IMAGE", "class_name")],
)
def test_any_usual_column_name_and_delimiter_is_understood(
    tmp_path: Path, delimiter: str, file: str, label: str
) -> None:
    write_pictures(tmp_path, "a/1.jpg", "a/2.jpg")
    rows = [["n", label, file], ["1", "dog", "a/1.jpg"], ["2", "cat", "a/2.jpg"]]
    (tmp_path / "t.csv").write_text("\n".join(delimiter.join(row) for row in rows))
    assert labels(tmp_path / "t.csv") == [("1.jpg", "dog"), ("2.jpg", "cat")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_usual_encoding_is_understood_and_a_guess_is_told(
    tmp_path: Path, encoding: str
) -> None:
    write_pictures(tmp_path, "été.jpg")
    (tmp_path / "t.csv").write_bytes("file,label\r\nété.jpg,tasse à café\r\n".encode(encoding))
    importer = open_importer(tmp_path / "t.csv")
    (item,) = importer
    assert isinstance(item, LabelledPicture)
    assert item.class_name == "tasse à café"
    assert item.encoded().image.shape == (16, 24, 3)
    assert ["cp1252" in note for note in importer.notes] == [True] * (encoding == "cp1252")


@pytest.mark.parametrize(
    ("page", "name", "label"),
    [
        ("cp932", "猫の写真", "ソファ"),
        ("gbk", "照片", "沙发"),
        ("cp949", "고양이", "소파"),
        ("cp1251", "кошка", "диван"),
        ("cp1250", "łódź", "żółw"),
        ("cp866", "собака", "стол"),
    ],
)
def test_the_code_page_of_a_table_is_the_one_that_gives_the_names_of_files(
    tmp_path: Path, page: str, name: str, label: str
) -> None:
    write_pictures(tmp_path, f"{name}.jpg")
    (tmp_path / "t.csv").write_bytes(f"file,label\r\n{name}.jpg,{label}\r\n".encode(page))
    importer = open_importer(tmp_path / "t.csv")
    assert [item.class_name for item in importer if isinstance(item, LabelledPicture)] == [label]
    assert [note for note in importer.notes if "is not UTF-8 and was read as" in note]


@pytest.mark.parametrize(
    ("page", "labels"),
    [
        ("cp1252", ["Äpfel", "Birnen", "Möhren", "Größe"]),
        ("cp1251", ["кошка", "собака", "птица", "рыба"]),
        ("cp932", ["猫", "犬", "椅子", "ソファ"]),
        ("cp949", ["고양이", "개", "의자", "소파"]),
    ],
)
def test_where_names_of_files_tell_nothing_labels_that_are_words_do(
    tmp_path: Path, page: str, labels: list[str]
) -> None:
    write_pictures(tmp_path, *(f"{n}.jpg" for n in range(4)))
    rows = "".join(f"{n}.jpg,{label}\r\n" for n, label in enumerate(labels))
    (tmp_path / "t.csv").write_bytes(("file,label\r\n" + rows).encode(page))
    found = [i.class_name for i in open_importer(tmp_path) if isinstance(i, LabelledPicture)]
    assert found == labels


def test_a_code_page_that_is_said_is_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_bytes("file,label\n1.jpg,É\n".encode("cp850"))
    (item,) = open_importer(tmp_path / "t.csv", code_page="cp850")
    assert isinstance(item, LabelledPicture)
    assert item.class_name == "É"


def test_a_code_page_in_which_a_table_is_not_written_is_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_bytes("file,label\n1.jpg,É\n".encode("cp850"))
    with pytest.raises(NotImportableError, match=r"t.csv is not written in ascii; .*--code-page"):
        open_importer(tmp_path / "t.csv", code_page="ascii")


def test_utf_16_is_read_without_the_mark_at_its_start(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_bytes("file\tlabel\r\n1.jpg\tмышь\r\n".encode("utf-16-le"))
    (item,) = open_importer(tmp_path / "t.csv")
    assert isinstance(item, LabelledPicture)
    assert item.class_name == "мышь"


def test_quotes_commas_and_line_breaks_within_cells(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a, b.jpg")
    (tmp_path / "t.csv").write_text('file,note,label\n"a, b.jpg","two\nlines","dog ""Rex"""\n')
    assert labels(tmp_path / "t.csv") == [("a, b.jpg", 'dog "Rex"')]


def test_paths_are_looked_for_from_the_table_whatever_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path, "images/1.jpg", "images/2.jpg", "images/3.jpg")
    (tmp_path / "lists").mkdir()
    absolute = tmp_path / "images" / "3.jpg"
    text = f"file,label\n../images/1.jpg,dog\n..\\images\\2,dog\n{absolute},dog\n"
    (tmp_path / "lists" / "t.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "lists" / "t.csv", Path("lists/t.csv")):
        candidates, refused = items(path)
        assert [c.encoded().image.shape for c in candidates] == [(16, 24, 3)] * 3
        assert refused == []


def test_a_table_without_a_header_is_understood_by_what_is_in_it(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "t.csv").write_text("1.jpg,dog,train\n2.jpg,cat,test\n")
    assert labels(tmp_path / "t.csv") == [("1.jpg", "dog"), ("2.jpg", "cat")]
    assert [c.held_out for c in items(tmp_path / "t.csv")[0]] == [False, True]


def test_a_split_column_is_honoured(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    (tmp_path / "t.csv").write_text("split,file,label\nval,1.jpg,a\ntrain,2.jpg,a\n,3.jpg,a\n")
    assert [c.held_out for c in items(tmp_path / "t.csv")[0]] == [True, False, False]


def test_each_bad_row_is_named_with_its_reason_and_the_rest_goes_in(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_text("file,label\ngone.jpg,a\n1.jpg,\n,a\n\n1.jpg,a\nx\0.jpg,b\n")
    candidates, refused = items(tmp_path / "t.csv")
    assert [c.class_name for c in candidates] == ["a"]
    told = [f"{r.source.removeprefix(str(tmp_path))}: {r.reason}" for r in refused]
    assert told[:3] == [
        "/t.csv, row 2: gone.jpg: there is no such file",
        "/t.csv, row 3: 1.jpg: it has no label",
        "/t.csv, row 4: it names no file",
    ]
    assert len(told) == 4


def test_columns_that_say_nothing_are_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("date,price\n1,2\n")
    with pytest.raises(NotImportableError, match=r"columns 'date', 'price' names pictures; call"):
        open_importer(tmp_path / "t.csv")


def test_with_a_class_said_no_label_column_is_needed(tmp_path: Path) -> None:
    write_pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_text("file\n1.jpg\n")
    assert [c.class_name for c in items(tmp_path / "t.csv", "mug")[0]] == ["mug"]


def test_a_folder_or_an_archive_with_a_table_in_it_is_read_by_the_table(tmp_path: Path) -> None:
    write_pictures(tmp_path, "set/images/1.jpg", "set/images/2.jpg")
    (tmp_path / "set" / "labels.csv").write_text("image,label\nimages/1.jpg,dog\n")
    assert labels(tmp_path / "set") == [("1.jpg", "dog")]
    archive = write_zip(
        tmp_path / "set.zip",
        {
            path.relative_to(tmp_path).as_posix(): path.read_bytes()
            for path in (tmp_path / "set").rglob("*.*")
        },
    )
    assert labels(archive) == [("1.jpg", "dog")]


def test_a_table_of_something_else_does_not_hide_class_folders(tmp_path: Path) -> None:
    write_pictures(tmp_path, "dog/1.jpg", "cat/1.jpg")
    (tmp_path / "meta.csv").write_text("id,class\n17,x\n")
    assert {label for _, label in labels(tmp_path)} == {"dog", "cat"}


def test_a_table_in_an_archive_reads_nothing_outside_of_it(tmp_path: Path) -> None:
    write_pictures(tmp_path, "secret.jpg", "1.jpg")
    rows = f"file,label\n1.jpg,a\n../secret.jpg,a\n{tmp_path}/secret.jpg,a\n"
    entries = {"t.csv": rows.encode(), "1.jpg": (tmp_path / "1.jpg").read_bytes()}
    candidates, refused = items(write_zip(tmp_path / "set.zip", entries))
    assert len(candidates) == 1
    assert [r.reason for r in refused] == ["there is no such file"] * 2


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.sampled_from(",;\t|"))
@settings(max_examples=50)
def test_whatever_a_table_holds_each_row_is_kept_under_its_number(
    rows: list[tuple[str, str]], delimiter: str
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("file", "label"), *rows])
    data = buffer.getvalue().encode("utf-8", "surrogatepass")
    table, _ = read_table("t.csv", decoded(data)[0], "t.csv", lambda name: name != "file")
    assert list(table.numbers) == sorted(set(table.numbers))
    assert len(table.rows) == len(table.numbers) <= 1 + len(rows)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_are_refused(data: bytes) -> None:
    with suppress(NotImportableError):
        read_table("t.csv", decoded(data)[0], "t.csv", bool)
