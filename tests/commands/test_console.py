from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from edge_classifier.commands.cli import main
from edge_classifier.commands.console import table


@pytest.mark.parametrize("command", ["evaluate", "verify"])
@pytest.mark.parametrize("report", ["nowhere/report", ".", "file/report"])
def test_a_report_that_cannot_be_written_is_told_before_anything_else(
    command: str, report: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / report
    assert main([command, str(tmp_path / "no project"), "--report", str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"edge-classifier: Cannot write {path}: ")


def test_columns_stand_below_each_other_in_any_script() -> None:
    lines = table(["class", "n"], [["犬", "5"], ["växt", "12"], ["e\u0301", "123"]]).splitlines()
    assert {cell_len(line) for line in lines} == {10}
    assert lines[1] == "犬       5"


def test_a_name_that_looks_like_markup_is_printed_as_it_is() -> None:
    assert table(["class", "n"], [["[red] :dog:", "5"]]) == "class        n\n[red] :dog:  5\n"


def test_no_line_of_a_table_is_broken_in_a_file_or_ends_in_spaces() -> None:
    name = "x" * 300
    assert table(["class", "n"], [[name, ""]]).splitlines()[1] == name


def test_a_table_that_is_wider_than_the_terminal_is_broken_within_its_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    lines = table(["class", "pictures"], [["x" * 30, "5"]]).splitlines()
    assert max(map(len, lines)) <= 20
    assert lines[1].endswith(" 5")
    assert "".join(line.split()[0] for line in lines[1:]) == "x" * 30
