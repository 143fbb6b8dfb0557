"""What an option can be."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from edge_classifier.device.option_types import OneLineParser, number, whole_number

ODD = (
    *("", " ", "-1", "-0", "+1", "²", "٣", "½", "nan", "inf", "1e400", "0x1", "1_0", "1,0"),
    "9" * 5000,
)


@pytest.mark.parametrize("text", [*ODD, "1.5", "1e1", "101"])
def test_a_whole_number_is_plain_digits_within_its_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 100, received"):
        whole_number(0, 100)(text)


@pytest.mark.parametrize(("text", "meant"), [("0", 0), ("007", 7), ("100", 100)])
def test_a_whole_number_may_have_zeros_before_it(text: str, meant: int) -> None:
    assert whole_number(0, 100)(text) == meant


@pytest.mark.parametrize("text", [*ODD, ".", "e1", "1e", "100.1", "1e-400000"])
def test_a_number_is_a_plain_one_within_its_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 100, received"):
        number(0, 100)(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("0", 0.0), (".5", 0.5), ("5.", 5.0), ("1e-4", 1e-4), ("1E2", 100.0)]
)
def test_a_number_is_written_as_people_do(text: str, meant: float) -> None:
    assert number(0, 100)(text) == meant


@pytest.mark.parametrize("words", [["--at="], ["--at=--"], ["--at", "a" * 300], ["--at", "loop"]])
def test_what_can_be_no_path_is_told_in_one_line(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    parser = OneLineParser(prog="x")
    parser.add_argument("--at", type=Path)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(words)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("x: argument --at: ")
    assert len(line) < 200
    assert parser.parse_args(["--at", "nowhere"]).at == Path("nowhere")


def test_no_value_is_passed_over_where_an_option_may_be_given_several_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = OneLineParser("prog")
    parser.add_argument("--pin", action="append")
    with pytest.raises(SystemExit):
        parser.parse_args(["--pin=mug=1", "--pin=--"])
    assert capsys.readouterr().err.startswith("prog: argument --pin: expected a value;")
