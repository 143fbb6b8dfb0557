from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from support.picture_files import picture_bytes, write_zip
from support.shared_data import shared_folder

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, open_importer


def candidates(path: Path) -> list[LabelledPicture]:
    return [item for item in open_importer(path) if isinstance(item, LabelledPicture)]


def test_a_project_file_gives_its_classes_each_as_one_burst(tmp_path: Path) -> None:
    entries = {"manifest.json": b"{}"}
    for number in range(12):
        entries[f"Class 1-!-{number}.png"] = picture_bytes(number, "PNG")
        entries[f"tasse-!-x-!-{number}.png"] = picture_bytes(100 + number, "PNG")
    importer = open_importer(write_zip(tmp_path / "my project.tm", entries))
    assert importer.description == "a Teachable Machine project"
    assert importer.left_alone == ()
    assert importer.count == 24
    found = [item for item in importer if isinstance(item, LabelledPicture)]
    assert {c.class_name for c in found} == {"Class 1", "tasse-!-x"}
    assert len({c.group for c in found}) == 2
    assert [Path(c.source).name for c in found[:12]] == [f"Class 1-!-{n}.png" for n in range(12)]


def test_pictures_without_a_suffix_are_read_too(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.tm", {"a-!-0": picture_bytes(1), "manifest.json": b"{}"})
    assert [c.encoded().image.shape for c in candidates(path)] == [(16, 24, 3)]


def test_a_project_file_of_another_layout_is_read_as_any_archive(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.tm", {"a/0.png": picture_bytes(1), "b/0.png": picture_bytes(2)})
    assert [c.class_name for c in candidates(path)] == ["a", "b"]


def test_a_project_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotImportableError, match="There is no picture"):
        open_importer(write_zip(tmp_path / "p.tm", {"manifest.json": b"{}"}))


def _sounds() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("sample-1.webm", b"\x1aE\xdf\xa3" + bytes(300))
        archive.writestr("samples.json", "[]")
    return buffer.getvalue()


SOUNDS = _sounds()


def manifest(kind: str) -> bytes:
    return json.dumps({"type": kind, "version": "2.4.7", "appdata": {"trainEpochs": 50}}).encode()


def test_classes_keep_the_order_that_they_have_in_the_project_also_from_the_tenth_on(
    tmp_path: Path,
) -> None:
    names = ["up", "down", *(f"Class {number}" for number in range(1, 13)), "Above"]
    entries = {
        f"{name}-!-{number}.jpg": picture_bytes(10 * n + number)
        for n, name in enumerate(names)
        for number in range(2)
    }
    path = write_zip(tmp_path / "p.tm", entries | {"manifest.json": manifest("image")})
    assert list(dict.fromkeys(c.class_name for c in candidates(path))) == names


def test_the_pictures_of_a_pose_project_are_taken_with_a_note(tmp_path: Path) -> None:
    entries = {"up-!-0.jpg": picture_bytes(1), "manifest.json": manifest("pose")}
    importer = open_importer(write_zip(tmp_path / "p.tm", entries))
    assert importer.description == "a pose project of Teachable Machine"
    assert [note for note in importer.notes if "not the postures of bodies" in note]
    assert [c.class_name for c in importer if isinstance(c, LabelledPicture)] == ["up"]


@pytest.mark.parametrize(
    "entries",
    [
        {"manifest.json": manifest("audio")},
        {"manifest.json": manifest("audio"), "clap-!-0.zip": b"PK"},
        {"manifest.json": b"[", "clap-!-0.zip": SOUNDS, "_background_noise_-!-0.zip": SOUNDS},
        {"samples.json": b"[]", "sample-1.webm": b"\x1aE\xdf\xa3"},
    ],
    ids=["empty", "whole", "a damaged manifest", "the samples of a class"],
)
def test_sounds_are_told_in_one_line(tmp_path: Path, entries: dict[str, bytes]) -> None:
    with pytest.raises(
        NotImportableError, match=r"p\.tm is of an audio project .* it holds sounds"
    ):
        open_importer(write_zip(tmp_path / "p.tm", entries))


@pytest.mark.parametrize("name", ["Class 1-samples.zip", "Class 1-samples (2).zip"])
def test_a_sample_archive_is_of_the_class_it_is_named_after(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / name, {f"{n}.png": picture_bytes(n, "PNG") for n in range(11)})
    found = candidates(path)
    assert {c.class_name for c in found} == {"Class 1"}
    assert len({c.group for c in found}) == 1
    assert found[0].group is not None


def test_a_real_capture_that_was_unpacked_is_one_burst_a_class() -> None:
    found = candidates(shared_folder("data", "teachable_machine_capture"))
    assert len(found) == 22
    assert {c.class_name for c in found} == {"Class 1", "Class 2"}
    assert len({c.group for c in found}) == 2


def test_numbered_photos_of_another_size_are_bursts_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "dog").mkdir()
    for number in range(3):
        (tmp_path / "dog" / f"{number}.jpg").write_bytes(picture_bytes(number))
    assert [c.group for c in candidates(tmp_path)] == [None] * 3
