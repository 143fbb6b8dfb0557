"""A folder that is exported is whole or not there, and nobody loses what was in its place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.mounts import small_disk

from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.errors import ExportError
from edge_classifier.export.bundle import BUNDLE, new_bundle, write_device
from edge_classifier.export.new_folder import check_target


def _write(folder: Path, text: str) -> None:
    (folder / "spec.json").write_text(json.dumps({"format": BUNDLE_FORMAT, "text": text}))


def _write_half(folder: Path) -> None:
    _write(folder, "half")
    raise KeyboardInterrupt


def _text(folder: Path) -> str:
    return str(json.loads((folder / "spec.json").read_text())["text"])


def test_a_bundle_appears_whole(tmp_path: Path) -> None:
    with new_bundle(tmp_path / "a" / "bundle") as folder:
        _write(folder, "new")
        assert not (tmp_path / "a" / "bundle").exists()
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["bundle"]


def test_an_older_bundle_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with new_bundle(target) as folder:
        _write(folder, "first")
    with pytest.raises(KeyboardInterrupt), new_bundle(target) as folder:
        _write_half(folder)
    assert _text(target) == "first"
    with new_bundle(target) as folder:
        _write(folder, "second")
    assert _text(target) == "second"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_of_the_version_before_is_replaced_with_its_single_file(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with new_bundle(target) as folder:
        _write(folder, "before")
        (folder / "classify.py").write_text("# all in one file\n")
        (folder / "__pycache__").mkdir()
    with new_bundle(target) as folder:
        _write(folder, "now")
        write_device(folder)
    assert {p.name for p in target.iterdir()} == {"spec.json", "classify.py", "edge_device"}
    assert "edge_device" in (target / "classify.py").read_text()
    assert (target / "edge_device" / "sources" / "named.py").is_file()


def test_a_folder_with_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with (
        pytest.raises(ExportError, match="holds something else than a bundle"),
        new_bundle(tmp_path),
    ):
        pytest.fail("nothing may be written")
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_file_is_no_place_for_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="is a file"), new_bundle(tmp_path / "file"):
        pytest.fail("nothing may be written")


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(ExportError, match=r"cannot be written: "),
        new_bundle(tmp_path / "file" / "bundle"),
    ):
        pytest.fail("nothing may be written")


def test_what_somebody_put_into_a_bundle_is_there_after_the_next_export(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    for number in (1, 2):
        with new_bundle(target) as folder:
            (folder / "spec.json").write_text(json.dumps({"format": BUNDLE_FORMAT, "n": number}))
            if number == 1:
                (folder / "model-int8.tflite").write_bytes(b"old")
        if number == 1:
            (target / ".venv" / "bin").mkdir(parents=True)
            (target / ".venv" / "bin" / "python").write_text("mine")
            (target / "notes.txt").write_text("mine too")
    assert json.loads((target / "spec.json").read_text())["n"] == 2
    assert (target / ".venv" / "bin" / "python").read_text() == "mine"
    assert (target / "notes.txt").read_text() == "mine too"
    assert not (target / "model-int8.tflite").exists()


KILLED_AT_EACH_CHANGE = """
import json, os, signal, sys
from pathlib import Path
from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.export.bundle import new_bundle, write_device

def write(folder, text):
    content = json.dumps({"format": BUNDLE_FORMAT, "text": text})
    (folder / "spec.json").write_text(content)

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

left, killed, number = 0, True, 0
while killed:
    number += 1
    target = Path(sys.argv[1]) / str(number) / "bundle"
    with new_bundle(target) as folder:
        write(folder, "old")
    (target / "notes.txt").write_text("mine")
    pid = os.fork()
    if pid == 0:
        left = number
        sys.addaudithook(watch)
        with new_bundle(target) as folder:
            write(folder, "new")
        os._exit(0)
    killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
print(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="victims are forked")
def test_a_bundle_whose_replacement_was_killed_at_any_moment_is_old_new_or_brought_back(
    tmp_path: Path,
) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", KILLED_AT_EACH_CHANGE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > 5, "hardly anything was cut short"
    for place in tmp_path.iterdir():
        if (place / "bundle").exists():
            assert _text(place / "bundle") in ("old", "new")
        with new_bundle(place / "bundle") as folder:
            _write(folder, "newest")
        assert _text(place / "bundle") == "newest"
        assert (place / "bundle" / "notes.txt").read_text() == "mine"
        assert [p.name for p in place.iterdir()] == ["bundle"]
        assert not (place / "bundle" / ".lock").exists()


def test_a_bundle_that_another_program_is_writing_is_left_alone(tmp_path: Path) -> None:
    with new_bundle(tmp_path / "bundle") as first:
        _write(first, "first")
        with new_bundle(tmp_path / "bundle") as second:
            _write(second, "second")
        assert first.exists()
        assert _text(tmp_path / "bundle") == "second"
    assert _text(tmp_path / "bundle") == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


# Links, mount points and folders without a name


def export_anew(target: Path, text: str = "new") -> None:
    with new_bundle(target) as folder:
        _write(folder, text)


def refusal(target: Path) -> str:
    """What is said of a place for a bundle before anything is done."""
    with pytest.raises(ExportError) as refused:
        check_target(target, BUNDLE)
    with pytest.raises(ExportError) as refused_again, new_bundle(target):
        pytest.fail("nothing may be written")
    assert str(refused.value) == str(refused_again.value)
    return str(refused.value)


def is_replaced_behind_a_link(real: Path, link: Path) -> None:
    export_anew(real, "old")
    (real / "notes.txt").write_text("mine")
    link.symlink_to(real)
    export_anew(link)
    assert link.is_symlink()
    assert _text(real) == "new"
    assert (real / "notes.txt").read_text() == "mine"
    assert not (real / ".lock").exists()
    assert [p.name for p in real.parent.iterdir()] == [real.name]


def test_the_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    is_replaced_behind_a_link(tmp_path / "elsewhere" / "real", tmp_path / "current")
    assert {p.name for p in tmp_path.iterdir()} == {"elsewhere", "current"}


def test_also_behind_a_link_to_another_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        is_replaced_behind_a_link(disk / "real", tmp_path / "current")
    assert {p.name for p in tmp_path.iterdir()} == {"disk", "current"}


@pytest.mark.parametrize("to", ["nowhere", "current"])
def test_a_link_to_nothing_is_told(tmp_path: Path, to: str) -> None:
    link = tmp_path / "current"
    link.symlink_to(tmp_path / to)
    assert refusal(link) == (
        f"{link} is a link to nothing; remove it, or name another folder with -o."
    )
    assert [p.name for p in tmp_path.iterdir()] == ["current"]


def test_a_mount_point_cannot_be_replaced_but_a_folder_in_it_is_fine(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        assert refusal(disk) == f"{disk} is a mount point; name a folder inside it with -o."
        export_anew(disk / "bundle")
        assert _text(disk / "bundle") == "new"


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_the_folder_that_one_is_in_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert "while you are in it" in refusal(Path(name))
    assert [p.name for p in tmp_path.iterdir()] == ["inside"]
    assert not list((tmp_path / "inside").iterdir())


def test_what_cannot_be_taken_over_is_told_with_its_place_and_the_new_bundle_is_there(
    tmp_path: Path,
) -> None:
    target = tmp_path / "bundle"
    export_anew(target, "old")
    with small_disk(target / "data", 1024):  # which cannot be moved
        others = {f"mine {number}" for number in range(20)}  # in whatever order the disk lists them
        for name in others:
            (target / name).write_text("mine", encoding="utf-8")
        with pytest.raises(ExportError) as told:
            export_anew(target)
        (old,) = (p for p in tmp_path.iterdir() if p != target)
        assert str(told.value).startswith(f"{target} was written, but {old / 'data'} ")
        assert _text(target) == "new"
        assert others <= {path.name for path in target.iterdir()}
        assert not (target / ".lock").exists()
        export_anew(target, "newer")
        assert _text(target) == "newer"
        assert os.path.ismount(old / "data")
        shutil.rmtree(target)
        old.rename(target)
