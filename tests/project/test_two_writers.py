"""One program writes, whatever others do to the lock file and the folder; no picture is lost."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.lost_projects import (
    LOST,
    capture,
    contents,
    hash_of,
    numbered_picture,
    pictures,
    two_classes,
    use_in_every_way,
)

from edge_classifier.commands.cli import main
from edge_classifier.errors import ProjectError, ProjectLockedError
from edge_classifier.project.files import write_new
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows neither deletes nor moves a file that is open"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a project with one sample in each of two classes."""
    return two_classes(tmp_path / "project")


def test_a_lock_file_that_was_deleted_is_made_again_and_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ProjectStore.open(path) as store:
        (path / ".lock").unlink()
        capture(store, "mug", 3, 4)
        (path / ".lock").unlink()
        capture(store, "phone", 5)
        with pytest.raises(ProjectLockedError):
            ProjectStore.open(path)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert ".lock; it is made again" in caplog.text
    with ProjectStore.open(path) as again:
        assert len(again.samples()) == 5


def test_of_two_that_have_a_project_open_the_first_is_told_and_its_picture_kept(path: Path) -> None:
    with ProjectStore.open(path) as first:
        (path / ".lock").unlink()
        with ProjectStore.open(path) as second:
            capture(second, "mug", 10, 11)
            with pytest.raises(ProjectError, match=f"lock file was replaced.*{path}-rescued"):
                capture(first, "mug", 12)
            assert first.lost
            with pytest.raises(ProjectError, match="The picture was kept"):
                capture(first, "phone", 13)
            capture(second, "phone", 14)
            before = contents(path)
            use_in_every_way(first)
            assert contents(path) == before
    assert {hash_of(n) for n in (10, 11, 14)} <= pictures(path)
    rescued = Path(f"{path}-rescued")
    assert pictures(rescued / "mug") == {hash_of(12)}
    assert pictures(rescued / "phone") == {hash_of(13)}
    assert main(["add", str(path), str(rescued)]) == 0
    assert {hash_of(n) for n in range(10, 15)} <= pictures(path / "samples")


def test_who_takes_the_lock_file_again_goes_on_after_the_bursts_of_who_had_it_meanwhile(
    path: Path,
) -> None:
    with ProjectStore.open(path) as first:
        given = first.next_burst_id()
        (path / ".lock").unlink()
        second = ProjectStore.open(path)
        capture(second, "mug", 10)
        (path / ".lock").unlink()
        sample = first.add_sample(encode_image(numbered_picture(11)), "phone", given)
        assert first.add_sample(encode_image(numbered_picture(12)), "phone", given).burst_id == (
            sample.burst_id
        )
        with pytest.raises(ProjectError, match=LOST):
            capture(second, "mug", 13)
        second.close()
    with ProjectStore.open(path) as again:
        bursts = {s.burst_id: s.class_name for s in again.samples()}
        assert bursts == {
            "b0000001": "mug",
            "b0000002": "phone",
            "b0000003": "mug",
            "b0000004": "phone",
        }


def test_a_name_that_another_program_took_is_left_alone_and_another_burst_begun(path: Path) -> None:
    with ProjectStore.open(path) as store:
        burst_id = store.next_burst_id()
        theirs = path / "samples" / "mug" / f"{burst_id}-0000.jpg"
        write_new(theirs, encode_image(numbered_picture(10)).data)
        first = store.add_sample(encode_image(numbered_picture(11)), "mug", burst_id)
        write_new(first.path.with_name("b0000004-0001.jpg"), b"theirs")
        second = store.add_sample(encode_image(numbered_picture(12)), "mug", burst_id)
        assert first.path.name == "b0000004-0000.jpg"
        assert second.path.name == "b0000004-0002.jpg"
        assert first.burst_id == second.burst_id
        assert store.next_burst_id() == "b0000005"
    assert {hash_of(n) for n in (10, 11, 12)} <= pictures(path)


def test_a_lock_file_of_another_user_lets_the_project_be_read_and_says_why(path: Path) -> None:
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    place = Path("/tmp") / f"shared-{os.getpid()}"  # noqa: S108 - where another user may look, too
    shutil.copytree(path, place)
    try:
        for each in (place, *place.rglob("*")):
            each.chmod(0o777)
        (place / ".lock").chmod(0o644)
        program = """
import os, sys
from pathlib import Path
from edge_classifier.errors import ProjectError
from edge_classifier.project.store import ProjectStore
os.setgid(65534); os.setuid(65534)
store = ProjectStore.open_as_possible(Path(sys.argv[1]))
print(store.read_only, store.why_read_only, len(store.samples()))
try:
    ProjectStore.open(Path(sys.argv[1]))
except ProjectError as error:
    print(type(error).__name__, error)
"""
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", program, str(place)], capture_output=True, text=True, check=True
        )
    finally:
        shutil.rmtree(place)
    opened, refused = done.stdout.splitlines()
    assert opened == "True its lock file belongs to another user 2"
    assert refused == (
        f"ProjectLockedError {place}/.lock belongs to another user and cannot be written; let that "
        "user open the project, or delete the file."
    )


# Two programs at once

WRITER = """
import os, sys, time
from pathlib import Path
import numpy as np
from edge_classifier.errors import ProjectError
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

path, seed, wanted = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
pixels = np.random.default_rng(seed)
done = 0
while done < wanted:
    with ProjectStore.open_as_possible(path) as store:
        while not store.read_only and done < wanted:
            burst = store.next_burst_id()
            for _ in range(5):
                encoded = encode_image(pixels.integers(0, 256, (24, 32, 3), dtype=np.uint8))
                try:
                    burst_of = store.add_sample(encoded, "mug", burst).burst_id
                except ProjectError as error:
                    assert "The picture was kept" in str(error), error
                    burst_of = "kept"
                done += 1
                print(encoded.sha256, burst_of, flush=True)
                if store.read_only:
                    break
"""


@pytest.mark.parametrize("captures", [200, pytest.param(1000, marks=pytest.mark.long)])
def test_no_picture_of_two_programs_is_lost_while_a_third_deletes_the_lock_file(
    path: Path, captures: int
) -> None:
    writers = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                WRITER,
                str(path),
                str(seed),
                str(captures // 2),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    deletions = 0
    while any(writer.poll() is None for writer in writers):
        time.sleep(0.003)
        try:
            (path / ".lock").unlink()
            deletions += 1
        except FileNotFoundError:
            pass
    told: list[dict[str, str]] = []
    for writer in writers:
        output, complaint = writer.communicate()
        assert writer.returncode == 0, complaint
        told.append(dict(line.split() for line in output.splitlines()))
    assert deletions > 10
    assert all(len(lines) >= captures // 2 for lines in told)
    assert told[0].keys() | told[1].keys() <= pictures(path, Path(f"{path}-rescued"))
    bursts = [set(lines.values()) - {"kept"} for lines in told]
    assert all(bursts)
    assert not bursts[0] & bursts[1]
    with ProjectStore.open(path) as again:
        stored = {s.image_sha256: s.burst_id for s in again.samples()}
    for lines in told:
        for digest, burst_id in lines.items():
            assert burst_id == "kept" or stored[digest] == burst_id
