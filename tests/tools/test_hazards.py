"""What disks do while pictures are captured costs none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from endurance.disks import CannotMountError
from endurance.hazards import HAZARDS


@pytest.mark.parametrize("hazard", ["read-only", "full", "fat", "no-locks", "power-cut"])
def test_no_picture_is_lost_and_each_that_cannot_be_stored_is_refused_in_one_line(
    hazard: str, tmp_path: Path
) -> None:
    try:
        outcome = HAZARDS[hazard](tmp_path, 40, 7)
    except CannotMountError as error:
        pytest.skip(str(error))
    assert outcome.said["stored"] > 20
    assert outcome.lost == 0
    assert outcome.problems == []


@pytest.mark.long
def test_no_picture_is_lost_while_wall_clocks_jump_and_the_program_is_stopped(
    tmp_path: Path,
) -> None:
    try:
        outcome = HAZARDS["clock"](tmp_path, 60, 7)
    except CannotMountError as error:
        pytest.skip(str(error))
    assert outcome.lost == 0
    assert outcome.problems == []
