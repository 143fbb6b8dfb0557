from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.mounts import named_pipe

from edge_classifier.device.files import read_regular
from edge_classifier.errors import ProjectError
from edge_classifier.project.copying import copy_tree
from edge_classifier.project.files import FileLock, atomic_file, reported, write_atomic, write_new

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(
    tmp_path: Path, *, durable: bool
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old", durable=durable)
    write_atomic(path, b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def interrupted() -> None:
        with atomic_file(path) as file:
            file.write(b"half of the new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_is_told_in_one_line_with_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(ProjectError, match=r"Cannot write .*full.*free some space"),
        reported("write", tmp_path),
        open("/dev/full", "wb", buffering=0) as full,  # noqa: PTH123
    ):
        full.write(b"x")


def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    named_pipe(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(tmp_path / "pipe", 100)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger"):
        read_regular(tmp_path / "huge", 100)


def test_a_copy_has_files_and_folders_but_no_links_and_no_unfinished_writes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "file").write_text("x")
    (source / "a" / ".tmp-1").write_text("half")
    (source / "left out").mkdir()
    (source / "link").symlink_to("/")
    copy_tree(source, tmp_path / "target", {source / "left out"}.__contains__)
    found = sorted(str(p.relative_to(tmp_path / "target")) for p in tmp_path.glob("target/**/*"))
    assert found == ["a", "a/b", "a/b/file"]


def test_a_lock_is_held_by_one_and_free_when_its_owner_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time; from edge_classifier.project.files import FileLock;"
        "print(FileLock(pathlib.Path(sys.argv[1])).acquire(), flush=True); sys.stdin.read()"
    )
    # the lock object has to stay alive in the child: its descriptor is closed by no one else
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().strip() == b"True"
        lock = FileLock(tmp_path / "lock")
        assert not lock.acquire()
        owner.kill()
        owner.wait()
    assert lock.acquire()
    lock.release()
    lock.release()


def test_a_new_file_is_whole_or_not_there_and_never_takes_the_place_of_another(
    tmp_path: Path,
) -> None:
    path = tmp_path / "picture"
    write_new(path, b"ours")
    for durable in (False, True):
        with pytest.raises(FileExistsError):
            write_new(path, b"theirs", durable=durable)
    with pytest.raises(FileNotFoundError):
        write_new(tmp_path / "gone" / "picture", b"x")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "link", b"x")
    assert path.read_bytes() == b"ours"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "picture"]


WITHOUT_LINKS = """
import errno, sys
from pathlib import Path
from edge_classifier.project.files import write_new

def refuse(event, arguments):
    if event == "os.link":
        raise PermissionError(errno.EPERM, "as on a memory card")

sys.addaudithook(refuse)
for content in (b"ours", b"theirs"):
    try:
        write_new(Path(sys.argv[1]) / "picture", content)
    except FileExistsError:
        print("taken")
"""


def test_a_disk_without_hard_links_holds_the_same(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", WITHOUT_LINKS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "taken\n"
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("picture", b"ours")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no file that is open")
def test_a_lock_knows_when_its_file_is_no_longer_the_one_that_others_find(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert first.is_there()
    (tmp_path / "lock").unlink()
    assert not first.is_there()
    assert second.acquire(new=True)
    assert second.is_there()
    assert not first.is_there()
    with pytest.raises(FileExistsError):
        FileLock(tmp_path / "lock").acquire(new=True)
    first.release()
    second.release()
    assert not second.is_there()


FLUSHED = """
import os, sys
from pathlib import Path
from edge_classifier.project.store import ProjectStore

def note(event, arguments):
    if event == "open" and os.path.isdir(arguments[0]):
        print(Path(arguments[0]).resolve().relative_to(Path(sys.argv[1]).resolve()))

sys.addaudithook(note)
ProjectStore.create(Path(sys.argv[1]) / "a" / "project").close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows flushes folders by itself")
def test_a_new_project_is_flushed_with_every_folder_that_was_made_for_it(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", FLUSHED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert {".", "a", "a/project"} <= set(done.stdout.split())
