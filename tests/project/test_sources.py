"""What became of pictures without labels is known the next time, whatever else is in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.mounts import named_pipe

from edge_classifier.errors import ProjectError
from edge_classifier.project.folder import SOURCES
from edge_classifier.project.sources import answered_before, note_answers

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_answer_counts(tmp_path: Path) -> None:
    assert answered_before(tmp_path) == {}
    note_answers(tmp_path, [("a.jpg", "aa"), ("b.jpg", "bb"), ("c.jpg", "cc")])
    note_answers(tmp_path, [("a.jpg", "aa")], "")
    note_answers(tmp_path, [("b.jpg", "bb")], "b0000001-0000.jpg")
    assert answered_before(tmp_path) == {"aa": "", "bb": "b0000001-0000.jpg", "cc": None}


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 3000, b'{"sha256": 7}', b'{"sample": "x"}'],
)
def test_lines_that_say_nothing_are_passed_over(tmp_path: Path, line: bytes) -> None:
    (tmp_path / SOURCES).write_bytes(line + b"\n")
    note_answers(tmp_path, [("a.jpg", "aa")])
    assert answered_before(tmp_path) == {"aa": None}


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    named_pipe(tmp_path / SOURCES)
    assert answered_before(tmp_path) == {}


def test_what_cannot_be_noted_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Cannot write"):
        note_answers(tmp_path / "gone", [("a.jpg", "aa")])
