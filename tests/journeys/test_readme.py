"""What the README says is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from edge_classifier.commands.cli import COMMANDS, command_parser
from edge_classifier.features.catalogue import NAMES
from edge_classifier.live.controls import HELP

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_key_table_is_the_help_in_the_window() -> None:
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", README.split("## In the window")[1], re.MULTILINE)
    table = [(key.replace("`", ""), meaning) for key, meaning in rows][: len(HELP)]
    assert table == [(" ".join(key.split()), meaning) for key, meaning in HELP]


def test_there_are_exactly_two_set_up_commands() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) == 2
    assert commands[0].endswith("edge-classifier live")
    assert "pytest" in commands[1]


def test_every_backbone_is_in_the_table() -> None:
    table = README.split("## Backbones")[1].split("\n\n")[1]
    assert all(f"`{name}`" in table for name in NAMES)


SHOWN = re.findall(r"^\$ edge-classifier (.+?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_shown_is_one_that_can_be_given(line: str) -> None:
    name, *words = shlex.split(line)
    assert name in COMMANDS
    command_parser(name).parse_args(words)


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
