"""Ten minutes of recording without a stop, and a machine that sleeps in the middle of a burst."""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.live_session import FRAME_S, LiveSession

from edge_classifier.live.display import Press
from edge_classifier.project.store import ProjectStore


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of Linux")
def test_ten_minutes_of_recording_lose_nothing_and_become_no_slower(tmp_path: Path) -> None:
    live = LiveSession(ProjectStore.create(tmp_path / "p", ["mug", "phone"]))
    minute = round(60 / FRAME_S)
    steps: list[float] = []
    memory: list[tuple[int, int]] = []
    for n in range(10 * minute):
        started = time.thread_time()
        live.frame(Press("1") if n == 0 else None)
        steps.append(time.thread_time() - started)
        if n in (minute, 10 * minute - 1):
            memory.append((_resident_bytes(), live.counts[0]))
    (before, first), (after, last) = memory
    assert last >= 0.99 * 600 * 15
    assert np.median(steps[-minute:]) < 1.5 * np.median(steps[minute : 2 * minute])
    assert after - before < 4_000 * (last - first)
    live.close()
    assert len(list((tmp_path / "p" / "samples" / "mug").iterdir())) == last


@pytest.mark.parametrize("asleep_s", [0.5, 3.0, 3600.0, 30 * 86400.0])
def test_a_machine_that_sleeps_in_the_middle_of_a_burst_keeps_what_was_shown_and_goes_on(
    tmp_path: Path, asleep_s: float
) -> None:
    live = LiveSession(ProjectStore.create(tmp_path / "p", ["mug", "phone"]))
    for key in ("1", "2", "1"):
        live.thing = int(key)
        for n in range(60):
            live.frame(Press(key) if n == 0 else None)
        shown = list(live.counts)
        live.clock.advance(asleep_s)
        live.frame()
        assert live.counts >= shown
        live.let_go(key)
        live.wait(1.0)
    counts = live.counts
    assert min(counts) > 15
    live.close()
    on_disk = [len(list((tmp_path / "p" / "samples" / n).iterdir())) for n in ("mug", "phone")]
    assert on_disk == counts
