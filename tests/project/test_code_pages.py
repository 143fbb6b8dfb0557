from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from support.picture_files import picture_bytes

from edge_classifier.errors import InvalidValueError, NotImportableError
from edge_classifier.project.importers import LabelledPicture, open_importer
from edge_classifier.project.importers.code_pages import check_code_page, code_page_of


class _Raw(zipfile.ZipInfo):
    """An entry whose name is written as it is, as old programs do."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - of zipfile
        return self.raw, self.flag_bits & ~0x800


def write_raw_zip(path: Path, *names: bytes, extra: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            entry = _Raw(str(number))
            entry.raw = name
            entry.extra = extra
            archive.writestr(entry, picture_bytes(number))
    return path


def classes(path: Path, code_page: str | None = None) -> list[str]:
    items = open_importer(path, code_page=code_page)
    return [item.class_name for item in items if isinstance(item, LabelledPicture)]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("cp932", ("猫", "ソファ")),
        ("cp932", ("表", "能力", "りんご")),  # with a backslash as second byte
        ("cp866", ("кошка", "собака")),
        ("cp866", ("ЯБЛОКО", "Груша")),
        ("cp1251", ("Кошка", "собака", "яблоко")),
        ("cp949", ("고양이", "개")),
        ("cp949", ("사과", "바나나", "포도")),
        ("gbk", ("猫", "狗")),
        ("gbk", ("苹果", "香蕉", "橙子")),
        ("big5", ("蘋果", "香蕉")),
        ("big5", ("貓", "狗")),
        ("cp850", ("Äpfel", "Größe")),
        ("cp437", ("piñata", "café")),
        ("cp850", ("São", "maçã")),
        ("cp852", ("kočka", "pes černý")),
        ("cp1252", ("café", "garçon", "forêt")),
        ("cp737", ("γάτα", "σκύλος", "μήλο")),
        ("cp1253", ("γάτα", "σκύλος", "μήλο")),
        ("cp857", ("çilek", "üzüm", "şeftali")),
        ("cp857", ("ŞEFTALİ", "ÜZÜM", "AĞAÇ")),
        ("cp1254", ("çiçek", "şeftali", "ağaç")),
        ("cp862", ("תפוח", "בננה")),
        ("cp866", ("КОШКА", "ГРУША", "СТОЛ")),
        ("utf-8", ("café", "猫", "кошка")),
    ],
)
def test_names_are_read_as_whoever_packed_them_wrote_them(
    page: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    raw = [f"{name}/1.jpg".encode(page) for name in names]
    assert sorted(classes(write_raw_zip(tmp_path / "x.zip", *raw))) == sorted(names)


def test_which_code_page_was_taken_is_told_and_another_can_be_said(tmp_path: Path) -> None:
    path = write_raw_zip(tmp_path / "x.zip", "猫/1.jpg".encode("cp932"), b"dog/1.jpg")
    (note,) = open_importer(path).notes
    assert "cp932 (Japanese), as in '猫/1.jpg'" in note
    assert "--code-page" in note
    assert classes(path, "cp437") == ["dog", "öL"]


@pytest.mark.parametrize("page", ["utf-8", "ascii", "cp932"])
def test_a_code_page_that_does_not_fit_is_told_and_no_name_is_guessed(
    page: str, tmp_path: Path
) -> None:
    path = write_raw_zip(tmp_path / "x.zip", b"c\x81\xff/1.jpg", b"c\x82\xff/1.jpg")
    with pytest.raises(NotImportableError, match=f"not written in {page}, as .*`--code-page`"):
        open_importer(path, code_page=page)


def test_names_in_ascii_and_in_utf8_are_not_spoken_of(tmp_path: Path) -> None:
    path = write_raw_zip(tmp_path / "x.zip", "猫/1.jpg".encode(), b"dog/1.jpg")
    assert open_importer(path).notes == ()


def test_one_damaged_name_does_not_make_the_others_unreadable() -> None:
    assert code_page_of(["кошка/1.jpg".encode(), "собака/2.jpg".encode(), b"\xd0/3.jpg"]) == "utf-8"


def test_a_name_in_utf8_beside_the_other_one_is_taken_if_it_belongs_to_it(tmp_path: Path) -> None:
    raw = "猫/1.jpg".encode("cp949", "replace")
    said = "かわいい猫/1.jpg".encode()
    for crc, expected in ((zlib.crc32(raw), "かわいい猫"), (1, raw.decode("cp949")[:-6])):
        data = b"\x01" + crc.to_bytes(4, "little") + said
        extra = b"\x75\x70" + len(data).to_bytes(2, "little") + data
        path = write_raw_zip(tmp_path / f"{crc}.zip", raw, extra=extra)
        assert classes(path, "cp949") == [expected]


def test_folders_of_tar_archives_are_read_likewise(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT, encoding="cp866") as tar:
        for name in ("кошка", "собака"):
            info = tarfile.TarInfo(f"{name}/1.jpg")
            info.size = len(picture_bytes(1))
            tar.addfile(info, io.BytesIO(picture_bytes(1)))
    assert classes(tmp_path / "x.tar") == ["кошка", "собака"]


@pytest.mark.parametrize(
    "name",
    [
        *("klingon", "", "rot13", "hex", "cp\x00866", "a" * 5000),
        *("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "iso2022_jp"),
        *("utf-7", "utf-8-sig", "utf-16", "utf-32", "cp037", "hz"),  # ASCII is something else
    ],
)
def test_what_is_no_code_page_is_told(name: str) -> None:
    with pytest.raises(InvalidValueError, match="Expected a code page"):
        check_code_page(name)
