"""What the README of a bundle tells an operator to type is what `classify.py` understands."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_classifier.device.bundle import SCORE_TOLERANCE
from edge_classifier.device.cli import add_arguments
from edge_classifier.device.console import one_line
from edge_classifier.export.bundle import write_texts

HOSTILE = ["sp ace", "it's", '"', "$(reboot)", "%h", "-rf", "{classes}", "a\nreboot", "\x1b[2J"]


def written(folder: Path, name: str, class_names: Sequence[str]) -> str:
    """Write the texts of a bundle, and read what the README says."""
    write_texts(folder, name=name, class_names=class_names)
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def readme(tmp_path: Path) -> str:
    return written(tmp_path, "mugs", ("mug", "phone"))


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser


def test_nothing_is_left_to_be_filled_in(readme: str) -> None:
    assert set(re.findall(r"\{[a-z]+\}", readme)) <= {"{label}", "{region}", "{score}"}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_in_what_an_operator_copies_into_a_shell_or_a_service(
    tmp_path: Path, readme: str, name: str
) -> None:
    told = written(tmp_path, name, (name, "{name}"))
    first, rest = told.split("\n", 1)
    assert first == f"# {one_line(name)}"
    assert rest.replace(f"{name}, {{name}}", "mug, phone") == readme.split("\n", 1)[1]


def test_every_option_in_it_is_one(readme: str, parser: argparse.ArgumentParser) -> None:
    named = set(re.findall(r"`(--[a-z-]+)", readme)) - {"--system-site-packages"}
    assert len(named) > 10
    assert named <= set(re.findall(r"--[a-z-]+", parser.format_help()))


def test_the_service_starts_what_there_is_and_ends_as_it_expects(
    readme: str, parser: argparse.ArgumentParser
) -> None:
    unit = dict(line.split("=", 1) for line in readme.splitlines() if re.match(r"[A-Z]\w+=", line))
    words = shlex.split(unit["ExecStart"])
    options = parser.parse_args(words[words.index("classify.py") + 1 :])
    assert (options.source, options.no_window, options.changes) == ("0", True, True)
    assert not options.quiet
    assert unit["Wants"] == unit["After"] == "network-online.target"
    assert unit["SuccessExitStatus"] == "143"


def test_each_format_has_its_oldest_runtimes(readme: str) -> None:
    for model_format in SCORE_TOLERANCE:
        assert re.search(rf"^\| {model_format} \| from 1\.[0-9.]+ on \|", readme, re.MULTILINE)
