"""What the README of a bundle tells an operator to type is what `classify.py` understands."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from edge_classifier.device.bundle import SCORE_TOLERANCE
from edge_classifier.device.cli import add_arguments
from edge_classifier.export.bundle import write_texts


@pytest.fixture
def readme(tmp_path: Path) -> str:
    write_texts(tmp_path, name="mugs-bundle", class_names=("mug", "phone"))
    return (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser


def test_nothing_is_left_to_be_filled_in(readme: str) -> None:
    assert set(re.findall(r"\{[a-z]+\}", readme)) <= {"{label}", "{score}"}


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
