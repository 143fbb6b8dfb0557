"""Splits by what they are called: `train`, `seg_test`, `Validation Images`, `rps-test-set2`.

A name is taken apart into words, whatever their case and whatever stands between them. One word
says how pictures are used; words that only say that it is a set of pictures tell nothing; any
others have to be explained by what is around it (see `layout`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRAINING: Final = ("train", "training", "trainval")
_VALIDATION: Final = ("val", "valid", "validate", "validation", "validating", "dev", "devel")
_TEST: Final = (
    "test", "tests", "testing", "tst", "eval", "evaluate", "evaluation", "holdout", "heldout",
)  # fmt: skip
_HELD_OUT: Final = (*_VALIDATION, *_TEST)

_CONTAINERS: Final = (
    "set", "sets", "subset", "data", "dataset", "datasets", "database", "image", "images", "img",
    "imgs", "pic", "pics", "picture", "pictures", "photo", "photos", "jpg", "jpeg", "png", "file",
    "files", "folder", "folders", "dir", "split", "splits", "fold", "folds", "part", "parts",
    "batch", "shard",
)  # fmt: skip
_QUALIFIERS: Final = (
    "all", "and", "for", "my", "of", "only", "the", "to", "final", "full", "small", "mini",
    "new", "old", "raw", "clean", "public", "private", "resized", "cropped", "augmented", "aug",
    "original", "labeled", "labelled",
)  # fmt: skip

_CONTAINERS_ONLY: Final = frozenset(_CONTAINERS)
_NOTHING: Final = frozenset(_CONTAINERS + _QUALIFIERS)

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OUT: Final = re.compile(r"\b(hold|held)[\W_]*(?=out(?![^\W\d_]))", re.IGNORECASE)


_VERSION: Final = re.compile(r"(?<![^\W\d_])v(?=[0-9])", re.IGNORECASE)


def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


# `testset`, `imgtrain`, `trainval`: written as one word
_GLUED: Final = re.compile(
    f"(?:{_any_of(_CONTAINERS)})?"
    f"({_any_of(_TRAINING + _HELD_OUT)})({_any_of(_TRAINING + _HELD_OUT)})?"
    f"(?:{_any_of(_CONTAINERS)})?"
)


_LONG: Final = _any_of(tuple(word for word in _TRAINING + _HELD_OUT if len(word) > len("val")))
_GLUED_TO_OTHER: Final = re.compile(f"(.+?)({_LONG})|({_LONG})(.+)")


@dataclass(frozen=True, slots=True)
class SplitName:
    """What a folder's name says.

    Attributes:
        held_out: Whether its pictures are to be measured on; `None` if it says nothing of that,
            or both.
        uses: The words that say so.
        rest: Its other words that are not of any set of pictures.
        is_last: Whether the one word of `uses` stands behind all others.
        words: All of its words.
    """

    held_out: bool | None
    uses: tuple[str, ...]
    rest: frozenset[str]
    is_last: bool = False
    words: tuple[str, ...] = ()

    @classmethod
    @lru_cache(maxsize=4096)  # the same few in each of many class folders
    def of(cls, name: str) -> SplitName:
        """Take a name apart."""
        all_words = tuple(words_of(name))
        words = [word for word in all_words if word not in _NOTHING]
        uses = tuple(word for word in words if word in {*_TRAINING, *_HELD_OUT})
        rest = frozenset(words).difference(uses)
        is_last = len(uses) == 1 and words[-1] == uses[0]
        return cls(_held_out(uses), uses, rest, is_last, all_words)

    @property
    def is_container(self) -> bool:
        """Whether the name tells only that something is a set of pictures: `images`, `Data 2`."""
        return not _CONTAINERS_ONLY.isdisjoint(self.words) and _NOTHING.issuperset(self.words)


def words_of(name: str) -> list[str]:
    """Give the words of a name, in lower case; numbers are none."""
    words: list[str] = []
    name = _VERSION.sub("", _OUT.sub(r"\1", unicodedata.normalize("NFKC", name)))
    for run in _LETTERS.findall(name):
        for part in [run] if _GLUED.fullmatch(run.casefold()) else _HUMPS.split(run):
            word = part.casefold()
            glued = _GLUED.fullmatch(word)
            words += (g for g in glued.groups() if g) if glued else [word]
    return words


def glued_splits(names: Mapping[str, SplitName]) -> dict[str, SplitName]:
    """Find splits with something else written to them, where that is with another one, too.

    `segtrain` and `segtest`, but neither `contest` nor `latest` by itself.
    """
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, split in names.items():
        for word in split.words:
            if match := _GLUED_TO_OTHER.fullmatch(word):
                rest = " ".join(split.words).replace(word, match[1] or match[4])
                found[rest][name] = match[2] or match[3]
    return {
        name: SplitName(_held_out((use,)), (use,), frozenset(rest.split()))
        for rest, uses in found.items()
        if len(set(uses.values())) > 1
        for name, use in uses.items()
    }


def without_split(name: str) -> str:
    """Give what is left of a name without the words of a split: `cats_train` is of `cats`."""
    pieces = [piece for run in re.split(r"[\W_]+", name) for piece in _HUMPS.split(run) if piece]
    between = next((c for c in name if not c.isalnum()), " ")
    said = {*_CONTAINERS, *_TRAINING, *_HELD_OUT}
    return between.join(piece for piece in pieces if not said.issuperset(words_of(piece) or "-"))


def is_container(name: str) -> bool:
    """Say whether a name tells only that something is a set of pictures."""
    return SplitName.of(name).is_container


def held_out_by_name(name: str) -> bool | None:
    """Say what a folder or a column calls a split.

    Returns:
        `True` for one to measure on, `False` for one to train on, `None` for any other name.
    """
    found = SplitName.of(name)
    return None if found.rest else found.held_out


def _held_out(uses: tuple[str, ...]) -> bool | None:
    trained_on = set(uses) & {*_TRAINING}
    held_out = set(uses) & {*_HELD_OUT}
    if trained_on and held_out:  # as `trainval` is: all but what is tested on
        return None if held_out & {*_TEST} else False
    return bool(held_out) if uses else None
