"""What the page says is there in every language of the window."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from support.views import view
from support.visiting import Guest, get, page_on_free_port

import edge_classifier.page
from edge_classifier.languages.language import ENGLISH, LANGUAGES, Language
from edge_classifier.languages.text import Text

FILES = Path(edge_classifier.page.__file__).parent / "files"
_PLACEHOLDER = re.compile(r"\{\w+\}")


def tables() -> dict[str, dict[str, str]]:
    script = (FILES / "texts.js").read_text("utf-8")
    blocks = re.findall(r"^  (\w+): \{\n(.*?)^  \},$", script, re.MULTILINE | re.DOTALL)
    return {
        language: dict(re.findall(r'^    (\w+): "(.*)",$', lines, re.MULTILINE))
        for language, lines in blocks
    }


def test_all_languages_have_all_texts_with_the_same_placeholders() -> None:
    assert set(tables()) == set(LANGUAGES)
    english = tables()[ENGLISH]
    assert len(english) > 40
    for table in tables().values():
        assert table.keys() == english.keys()
        for key, said in table.items():
            assert _PLACEHOLDER.findall(said) == _PLACEHOLDER.findall(english[key]), key


def test_every_text_is_said_somewhere_and_none_is_missing() -> None:
    scripts = [path.read_text("utf-8") for path in FILES.glob("*.js") if path.stem != "texts"]
    server = [path.read_text("utf-8") for path in FILES.parent.glob("*.py")]  # why it hung up
    said = set(re.findall(r'"(\w+)"', "".join(scripts + server)))
    asked_for = set(re.findall(r'\btext\("(\w+)"', "".join(scripts)))
    assert set(tables()[ENGLISH]) <= said
    assert asked_for <= set(tables()[ENGLISH])


@pytest.mark.parametrize("code", LANGUAGES)
def test_page_and_session_speak_one_language(code: str) -> None:
    language = Language.load(code)
    page = page_on_free_port(language=language)
    try:
        assert f'lang="{code}"' in get(page, "/")[2].decode()
        said = Text("Adapt")
        page.show(view(hint=said, tag=said))
        with closing(Guest(page)) as guest:
            seen = guest.see(lambda words: words["view"])["view"]
            assert (seen["hint"], seen["tag"]) == (language.of(said), language.of(said))
    finally:
        page.close()
