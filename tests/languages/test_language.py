"""A text is made in English and said in the language of who reads it."""

from __future__ import annotations

import json

import pytest

from edge_classifier.errors import ProjectError
from edge_classifier.languages.language import Language, language_of
from edge_classifier.languages.text import Text, as_text, joined, plural, text_of

TABLE = {
    "nothing to undo": "nichts rückgängig zu machen",
    "removed {name}": "{name} entfernt",
    "undone: {count} picture of {name}": ["{count} Bild von {name}", "{count} Bilder von {name}"],
    "exporting": "Export",
    "{work} is not finished": "nicht fertig: {work}",
    "{size:.1f} MB": "{size:.1f} Megabyte",
}
GERMAN, FRENCH = Language("de", TABLE), Language("fr", TABLE)
ENGLISH = Language.load("en")


def undone(count: int) -> Text:
    one, many = "undone: {count} picture of {name}", "undone: {count} pictures of {name}"
    return plural(one, many, count, name="mug")


def test_a_text_is_its_english_sentence() -> None:
    assert Text("removed {name}", name="mug") == "removed mug"
    assert [undone(0), undone(1), undone(2)] == [
        "undone: 0 pictures of mug",
        "undone: 1 picture of mug",
        "undone: 2 pictures of mug",
    ]
    assert ENGLISH.of(undone(1)) == "undone: 1 picture of mug"


def test_it_is_said_in_another_language() -> None:
    assert GERMAN.of(Text("nothing to undo")) == "nichts rückgängig zu machen"
    assert GERMAN.of(Text("removed {name}", name="mug")) == "mug entfernt"


def test_what_a_table_lacks_is_said_in_english() -> None:
    assert GERMAN.of(Text("saved {name}", name="mug")) == "saved mug"


@pytest.mark.parametrize("name", ["exporting", "{0}", "{name}", "a { brace", "杯子"])
def test_a_name_is_never_translated_or_filled_in(name: str) -> None:
    assert GERMAN.of(name) == name
    assert GERMAN.of(Text("removed {name}", name=name)) == f"{name} entfernt"
    assert GERMAN.of(as_text(f"{name} is damaged")) == f"{name} is damaged"


def test_a_text_within_a_text_is_translated_too() -> None:
    work = Text("{work} is not finished", work=Text("exporting"))
    assert work == "exporting is not finished"
    assert GERMAN.of(work) == "nicht fertig: Export"


def test_each_language_counts_in_its_own_way() -> None:
    assert [GERMAN.of(undone(n))[:6] for n in (0, 1, 2)] == ["0 Bild", "1 Bild", "2 Bild"]
    assert [GERMAN.of(undone(n)).split()[1] for n in (0, 1, 2)] == ["Bilder", "Bild", "Bilder"]
    assert [FRENCH.of(undone(n)).split()[1] for n in (0, 1, 2)] == ["Bild", "Bild", "Bilder"]


def test_decimals_are_written_with_a_comma() -> None:
    assert GERMAN.of(Text("{size:.1f} MB", size=1.25)) == "1,2 Megabyte"
    assert ENGLISH.of(Text("{size:.1f} MB", size=1.25)) == "1.2 MB"


def test_sentences_behind_each_other_are_translated_each() -> None:
    both = joined(" · ", Text("nothing to undo"), "", Text("removed {name}", name="{x}"))
    assert both == "nothing to undo · removed {x}"
    assert GERMAN.of(both) == "nichts rückgängig zu machen · {x} entfernt"
    assert joined(" · ", "", "") == ""


def test_an_error_says_what_it_was_made_of() -> None:
    told = ProjectError(Text("removed {name}", name="mug"))
    assert GERMAN.of(text_of(told)) == "mug entfernt"
    assert text_of(ProjectError("the disk is full")) == "the disk is full"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_CA.UTF-8"}, "fr"),
        ({"LC_ALL": "C", "LC_MESSAGES": "fr_CA.UTF-8", "LANG": "de_DE"}, "en"),
        ({"LC_ALL": "", "LANG": "de_AT@euro"}, "de"),
        ({"LANG": "es_ES.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "German_Germany.1252"}, "de"),
    ],
)
def test_the_system_says_which_language_it_is_set_to(
    environment: dict[str, str], code: str
) -> None:
    assert language_of(environment) == code


def test_a_system_that_says_nothing_gets_one_that_there_is() -> None:
    assert language_of({}) in ("en", "de", "fr")


def test_the_tables_are_there_and_only_hold_texts() -> None:
    assert Language.load("en").texts == {}
    for code in ("de", "fr"):
        texts = Language.load(code).texts
        assert len(texts) > 100
        assert json.loads(json.dumps(texts)) == texts
