"""Which projects are offered to go on with."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from edge_classifier.project.known import known_projects, remember_opened, those_there
from edge_classifier.project.store import ProjectStore


def project(path: Path, *classes: str, changed_s: float = 1e9) -> Path:
    ProjectStore.create(path, classes).close()
    os.utime(path / "project.json", (changed_s, changed_s))
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    return tmp_path / "data" / "opened.json"


def test_projects_made_here_and_those_opened_elsewhere_are_known_the_newest_first(
    tmp_path: Path, opened: Path
) -> None:
    project(tmp_path / "projects" / "old", "mug", changed_s=1e9)
    project(tmp_path / "projects" / "newer", "mug", "phone", changed_s=3e9)
    elsewhere = project(tmp_path / "elsewhere", "leaf", changed_s=2e9)
    remember_opened(elsewhere, opened)
    remember_opened(tmp_path / "projects" / "old", opened)
    known = known_projects(tmp_path, opened)
    assert [each.name for each in known] == ["newer", "elsewhere", "old"]
    assert [each.classes for each in known] == [2, 1, 1]


def test_a_picture_that_was_added_later_counts_as_a_change(tmp_path: Path, opened: Path) -> None:
    for number, name in enumerate(("first", "second")):
        project(tmp_path / "projects" / name, "mug", changed_s=1e9 + number)
    folder = tmp_path / "projects" / "first" / "samples" / "mug"
    folder.mkdir(parents=True)
    os.utime(folder, (2e9, 2e9))
    assert [each.name for each in known_projects(tmp_path, opened)] == ["first", "second"]


def test_what_has_gone_is_empty_or_cannot_be_read_is_left_out(tmp_path: Path, opened: Path) -> None:
    kept = project(tmp_path / "kept", "mug")
    damaged = project(tmp_path / "damaged", "mug")
    (damaged / "project.json").write_text("{")
    empty = project(tmp_path / "empty")
    for path in (kept, damaged, empty, tmp_path / "gone"):
        remember_opened(path, opened)
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "notes.txt").write_text("mine")
    assert [each.path for each in known_projects(tmp_path, opened)] == [kept]


def test_a_disk_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    answer = threading.Event()
    paths = [tmp_path / name for name in ("here", "on a server", "gone", "here too")]

    def is_there(path: Path) -> bool:
        if path.name == "on a server":
            answer.wait()
        return path.name != "gone"

    assert those_there(paths, is_there, patience_s=0.2) == [paths[0], paths[3]]
    answer.set()
    assert those_there(paths, is_there, patience_s=30) == [paths[0], paths[1], paths[3]]


def test_five_are_offered_and_each_once(tmp_path: Path, opened: Path) -> None:
    for number in range(7):
        path = project(tmp_path / "projects" / f"p{number}", "mug", changed_s=1e9 + number)
        remember_opened(path, opened)
    names = [each.name for each in known_projects(tmp_path, opened)]
    assert names == ["p6", "p5", "p4", "p3", "p2"]


@pytest.mark.parametrize("content", ["", "{", "[1, null]", '["\\u0000"]', '{"a": 1}', "[" * 9999])
def test_a_damaged_list_is_no_list(tmp_path: Path, opened: Path, content: str) -> None:
    opened.parent.mkdir()
    opened.write_text(content)
    assert known_projects(tmp_path, opened) == []
    path = project(tmp_path / "p", "mug")
    remember_opened(path, opened)
    assert [each.path for each in known_projects(tmp_path, opened)] == [path]


def test_a_list_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember_opened(tmp_path / "p", tmp_path / "file" / "opened.json")
    assert known_projects(tmp_path, tmp_path / "file" / "opened.json") == []


def test_the_list_stays_short_and_names_of_any_bytes_are_kept(tmp_path: Path, opened: Path) -> None:
    for number in range(30):
        remember_opened(tmp_path / f"p{number}", opened)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    remember_opened(odd, opened)
    paths = json.loads(opened.read_text())
    assert len(paths) == 20
    assert Path(paths[0]) == odd
