"""Whatever is typed: an answer, or one line that says what is wrong; never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest
from odd_command_lines import Outcome, fault_of, make_template, odd_lines, outcomes
from support import exported_project

from edge_classifier.commands.cli import COMMANDS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks a process for each line")

OF_EACH = 5
SEED = 0
"""Another one tries other lines: `python tools odd_command_lines --seed 1`, of all options."""
OF_EACH_AT_LENGTH = 20


@pytest.fixture(scope="module")
def template(taught_project: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    cv2.imwrite(str(folder / "photo.png"), exported_project.picture(0, 50))
    return make_template(folder / "template", taught_project, bundle, folder / "photo.png")


def faults(found: list[Outcome]) -> list[str]:
    return [f"{fault}: {one}"[:1500] for one in found if (fault := fault_of(one))]


def test_some_odd_command_lines_of_every_command_are_answered_or_told(template: Path) -> None:
    lines = [line for name in COMMANDS for line in odd_lines(name, SEED)[:OF_EACH]]
    assert len(set(lines)) == OF_EACH * len(COMMANDS)
    assert faults(outcomes(template, lines)) == []


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_more_of_them_are_answered_or_told(template: Path, command: str) -> None:
    lines = odd_lines(command, SEED)[OF_EACH : OF_EACH + OF_EACH_AT_LENGTH]
    assert faults(outcomes(template, lines)) == []
