"""What the README and the pages behind it say is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from edge_classifier.commands.cli import COMMANDS, command_parser
from edge_classifier.features.catalogue import NAMES
from edge_classifier.live.controls import HELP

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
TEXT = TEXTS[README.name]
PICTURES = {".gif", ".jpg", ".png", ".svg", ".webp"}
MOST_BYTES = 3_000_000


def rows(text: str) -> list[list[str]]:
    """Give the cells of all rows of a page's tables."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if line.startswith("| ") and line.endswith("|")
    ]


OF_WINDOW = [(" ".join(key.split()), meaning) for key, meaning, _ in HELP]


def key_table(text: str) -> list[tuple[str, str]]:
    """Give the keys of a page's first table of keys, with what they do."""
    table = text.partition("| key |")[2].partition("\n\n")[0]
    return [(row[0].replace("`", ""), row[1]) for row in rows(table) if len(row) == 2]


def test_a_table_of_all_keys_is_the_help_in_the_window() -> None:
    assert OF_WINDOW in [key_table(text) for text in TEXTS.values()]


def test_the_readme_tells_of_the_keys_of_the_beginning_as_the_window_does() -> None:
    table = key_table(TEXT)
    assert table == [pair for pair in OF_WINDOW if pair in table]
    assert {"1 … 9", "H", "Q"} <= {key for key, _ in table}  # H shows the others


def test_there_are_exactly_two_set_up_commands() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) == 2
    assert commands[0].endswith("edge-classifier live")
    assert "pytest" in commands[1]


def test_every_backbone_is_in_a_table() -> None:
    named = " ".join(row[0] for text in TEXTS.values() for row in rows(text))
    assert all(f"`{name}`" in named for name in NAMES)


SHOWN = [
    (page, line)
    for page, text in TEXTS.items()
    for line in re.findall(r"^\$ edge-classifier (.+?)(?:\s+#.*)?$", text, re.MULTILINE)
]


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_every_command_shown_is_one_that_can_be_given(page: str, line: str) -> None:
    name, *words = shlex.split(line)
    assert name in COMMANDS, page
    command_parser(name).parse_args(words)


def test_the_readme_shows_commands() -> None:
    assert any(page == README.name for page, _ in SHOWN)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_linked_is_there(page: Path) -> None:
    for target in linked(page):
        assert target.exists(), target


def test_pictures_load_in_a_moment() -> None:
    pictures = [target for target in linked(README) if target.suffix in PICTURES]
    assert pictures, "a moving picture tells what it is"
    for picture in pictures:
        assert picture.stat().st_size < MOST_BYTES, picture


def linked(page: Path) -> list[Path]:
    """Give the files beside it to which a page links, by Markdown or by `src`."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:\s]+)", text) + re.findall(r'src="([^":]+)"', text)
    return [page.parent / target for target in targets]
