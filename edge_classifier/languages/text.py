"""Sentences in English that know how to be said in another language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class Text(str):
    """A whole sentence for a person: in English what it is as a `str`, in others by `Language.of`.

    It is made where it is meant, and translated where it is shown, so that nobody in between has
    to know about languages. Whatever makes another `str` of it (`+`, an f-string) loses that.

    Attributes:
        key: The English sentence with its `{placeholders}`, by which tables know it; of one that
            counts, the one for a single thing.
        values: What the placeholders stand for. A `Text` among them is translated as well, any
            other `str` is a name.
        number: How many things are counted, or `None` where nothing is.
    """

    __slots__ = ("key", "number", "pattern", "values")

    key: str
    pattern: str
    values: Mapping[str, object]
    number: int | None

    def __new__(cls, english: str, /, **values: object) -> Self:
        """Fill in the values; without any the sentence is taken as it is, braces and all."""
        return cls._of(english, english, values, None)

    @classmethod
    def _of(cls, key: str, pattern: str, values: Mapping[str, object], number: int | None) -> Self:
        self = super().__new__(cls, pattern.format(**values) if values else pattern)
        self.key, self.pattern, self.values, self.number = key, pattern, values, number
        return self


def plural(one: str, many: str, /, count: int, **values: object) -> Text:
    """Choose the sentence for so many things; `{count}` is how many."""
    pattern = one if count == 1 else many
    return Text._of(one, pattern, {"count": count, **values}, count)  # noqa: SLF001 - its other maker


def joined(separator: str, *parts: str) -> Text:
    """Put sentences that stand for themselves behind each other; empty ones are left out."""
    values = {f"part{number}": part for number, part in enumerate(p for p in parts if p)}
    return Text(separator.join(f"{{{name}}}" for name in values), **values)


def as_text(words: str) -> Text:
    """Take what comes from a room that knows nothing of languages.

    It is translated where the tables have it, word for word.
    """
    return words if isinstance(words, Text) else Text(words)


def text_of(error: Exception) -> Text:
    """Return what an error says."""
    message = error.args[0] if len(error.args) == 1 else None
    return message if isinstance(message, Text) else as_text(str(error))
