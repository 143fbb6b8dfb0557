"""Folders and archives that people reported elsewhere, to trackers of other programs."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_pictures, write_zip

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.importers.code_pages import code_page_of


def counts(path: Path) -> dict[str, int]:
    """Pictures by class, with a star where held out, and `-` for what is refused."""
    return dict(
        Counter(
            "-" if isinstance(item, Refusal) else item.class_name + "*" * item.held_out
            for item in open_importer(path)
        )
    )


def test_fastai_1552_the_folder_of_tests_is_no_label(tmp_path: Path) -> None:
    names = [f"train/{name}/{n}.jpg" for name in ("ok", "nok", "unsure") for n in (1, 2)]
    write_pictures(tmp_path / "data", *names, "test/IMG_1.jpg", "test/IMG_2.jpg")
    assert counts(tmp_path / "data") == {"-": 2, "ok": 2, "nok": 2, "unsure": 2}


def test_hugging_face_datasets_7880_splits_without_classes_are_no_labels(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data", "train/file0.jpg", "test/file1.jpg")
    with pytest.raises(NotImportableError, match="Nothing tells what the 2 pictures"):
        open_importer(tmp_path / "data")


def test_hugging_face_datasets_4015_names_of_files_do_not_matter_in_class_folders(
    tmp_path: Path,
) -> None:
    folders = ("train/n01440764", "train/n01695060", "val/n01440764", "val/n01695060")
    write_pictures(tmp_path, *(f"imagenet/{f}/ILSVRC2012_val_00000293.jpg" for f in folders))
    expected = {f"n0{number}{star}": 1 for number in (1440764, 1695060) for star in ("", "*")}
    assert counts(tmp_path / "imagenet") == expected


def test_keras_4552_folders_and_links_in_class_folders_are_parts_of_the_class(
    tmp_path: Path,
) -> None:
    write_pictures(
        tmp_path,
        *("set/cats/cats-from-kaggle/1.jpg", "set/cats/photos-of-wild-cats/2.jpg"),
        *("set/dogs/dogs-from-kaggle/3.jpg", "set/dogs/dog-show-archive/4.jpg"),
        *("mnt/cat-photos/5.jpg", "mnt/dog-photos/6.jpg"),
    )
    for kind in ("cat", "dog"):
        link = tmp_path / "set" / f"{kind}s" / "external-disk"
        link.symlink_to(tmp_path / "mnt" / f"{kind}-photos")
    assert counts(tmp_path / "set") == {"cats": 3, "dogs": 3}


def test_fastai_2270_a_validation_set_that_several_sets_link_to(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a/train/cat/1.jpg", "a/train/dog/2.jpg", "valid/cat/3.jpg")
    (tmp_path / "a" / "valid").symlink_to("../valid")
    assert counts(tmp_path / "a") == {"cat": 1, "dog": 1, "cat*": 1}


def test_hugging_face_datasets_5098_a_linked_picture_is_of_the_folder_with_the_link(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "real/others/1.jpg", "set/normal/2.jpg")
    (tmp_path / "set" / "abnormal").mkdir()
    (tmp_path / "set" / "abnormal" / "1.jpg").symlink_to(tmp_path / "real" / "others" / "1.jpg")
    assert counts(tmp_path / "set") == {"abnormal": 1, "normal": 1}


def test_tensorflow_46595_and_torchvision_79_folders_of_notebooks_and_systems(
    tmp_path: Path,
) -> None:
    write_pictures(tmp_path, "skip/1.jpg", "no_skip/2.jpg", ".ipynb_checkpoints/2-checkpoint.jpg")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "empty").mkdir()  # as in torchvision 4925
    assert counts(tmp_path) == {"no_skip": 1, "skip": 1}


def test_tflite_on_pi_147_an_archive_with_one_more_folder_around(tmp_path: Path) -> None:
    files = {f"images/images/{name}/1.jpg": picture_bytes(1) for name in ("quarter", "dime")}
    assert counts(write_zip(tmp_path / "images.zip", files)) == {"dime": 1, "quarter": 1}


def test_esp32_targz_90_an_archive_of_macos(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("./._pet", "./pet/cat/._1.jpg", "./pet/cat/1.jpg", "./pet/dog/2.jpg"):
            info = tarfile.TarInfo(name)
            info.size = len(picture_bytes(1))
            info.pax_headers = {"LIBARCHIVE.xattr.com.apple.quarantine": "MDA4", "SCHILY.dev": "1"}
            tar.addfile(info, io.BytesIO(picture_bytes(1)))
    (tmp_path / "pics.tgz").write_bytes(gzip.compress(buffer.getvalue()))
    assert counts(tmp_path / "pics.tgz") == {"cat": 1, "dog": 1}


def test_datumaro_138_archives_in_archives_in_archives(tmp_path: Path) -> None:
    one = write_zip(tmp_path / "1.zip", {"cat/1.jpg": picture_bytes(1)}).read_bytes()
    two = write_zip(tmp_path / "2.zip", {"1.zip": one, "dog/1.jpg": picture_bytes(2)})
    three = write_zip(tmp_path / "3.zip", {"2.zip": two.read_bytes(), "x/1.jpg": picture_bytes(3)})
    items = list(open_importer(three))
    assert [i.reason for i in items if isinstance(i, Refusal)] == [
        "an archive in one in an archive; unpack that"
    ]
    assert sum(isinstance(item, LabelledPicture) for item in items) == 2


@pytest.mark.parametrize(
    ("names", "page"),
    [
        (["尤里的陰謀v1.0/1.jpg"], "gbk"),  # kuba--/zip 233: a backslash in 謀
        (["新しいフォルダ/SJIS_835C_ソ.jpg", "新しいフォルダ/新しい.jpg"], "cp932"),  # libzip 212
        (["ANM_ssd/2値化ノイズ.anm"], "cp932"),  # noqa: RUF001 - team-apm/apm 680
        (
            ["よむ (read).jpg", "りどみ (ridomi).jpg", "使用曲などのテスト.jpg"],
            "cp932",
        ),  # mojibake-fixer 2
        (["a - 副本.jpg"], "gbk"),  # zip4j 45
    ],
)
def test_names_in_archives_of_other_code_pages(names: list[str], page: str) -> None:
    raw = [name.encode(page) for name in names]
    assert [name.decode(code_page_of(raw)) for name in raw] == names
