from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_zip

from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer

NAMES = ("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/2.jpg", "test/dog/2.jpg")


def tar_bytes(
    *names: str, form: int = tarfile.PAX_FORMAT, kinds: Mapping[str, bytes] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size = len(picture_bytes(number))
            tar.addfile(info, io.BytesIO(picture_bytes(number)))
        for name, kind in (kinds or {}).items():
            info = tarfile.TarInfo(f"cat/{name}.jpg")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    return buffer.getvalue()


def found(path: Path) -> tuple[list[str], dict[str, str]]:
    """Labels, with a star where held out, and reasons by source."""
    items = list(open_importer(path))
    labels = [
        item.class_name + "*" * item.held_out
        for item in items
        if isinstance(item, LabelledPicture) and item.encoded().image.shape == (16, 24, 3)
    ]
    start = f"{path}/"
    reasons = {i.source.removeprefix(start): i.reason for i in items if isinstance(i, Refusal)}
    return labels, reasons


ALL = ["cat", "dog", "cat*", "dog*"]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("x.tar", bytes),
        ("x.tgz", gzip.compress),
        ("x.tar.gz", gzip.compress),
        ("x.tar.bz2", bz2.compress),
        ("x.tar.xz", lzma.compress),
        ("x.zip", gzip.compress),  # the content decides
        ("no suffix", bz2.compress),
    ],
)
def test_a_tar_archive_is_read_as_the_folder_that_was_packed(
    name: str, pack: type[bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(tar_bytes(*(f"./set/{name}" for name in NAMES), "./set/._1.jpg")))
    assert found(path) == (ALL, {})


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_each_kind_of_tar(form: int, tmp_path: Path) -> None:
    long = "/".join(["set" * 15] * 3)
    (tmp_path / "x.tar").write_bytes(tar_bytes(*(f"{long}/{name}" for name in NAMES), form=form))
    assert found(tmp_path / "x.tar") == (ALL, {})


def test_names_that_point_outside_links_and_devices_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    names = ("../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", *NAMES[:2])
    kinds = {"hard": tarfile.LNKTYPE, "soft": tarfile.SYMTYPE, "pipe": tarfile.FIFOTYPE}
    path.write_bytes(tar_bytes(*names, kinds={**kinds, "device": tarfile.CHRTYPE}))
    labels, reasons = found(path)
    assert labels == ["cat", "dog"]
    assert list(reasons.values()) == (
        ["its name points outside of the archive"] * 3 + ["a link or a device, not a file"] * 4
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_an_archive_that_is_cut_short_gives_what_is_whole_and_tells(
    pack: type[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "x.tar"
    noise = [f"cat/{n}.jpg" for n in range(60)]
    data = pack(tar_bytes(*noise))
    path.write_bytes(data[: len(data) * 2 // 3])
    items = list(open_importer(path))
    assert 0 < sum(isinstance(item, LabelledPicture) for item in items) < 60
    (told,) = (item for item in items if isinstance(item, Refusal))
    assert "damaged or cut short behind cat/" in told.reason


def test_a_damaged_header_is_told_and_is_not_the_end(tmp_path: Path) -> None:
    data = bytearray(tar_bytes(*NAMES))
    data[data.index(b"test/cat/2.jpg")] ^= 1
    (tmp_path / "x.tar").write_bytes(data)
    labels, reasons = found(tmp_path / "x.tar")
    assert labels == ["cat", "dog"]
    assert len(reasons) == 1


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused_before_it_is_unpacked(pack: type[bytes], tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(pack(bytes(65 * 1024 * 1024)))
    with pytest.raises(NotImportableError, match=r"x\.tgz unpacks to more than"):
        open_importer(tmp_path / "x.tgz")


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"one picture, packed", mtime=0),
        lzma.compress(b""),
        b"\x1f\x8b",
        b"BZh9",
        b"\xfd7zXZ\x00",
        bytes(257) + b"ustar\x0000" + bytes(248),
    ],
)
def test_what_is_packed_and_no_tar_archive_is_refused_by_name(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_bytes(data)
    with pytest.raises(NotImportableError, match=r"x\.gz"):
        open_importer(tmp_path / "x.gz")


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\x00"])
def test_archives_of_other_kinds_are_told(magic: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(magic + bytes(99))
    with pytest.raises(NotImportableError, match="unpack it, or pack it as"):
        open_importer(tmp_path / "x.zip")


def test_archives_in_an_archive_are_read_as_folders_and_deeper_ones_are_told(
    tmp_path: Path,
) -> None:
    inner = write_zip(tmp_path / "inner.zip", {"cat/1.jpg": picture_bytes(1), "x.zip": b"PK"})
    files = {
        "set/train.zip": inner.read_bytes(),
        "set/test.tgz": gzip.compress(tar_bytes("cat/7.jpg")),
        "set/broken.zip": b"PK\x03\x04",
    }
    path = write_zip(tmp_path / "set.zip", files)
    labels, reasons = found(path)
    assert labels == ["cat", "cat*"]
    assert set(reasons) == {"set/train.zip/x.zip", "set/broken.zip"}
    assert "an archive in one in an archive" in reasons["set/train.zip/x.zip"]


def test_archives_of_classes_in_an_archive_are_classes(tmp_path: Path) -> None:
    one = write_zip(tmp_path / "1.zip", {"1.jpg": picture_bytes(1)}).read_bytes()
    two = write_zip(tmp_path / "2.zip", {"1.jpg": picture_bytes(2)}).read_bytes()
    path = write_zip(tmp_path / "set.zip", {"cat-samples.zip": one, "dog.zip": two})
    assert found(path) == (["cat", "dog"], {})


def test_a_bomb_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("cat/1.jpg", picture_bytes(1))
        archive.writestr("bomb.zip", b"PK" + bytes(68_000_000))
    labels, reasons = found(path)
    assert labels == ["cat"]
    assert "would unpack to 68,000,002 bytes" in reasons["bomb.zip"]


def test_many_members_that_unpack_to_far_more_than_the_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"cat/{number}.jpg", bytes(45_000_000))
    items = [item for item in open_importer(path) if isinstance(item, LabelledPicture)]
    assert len(items) == 5
    for item in items:
        with pytest.raises(InvalidImageError):
            item.encoded()
    with pytest.raises(InvalidImageError, match="would unpack to"):
        items[0].encoded()
