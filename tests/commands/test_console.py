from __future__ import annotations

import io

import pytest
from support.fakes import FakeClock

from edge_classifier.commands.console import ProgressLine, display_width, table


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_columns_stand_below_each_other_in_any_script() -> None:
    lines = table(["class", "n"], [["犬", "5"], ["växt", "12"]]).splitlines()
    assert {display_width(line) for line in lines} == {9}
    assert lines[1] == "犬      5"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("犬", 2), ("e\u0301", 1)])
def test_width_counts_cells(text: str, width: int) -> None:
    assert display_width(text) == width


def test_progress_is_drawn_over_itself_and_wiped_at_the_end() -> None:
    terminal, clock = Terminal(), FakeClock()
    with ProgressLine("looking", terminal, clock) as progress:
        progress(0.0)
        clock.advance(1)
        progress(0.5, "training")
    text = terminal.getvalue()
    assert "50%  training" in text
    assert "\n" not in text
    assert text.endswith("\r")
    assert text.split("\r")[-2].strip() == ""


def test_progress_is_drawn_ten_times_a_second_at_most() -> None:
    terminal, clock = Terminal(), FakeClock()
    progress = ProgressLine("looking", terminal, clock)
    for _ in range(1000):
        progress(0.5)
        clock.advance(0.001)
    assert terminal.getvalue().count("50%") <= 11


def test_a_log_gets_no_progress() -> None:
    log = io.StringIO()
    with ProgressLine("looking", log) as progress:
        progress(0.5)
    assert log.getvalue() == ""
