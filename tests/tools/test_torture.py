"""The real program, killed a few times; `tools/endurance/torture.py` does it 300 times.

`tests/project/test_store_kill.py` kills a project's writer in every run of the tests; this takes
minutes.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from endurance import torture
from endurance.journal import Acknowledged

KILLED_AT = ("capture", "rename", "import", "remove", "train", "undo", "save")
"""Not at an export, which takes as long as all of these."""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="victims are forked")
def test_the_live_program_loses_nothing_when_it_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torturer = torture.Torturer(tmp_path / "work", seed=1)
    try:
        for operation in KILLED_AT:
            torturer.kill_once(operation)
    finally:
        torturer.close()
    assert torturer.tally.findings == []
    assert sum(torturer.tally.under_way.values()) >= len(KILLED_AT) // 2, capsys.readouterr().out
    assert torturer.examiner.features_checked > 0


def test_a_sample_that_is_lost_would_be_found(tmp_path: Path) -> None:
    torturer = torture.Torturer(tmp_path / "work", seed=1)
    torturer.kill_once("capture")
    torturer.close()
    known = torturer._known
    samples = sorted((tmp_path / "work").glob("0000/project/samples/*/*.jpg"))
    samples[0].unlink()
    samples[1].write_bytes(samples[2].read_bytes())
    (tmp_path / "work" / "0000" / "project" / ".tmp-1").mkdir()  # is not swept up
    _, problems = torturer.examiner.examine(
        tmp_path / "work" / "0000" / "project", Acknowledged(known)
    )
    assert f"{2} acknowledged samples are lost" in problems
    assert any("left over" in problem for problem in problems)
