"""All texts of the window are in the tables, and each language has them all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

import edge_classifier
from edge_classifier.languages.language import LANGUAGES, Language

PACKAGE = Path(edge_classifier.__file__).parent
NOT_OF_THE_WINDOW: Final = ("lost_screen", "others")
"""What is said where there is no window any longer, and by another way in."""

OF_THE_WINDOW = [
    path
    for room in ("live", "screen")
    for path in sorted((PACKAGE / room).glob("*.py"))
    if path.stem not in NOT_OF_THE_WINDOW
]
TABLES = {code: Language.load(code).texts for code in LANGUAGES if code != "en"}

MAKERS: Final = ("Text", "plural")
SHOWING: Final = frozenset(
    ("say", "_say", "Activity", "Banner", "Button", "ConfirmDialog", "Message", "PictureStrip",
     "Prompt", "StripPicture", "TextDialog", "begin", "key_cap", "write", "wrap", "tag")
)  # fmt: skip
"""What shows the texts that it is given."""

NOT_SHOWN: Final = frozenset(("debug", "error", "info", "warning"))
"""What writes in the log."""


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


TREES: Final = {
    path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))
}


def made_texts() -> dict[str, str | None]:
    """Find the keys of all texts that are made anywhere, with the plural of those that count."""
    found: dict[str, str | None] = {}
    for path, tree in TREES.items():
        if path.parent.name == "languages":
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and name_of(call) in MAKERS:
                words = [str(word.value) for word in call.args if isinstance(word, ast.Constant)]
                counts = name_of(call) == "plural"
                assert len(words) > counts, f"{path}:{call.lineno} makes a text that no table knows"
                if words[0]:
                    found[words[0]] = words[1] if counts else None
    return found


MADE: Final = made_texts()
SAID: Final = frozenset(
    node.value
    for tree in TREES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
)


def literals(tree: ast.AST) -> Iterator[str]:
    """Give all strings in a tree, but for those that documentation, errors and the log are of."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        is_log = isinstance(node, ast.Call) and name_of(node) in NOT_SHOWN
        is_text = isinstance(node, ast.Call) and name_of(node) in MAKERS
        is_lone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_log or is_text or is_lone or isinstance(node, ast.Raise):
            skipped.update(ast.walk(node))
        elif node not in skipped and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", OF_THE_WINDOW, ids=lambda path: path.stem)
def test_nothing_that_is_shown_is_said_outside_the_tables(path: Path) -> None:
    tree = TREES[path]
    sentences = [
        text for text in literals(tree) if re.search(r"[a-z]{2} [a-zA-Z]{2}|[a-z] ?…$", text)
    ]
    assert [text for text in sentences if text not in ELSEWHERE] == []
    shown = [
        ast.unparse(word)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and name_of(call) in SHOWING
        for word in (*call.args, *(keyword.value for keyword in call.keywords))
        if is_words(word)
    ]
    assert [words for words in shown if words not in NO_WORDS | NAMES] == []


def is_words(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and is_words(part) for part in node.values)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and bool(re.search("[A-Za-z]{2}", node.value))  # type: ignore[attr-defined]  # is a constant


def test_what_a_work_of_the_window_says_of_itself_is_no_string_that_no_table_has() -> None:
    works = [*(PACKAGE / "export").glob("*.py"), *PACKAGE.glob("project/importers/*.py")]
    said = [
        ast.unparse(word)
        for path in works
        if path.stem != "to_device"  # which the command line alone does
        for call in ast.walk(TREES[path])
        if isinstance(call, ast.Call) and name_of(call) in ("progress", "asked")
        for word in call.args[1:]
        if isinstance(word, ast.JoinedStr)
    ]
    assert said == []


ELSEWHERE: Final = frozenset(
    (
        "arial unicode", "install a font that covers them", "get one with: ",
        "get one with: sudo apt install ", "get one with: sudo apt install fonts-noto-cjk",
        "what plays them has ended",
    )
)  # fmt: skip
"""Names, and what is said on the terminal."""

NO_WORDS: Final = frozenset(
    f"'{word}'" for word in ("centre", "down", "enter", "escape", "left", "right", "tab")
)
"""Names of keys, and of sides of a box."""

NAMES: Final = frozenset(("f'{self._store.name}-copy'",))
"""What a person may change."""


@pytest.mark.parametrize("code", TABLES)
def test_each_language_has_every_text_and_no_other(code: str) -> None:
    table = TABLES[code]
    assert sorted(key for key in MADE if key not in table) == []
    assert sorted(key for key in table if key not in MADE and key not in SAID) == []


def placeholders(text: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None}


def forms_of(translated: str | Sequence[str]) -> list[str]:
    return [translated] if isinstance(translated, str) else list(translated)


@pytest.mark.parametrize("code", TABLES)
def test_a_text_that_counts_has_a_form_for_one_and_one_for_many(code: str) -> None:
    forms = {key: len(forms_of(TABLES[code][key])) for key in MADE}
    assert forms == {key: 1 if many is None else 2 for key, many in MADE.items()}


@pytest.mark.parametrize("code", TABLES)
def test_a_translation_tells_the_same(code: str) -> None:
    for key, many in MADE.items():
        for form in forms_of(TABLES[code][key]):
            assert form.strip() == form != ""
            assert placeholders(form) == placeholders(many or key)
