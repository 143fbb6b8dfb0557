from __future__ import annotations

import io
import subprocess
import sys

import pytest
from support.fakes import FakeClock

from edge_classifier.progress import ProgressMeter


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


def test_progress_is_drawn_over_itself_and_wiped_at_the_end(terminal: Terminal) -> None:
    clock = FakeClock()
    with ProgressMeter("looking", terminal, clock) as progress:
        clock.advance(1)
        progress(0.0)
        clock.advance(1)
        progress(0.5, "training")
        drawn = terminal.getvalue()
    assert "50%" in drawn
    assert "training" in drawn
    assert "\n" not in drawn
    assert terminal.getvalue().endswith("\x1b[2K"), "the line is erased"
    assert "\x1b[?25l" not in terminal.getvalue(), "the cursor, which a kill would leave hidden"


def test_progress_is_drawn_ten_times_a_second_at_most(terminal: Terminal) -> None:
    clock = FakeClock()
    progress = ProgressMeter("looking", terminal, clock)
    for _ in range(1000):
        progress(0.5)
        clock.advance(0.001)
    assert terminal.getvalue().count("50%") <= 11
    progress.close()
    progress.close()


def test_a_text_that_counts_moves_no_bar_back_and_hides_no_time(terminal: Terminal) -> None:
    clock = FakeClock()
    with ProgressMeter("adding", terminal, clock) as progress:
        for number in range(1, 301):
            clock.advance(0.05)
            progress(number / 400, f"adding, {number} done")
    assert terminal.getvalue().count(" 0%") == 0
    assert terminal.getvalue().count("\r") <= 2 * 15 / 0.1
    assert "0:00:06" in terminal.getvalue()


def test_the_time_that_is_left_is_shown(terminal: Terminal) -> None:
    clock = FakeClock()
    with ProgressMeter("looking", terminal, clock) as progress:
        for percent in range(0, 50, 10):
            clock.advance(6)
            progress(percent / 100)
    assert "0:00:36" in terminal.getvalue()


def test_what_is_done_is_shown_as_it_is_called_and_steers_nothing(terminal: Terminal) -> None:
    clock = FakeClock()
    with ProgressMeter("[red] :dog: \x1b[2J", terminal, clock) as progress:
        clock.advance(1)
        progress(0.1)
    assert "[red] :dog: \\x1b[2J" in terminal.getvalue()


def test_short_work_draws_nothing(terminal: Terminal) -> None:
    with ProgressMeter("looking", terminal, FakeClock()) as progress:
        progress(0.5)
    assert terminal.getvalue() == ""


def test_a_log_gets_a_line_now_and_then_about_long_work() -> None:
    log, clock = io.StringIO(), FakeClock()
    with ProgressMeter("looking", log, clock) as progress:
        for second in range(70):
            progress(second / 100, "training" if second > 50 else None)
            clock.advance(1)
    assert log.getvalue().splitlines() == [
        "looking: 5%, about 95 s left",
        "looking: 35%, about 65 s left",
        "training: 65%, about 35 s left",
    ]


def test_a_log_gets_nothing_about_short_work() -> None:
    log = io.StringIO()
    with ProgressMeter("looking", log, FakeClock()) as progress:
        progress(0.5)
    assert log.getvalue() == ""


def test_no_bar_is_imported_where_none_is_drawn() -> None:
    program = """
import sys
from edge_classifier.progress import ProgressMeter
with ProgressMeter("looking") as progress:
    progress(0.5)
sys.exit("rich" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own interpreter
    assert done.returncode == 0, done.stderr
