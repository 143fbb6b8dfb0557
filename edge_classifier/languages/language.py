"""The languages that there are, and which one a person wants."""

from __future__ import annotations

import json
import locale
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from edge_classifier.languages.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENGLISH: Final = "en"
LANGUAGES: Final = ("en", "de", "fr")
"""All but English has a table beside this file."""

_NAMES: Final = {"german": "de", "french": "fr"}
"""As Windows calls them."""

_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


class _WithComma(float):
    """A number that is written with a decimal comma."""

    def __format__(self, format_spec: str) -> str:
        return super().__format__(format_spec).replace(".", ",")


@dataclass(frozen=True, slots=True)
class Language:
    """A language and its table.

    Attributes:
        code: As in `LANGUAGES`.
        texts: By the English key: the sentence, or of one that counts those for one and for more.
    """

    code: str
    texts: Mapping[str, str | Sequence[str]]

    @classmethod
    def load(cls, code: str) -> Language:
        """Read the table of one of `LANGUAGES`."""
        if code == ENGLISH:
            return cls(code, {})
        table = resources.files(__package__).joinpath(f"{code}.json")
        return cls(code, json.loads(table.read_text(encoding="utf-8")))

    def of(self, text: str) -> str:
        """Say a text in this language; what is no `Text` is a name, and stays as it is.

        One that the table lacks is said in English.
        """
        if self.code == ENGLISH or not isinstance(text, Text):
            return text
        pattern = self.texts.get(text.key, text.pattern)
        if not isinstance(pattern, str):
            pattern = pattern[0 if self._is_one(text.number or 0) else 1]
        if not text.values:
            return pattern
        return pattern.format(**{name: self._value(v) for name, v in text.values.items()})

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self.of(value)
        return _WithComma(value) if isinstance(value, float) else value

    def _is_one(self, count: int) -> bool:
        return count <= 1 if self.code == "fr" else count == 1


def language_of(environment: Mapping[str, str]) -> str:
    """Return which of `LANGUAGES` the system is set to; English where that is none of them."""
    variable = next((environment[name] for name in _VARIABLES if environment.get(name)), None)
    name = _of_the_library() if variable is None else variable
    language = re.split(r"[_.@-]", name.lower())[0]
    code = _NAMES.get(language, language)
    return code if code in LANGUAGES else ENGLISH


def _of_the_library() -> str:
    """Ask the standard library, where no variable says it: as on Windows."""
    try:
        return locale.getlocale()[0] or ""
    except ValueError:  # macOS has locales that it cannot read
        return ""
