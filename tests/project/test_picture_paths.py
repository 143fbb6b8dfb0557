from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.device.sources.pictures import PictureFiles
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.picture_paths import picture_paths


def found(*paths: Path) -> list[Path]:
    def refuse(path: Path, error: OSError) -> None:
        raise AssertionError(f"{path}: {error}")

    return list(picture_paths(paths, refuse))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_by_name_and_files_are_taken_as_they_are(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a.PNG", "notes.txt", "in/c.webp", "in/deep/d.bmp")
    names = [str(p.relative_to(tmp_path)) for p in found(tmp_path, tmp_path / "notes.txt")]
    assert names == ["a.PNG", "b.jpg", "in/c.webp", "in/deep/d.bmp", "notes.txt"]


def test_what_is_hidden_or_other_programs_and_links_to_folders_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, ".hidden.jpg", ".thumbnails/a.jpg", "in/a.jpg")
    touch(tmp_path, "__MACOSX/a.jpg", "in/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "$RECYCLE.BIN/b.jpg")
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    assert found(tmp_path) == [tmp_path / "in" / "a.jpg"]


def test_a_folder_of_another_program_is_read_where_it_is_named_itself(tmp_path: Path) -> None:
    touch(tmp_path, "@eaDir/a.jpg")
    assert found(tmp_path / "@eaDir") == [tmp_path / "@eaDir" / "a.jpg"]


def test_a_device_takes_and_refuses_the_same_files_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = ["a.png", "in/b.png", "in/c"]
    for name in (*pictures, ".git/d.png", "in/@eaDir/e.png", "__MACOSX/in/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(encode_image(np.zeros((4, 4, 3), np.uint8)).data)
    touch(tmp_path, "notes.txt", "Thumbs.db")
    (tmp_path / "drawing.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "in" / "raw.cr2").write_bytes(b"II*\0\x10\0\0\0CR\2\0")
    (tmp_path / "in" / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(99))
    refused: list[Path] = []
    paths = list(picture_paths([tmp_path], lambda path, _error: refused.append(path)))
    assert sorted(refused) == [tmp_path / n for n in ("drawing.svg", "in/film.mp4", "in/raw.cr2")]
    told = capsys.readouterr().err

    device = PictureFiles(tmp_path)
    assert [Path(frame.name) for frame in device] == paths == [tmp_path / n for n in pictures]
    assert device.refused == len(refused)
    lines = capsys.readouterr().err
    assert told in lines
    for path, what in zip(refused, ("SVG", "a video", "camera raw"), strict=True):
        assert f"left out: Cannot read {path}: it is {what}" in lines


def test_a_folder_that_looks_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "album.jpg/a.jpg")
    assert found(tmp_path) == [tmp_path / "album.jpg" / "a.jpg"]


def test_what_is_not_there_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert found(tmp_path / "missing.jpg") == [tmp_path / "missing.jpg"]


def test_the_first_path_comes_before_the_rest_is_looked_for(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.jpg", "two/b.jpg")
    paths = picture_paths([tmp_path], lambda _path, _error: None)
    assert next(paths) == tmp_path / "one" / "a.jpg"
    touch(tmp_path, "two/a.jpg")
    assert list(paths) == [tmp_path / "two" / "a.jpg", tmp_path / "two" / "b.jpg"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "locked/a.jpg", "open/b.jpg")
    (tmp_path / "locked").chmod(0)
    if os.access(tmp_path / "locked", os.R_OK):
        pytest.skip("needs permissions that bind")
    refused: list[Path] = []
    paths = list(picture_paths([tmp_path], lambda path, _error: refused.append(path)))
    (tmp_path / "locked").chmod(0o700)
    assert refused == [tmp_path / "locked"]
    assert paths == [tmp_path / "open" / "b.jpg"]


def test_a_folder_that_vanishes_while_others_are_looked_through_is_no_trouble(
    tmp_path: Path,
) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    refused: list[Path] = []
    found = picture_paths([tmp_path], lambda path, _: refused.append(path))
    assert next(found) == tmp_path / "a" / "1.jpg"
    shutil.rmtree(tmp_path / "b")
    assert list(found) == [tmp_path / "c" / "1.jpg"]
    assert not refused
