"""Ten minutes of recording without a stop, and a machine that sleeps in the middle of a burst."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.live_session import FRAME_S, LiveSession

from edge_classifier.project.store import ProjectStore


def _resident_bytes() -> int:
    import resource  # noqa: PLC0415 - not there on Windows

    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _hold(live: LiveSession, minutes: float) -> float:
    """Hold a key, and give the median seconds of processor time that a step takes."""
    steps = []
    for n in range(round(minutes * 60 / FRAME_S)):
        started = time.thread_time()
        live.frame("1" if n == 0 or n * FRAME_S >= 0.66 else None)
        steps.append(time.thread_time() - started)
    return float(np.median(steps))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of Linux")
def test_ten_minutes_of_recording_lose_nothing_and_become_no_slower(tmp_path: Path) -> None:
    live = LiveSession(ProjectStore.create(tmp_path / "p", ["mug", "phone"]))
    first = _hold(live, 1)
    before, recorded = _resident_bytes(), live.counts[0]
    _hold(live, 8)
    last = _hold(live, 1)
    samples = live.counts[0]
    assert samples >= 0.99 * 600 * 15
    assert last < 1.5 * first
    assert _resident_bytes() - before < 4_000 * (samples - recorded)
    live.close()
    assert len(list((tmp_path / "p" / "samples" / "mug").iterdir())) == samples


@pytest.mark.parametrize("asleep_s", [0.5, 3.0, 3600.0, 30 * 86400.0])
def test_a_machine_that_sleeps_in_the_middle_of_a_burst_keeps_what_was_shown_and_goes_on(
    tmp_path: Path, asleep_s: float
) -> None:
    live = LiveSession(ProjectStore.create(tmp_path / "p", ["mug", "phone"]))
    for key in ("1", "2", "1"):
        live.thing = int(key)
        for n in range(60):
            live.frame(key if n == 0 or n * FRAME_S >= 0.66 else None)
        shown = list(live.counts)
        live.clock.advance(asleep_s)
        live.frame()
        assert live.counts >= shown
        live.wait(1.0)
    counts = live.counts
    assert min(counts) > 15
    live.close()
    on_disk = [len(list((tmp_path / "p" / "samples" / n).iterdir())) for n in ("mug", "phone")]
    assert on_disk == counts
