from __future__ import annotations

import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_zip

from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.importers.archives import open_archive


def reasons(path: Path) -> dict[str, str]:
    start = f"{path}/"
    return {
        item.source.removeprefix(start): item.reason
        for item in open_importer(path)
        if isinstance(item, Refusal)
    }


def test_an_archive_is_read_as_the_folder_that_was_packed(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "set.zip",
        {
            "set/train/dog/1.jpg": picture_bytes(1),
            "set/val/杯子/2.png": picture_bytes(2, "PNG"),
            "__MACOSX/set/train/dog/._1.jpg": b"junk",
            "set/.DS_Store": b"junk",
        },
    )
    found = [item for item in open_importer(path) if isinstance(item, LabelledPicture)]
    assert [(c.class_name, c.held_out) for c in found] == [("dog", False), ("杯子", True)]
    assert [c.encoded().image.shape for c in found] == [(16, 24, 3)] * 2
    assert found[0].source == f"{path}/set/train/dog/1.jpg"


def test_names_that_point_outside_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    names = ["../evil.jpg", "a/../../evil.jpg", "/etc/evil.jpg", "C:\\evil.jpg", "..\\evil.jpg"]
    path = inside / "set.zip"
    write_zip(path, {"dog/1.jpg": picture_bytes(1), **dict.fromkeys(names, picture_bytes(2))})
    told = [item.reason for item in open_importer(path) if isinstance(item, Refusal)]
    assert told == ["its name points outside of the archive"] * 5
    assert list(tmp_path.rglob("*evil*")) == []


def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dog/1.jpg", picture_bytes(1))
        for name, kind in (("dog/2.jpg", stat.S_IFLNK), ("dog/3.jpg", stat.S_IFIFO)):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (kind | 0o777) << 16
            archive.writestr(entry, "/etc/passwd")
    assert reasons(path) == dict.fromkeys(
        ["dog/2.jpg", "dog/3.jpg"], "a link or a device, not a file"
    )


def test_an_entry_without_a_name_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"dog/1.jpg": picture_bytes(1), "x": b"x"})
    data = bytearray(path.read_bytes())
    place = data.index(b"x", data.rindex(b"PK\x01\x02"))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 28 : entry + 30] = b"\0\0"
    del data[place]
    end = data.index(b"PK\x05\x06")
    size = int.from_bytes(data[end + 12 : end + 16], "little") - 1
    data[end + 12 : end + 16] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert reasons(path) == {"": "it has no name"}


def test_an_archive_that_lists_absurdly_many_files_is_refused_before_the_list_is_read(
    tmp_path: Path,
) -> None:
    path = write_zip(tmp_path / "set.zip", {"dog/1.jpg": picture_bytes(1)})
    data = bytearray(path.read_bytes())
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 16] = (17 * 1024 * 1024).to_bytes(4, "little")
    path.write_bytes(bytes(18 * 1024 * 1024) + data)
    with pytest.raises(NotImportableError, match="lists more files than are read at once"):
        open_importer(path)


def test_an_archive_in_the_format_for_more_than_4_gb_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"dog/1.jpg": picture_bytes(1)})
    data = path.read_bytes()
    end = data.index(b"PK\x05\x06")
    size, offset = struct.unpack("<II", data[end + 12 : end + 20])
    for filling in (0, 18 * 1024 * 1024):
        start = end + filling
        record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, offset)
        locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, start, 1)
        last = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
        path.write_bytes(bytes(filling) + data[:end] + record + locator + last)
        (item,) = open_importer(path)
        assert isinstance(item, LabelledPicture)
        assert item.encoded().image.shape == (16, 24, 3)


def test_an_entry_whose_packing_may_ask_for_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("dog/1.jpg", picture_bytes(1))
    assert "pack the archive with Deflate" in reasons(path)["dog/1.jpg"]


def test_a_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dog/1.jpg", bytes(100_000_000))
    (item,) = open_importer(path)
    assert isinstance(item, LabelledPicture)
    with pytest.raises(InvalidImageError, match="would unpack to 100,000,000 bytes"):
        item.encoded()


def test_an_entry_longer_than_announced_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"dog/1.jpg": picture_bytes(1)})
    size = len(picture_bytes(1)).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    (item,) = open_importer(path)
    assert isinstance(item, LabelledPicture)
    with pytest.raises(InvalidImageError, match=r"1\.jpg"):
        item.encoded()


def test_a_damaged_entry_is_refused_and_its_neighbour_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"a/1.jpg": picture_bytes(1), "a/2.jpg": b"y" * 300})
    path.write_bytes(path.read_bytes().replace(b"y" * 300, b"z" * 300))
    first, second = (item for item in open_importer(path) if isinstance(item, LabelledPicture))
    assert first.encoded().image.shape == (16, 24, 3)
    with pytest.raises(InvalidImageError, match=r"2\.jpg is damaged in the archive"):
        second.encoded()


def test_a_name_that_is_in_there_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in (1, 2):
            archive.writestr("dog/1.jpg", picture_bytes(number))
    assert "twice" in reasons(path)["dog/1.jpg"]


def test_names_in_utf8_are_read_right_even_if_the_archive_does_not_say_so(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip", {"caf__/1.jpg": picture_bytes(1)})
    path.write_bytes(path.read_bytes().replace(b"caf__", "café".encode()))
    assert open_archive(path).paths == ["café/1.jpg"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"hello", b"PK\x05\x06" + bytes(17)])
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "set.zip").write_bytes(data)
    with pytest.raises(NotImportableError, match=r"set\.zip"):
        open_importer(tmp_path / "set.zip")


def test_an_archive_in_an_archive_and_a_video_are_told_apart_from_pictures(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "set.zip",
        {"a/1.jpg": picture_bytes(1), "b.zip": b"x", "a/c.mp4": b"x", "a/d.CR2": b"x"},
    )
    assert set(reasons(path)) == {"b.zip", "a/c.mp4", "a/d.CR2"}
