"""What `edge-classifier add` makes of splits and archives, and says of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_pictures

from edge_classifier.commands.cli import main
from edge_classifier.project.store import ProjectStore


def counts(project: Path) -> tuple[int, int]:
    with ProjectStore.open(project) as store:
        return len(store.samples()), len(store.held_out())


def test_a_split_that_is_added_alone_is_held_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path, "seg_test/cat/1.jpg", "seg_test/dog/1.jpg")
    assert main(["add", str(tmp_path / "p"), str(tmp_path / "seg_test")]) == 0
    assert counts(tmp_path / "p") == (0, 2)
    assert "`--split train` trains on it" in capsys.readouterr().err


@pytest.mark.parametrize(("split", "expected"), [("train", (2, 0)), ("held-out", (0, 2))])
def test_the_user_may_say_what_all_of_it_is_for(
    split: str, expected: tuple[int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path, "x/test/cat/1.jpg", "x/train/cat/2.jpg")
    assert main(["add", str(tmp_path / "p"), str(tmp_path / "x"), "--split", split]) == 0
    assert counts(tmp_path / "p") == expected
    assert "--split" not in capsys.readouterr().err


def test_pictures_that_a_wrapper_repeats_are_added_once(tmp_path: Path) -> None:
    for around in ("x", "x/x"):
        write_pictures(tmp_path / around, "train/cat/1.jpg", "train/dog/2.jpg", "test/cat/3.jpg")
    assert main(["add", str(tmp_path / "p"), str(tmp_path / "x")]) == 0
    assert counts(tmp_path / "p") == (2, 1)


def test_the_code_page_of_an_archive_can_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XX/1.jpg", picture_bytes(1))
    path.write_bytes(path.read_bytes().replace(b"XX", "猫".encode("gbk")))
    assert main(["add", str(tmp_path / "p"), str(path), "--code-page", "gbk"]) == 0
    with ProjectStore.open(tmp_path / "p") as store:
        assert store.class_names() == ("猫",)
    assert main(["add", str(tmp_path / "p"), str(path), "--code-page", "klingon"]) == 1
    assert "Expected a code page like utf-8, cp437" in capsys.readouterr().err


def test_no_class_is_called_unknown_where_its_name_is_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path / "pics", "1.jpg")
    for name in ("unknown", " Unknown ", "a/b"):
        assert main(["add", str(tmp_path / "p"), str(tmp_path / "pics"), "--class", name]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert name.strip() in line
    assert not (tmp_path / "p").exists()


def test_an_encrypted_archive_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(9):
            archive.writestr(f"cat/{number}.jpg", picture_bytes(number))
    data = bytearray(path.read_bytes())
    place = 0
    while (place := data.find(b"PK\x01\x02", place) + 1) > 0:
        data[place - 1 + 8] |= 1
    path.write_bytes(data)
    assert main(["add", str(tmp_path / "p"), str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "x.zip is encrypted" in line
