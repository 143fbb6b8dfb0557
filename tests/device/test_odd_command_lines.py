"""Whatever is typed: an answer, or one line that says what is wrong; never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from support import exported_project
from support.command_lines import Outcome, odd_lines, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_S = 12.0
"""The deadline of a command or a webhook, and what there is beside."""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), exported_project.picture(0, 50))
    return path


def faults(found: Sequence[Outcome]) -> list[str]:
    return [f"{fault}: {one}"[:1500] for one in found if (fault := fault_of(one))]


def fault_of(one: Outcome) -> str:
    """Say what is wrong with how a command line ended, if anything is."""
    ours = [line for line in one.told if line.startswith("classify: ")]
    if any(word in line for line in one.told for word in ("Traceback", "Exception", "FATAL")):
        return "a traceback"
    if one.status not in (0, 1, 2, 3):
        return f"status {one.status}"
    if one.status in (1, 2) and (len(ours) != 1 or one.printed):
        return "not told in one line"
    if one.status in (0, 3) and ours:
        return "told, but not in the exit status"
    if any(len(line) > 2500 for line in one.told):
        return "a line that nobody would read"
    return "it takes long" if one.seconds > LONG_S else ""


@pytest.mark.skipif(sys.platform != "linux", reason="forks a process for each line")
def test_odd_values_of_some_options_are_answered_or_told(copy: Path, picture: Path) -> None:
    lines = odd_lines(picture)[:60]
    assert faults(outcomes(copy, lines, picture.parent)) == []


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="forks a process for each line")
def test_odd_values_of_every_option_are_answered_or_told(copy: Path, picture: Path) -> None:
    lines = odd_lines(picture)
    assert len(lines) >= 500
    assert faults(outcomes(copy, lines, picture.parent)) == []
