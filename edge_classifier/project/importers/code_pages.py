"""Names in archives that do not say how they are written: which code page reads them as words.

Zip archives of Windows hold names in the code page of whoever packed them, and tars in whatever a
system had. Each candidate reads all names; characters cost what makes them unlikely in a name:
symbols and boxes, rare ideographs, scripts or cases that change within a word. Korean and Chinese
share their bytes: there it counts how usual the letters of the syllables would be.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Collection

CODE_PAGES: Final = {
    "utf-8": "but for some that are damaged",
    "cp437": "DOS",
    "cp850": "Western European",
    "cp852": "Central European",
    "cp1252": "Western European of Windows",
    "cp866": "Cyrillic",
    "cp1251": "Cyrillic of Windows",
    "cp932": "Japanese",
    "gbk": "simplified Chinese",
    "big5": "traditional Chinese",
    "cp949": "Korean",
    "cp737": "Greek",
    "cp1253": "Greek of Windows",
    "cp857": "Turkish",
    "cp1254": "Turkish of Windows",
    "cp862": "Hebrew",
}
"""Candidates, of which the first of several equally good ones is taken."""

_USUAL: Final = {"cp932": (0x88, 0x97), "gbk": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}
"""First bytes of the ideographs that are used most."""
_RARE: Final = {"cp932": (0x98, 0xEA), "gbk": (0xD8, 0xF7), "big5": (0xC9, 0xF9)}
_FROM_ROWS: Final = 0xA1  # second bytes of the oldest, most used part of `gbk` and `cp949`

_SELDOM: Final = "ªºƒµⁿıþÞðÐΐΰ"
_SELDOM_IN: Final = {"cp852": "ç"}  # which with others is Turkish, and by itself is in `cp850`, too
_SYMBOL, _WRONG, _MIXED, _UNUSUAL, _SECOND, _LOUD = -6, -6, -4, -3, -2, -1
# How much more usual a first, middle and last letter is in Korean than among all syllables, in bits
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_FIRST: Final = (0, -3, -1, 0, -3, 1, 0, 0, -3, 1, -3, 1, 1, -3, 0, -1, 0, 0, 0)
_MIDDLE: Final = (1, 0, -2, -4, 0, -1, 0, -2, 0, -1, -4, -2, -1, 0, -1, -4, -3, -2, 0, -2, 1)
_LAST: Final = (
    *(2, -1, -4, -4, 0, -3, -3, -4, 0, -4, -4, -4, -4, -4),
    *(-4, -4, -1, -2, 0, -3, -2, 0, -3, -3, -4, -3, -3, -4),
)
_MISPLACED: Final = re.compile(r"[ךםןףץ](?=\w)|[כמנפצ](?!\w)|(?<!\w)[ךםןףץ]")
"""Letters of Hebrew that have another form at the end of a word, and these elsewhere."""
_LOOKED_AT: Final = 500
_IN_ASCII: Final = (r"\u0041", "+AEE-", "~{01~}", "\x1b$B01", "".join(map(chr, range(128))))
"""What encodings that are for no files' names take for escapes, and all of ASCII."""
_LONGEST_PART: Final = 100


def code_page_of(names: Collection[bytes]) -> str:
    """Find the code page in which names, as they are in an archive, are most likely words.

    It is UTF-8 if all of them are valid in it.
    """
    if all(is_written_in(name, "utf-8") for name in names):
        return "utf-8"
    parts = {part[:_LONGEST_PART] for name in names for part in name.split(b"/")}
    some = [part for part in sorted(parts) if not part.isascii()][:_LOOKED_AT]
    scores: dict[str, int] = {}
    for page in CODE_PAGES:
        errors = "replace" if page == "utf-8" else "strict"  # a single one may be damaged
        with suppress(UnicodeDecodeError):
            for name in names:
                name.decode(page, errors)
            scores[page] = sum(_likelihood(part.decode(page, "replace"), page) for part in some)
    return max(scores, key=scores.__getitem__)


def is_written_in(name: bytes, page: str) -> bool:
    """Say whether a name, or a text, is valid in a code page."""
    try:
        name.decode(page)
    except UnicodeDecodeError:
        return False
    return True


def check_code_page(name: str) -> str:
    """Check what a user calls a code page.

    Raises:
        InvalidValueError: if there is none of this name, or if text in ASCII, as the suffixes of
            files are, is something else in it.
    """
    if name.isascii() and "\0" not in name:
        with suppress(LookupError, ValueError):  # the latter of `idna` and `undefined`
            keeps = all(text.encode().decode(name) == text for text in _IN_ASCII)
            if keeps and codecs.BOM_UTF8.decode(name, "replace"):  # which `utf-8-sig` drops
                return name
    raise InvalidValueError(
        f"Expected a code page like {', '.join(CODE_PAGES)}, received {name!r}."
    )


def _likelihood(text: str, page: str) -> int:
    """Say how likely a text is a name, from 0 for any usual one down."""
    score = sum(_of_letter(char, page) for char in text if not char.isascii())
    if page == "cp862":
        score += _WRONG * len(_MISPLACED.findall(text))
    for one, next_one in pairwise(text):
        if (one.isascii() and next_one.isascii()) or not (one.isalpha() and next_one.isalpha()):
            continue
        if _script(one) != _script(next_one):
            score += _MIXED
        elif one.islower() and next_one.isupper():
            score += _UNUSUAL
        elif one.isupper() and next_one.isupper():
            score += _LOUD
        elif not one.isascii() and not next_one.isascii() and _script(one) == "LATIN":
            score += _SECOND
    return score


def _of_letter(char: str, page: str) -> int:
    is_wide = page in {*_USUAL, "cp949"}
    if _script(char) == "HALFWIDTH":
        return _UNUSUAL
    if not char.isalpha():
        return _SECOND if is_wide else _SYMBOL
    if not is_wide:
        return _UNUSUAL if char in _SELDOM + _SELDOM_IN.get(page, "") else 0
    encoded = char.encode(page, "replace")
    if len(encoded) != 2:  # noqa: PLR2004 - bytes of a letter that only such a page has
        return _WRONG
    return _of_syllable(char, encoded) if page == "cp949" else _of_ideograph(char, encoded, page)


def _of_syllable(char: str, encoded: bytes) -> int:
    if ord(char) not in _SYLLABLES or encoded[1] < _FROM_ROWS:
        return _WRONG
    number = ord(char) - _SYLLABLES.start
    return _FIRST[number // 588] + _MIDDLE[number // 28 % 21] + _LAST[number % 28]


def _of_ideograph(char: str, encoded: bytes, page: str) -> int:
    script = _script(char)
    if script == "KANA" and page == "cp932":
        return 0
    if script != "CJK" or (page == "gbk" and encoded[1] < _FROM_ROWS):
        return _WRONG
    if _USUAL[page][0] <= encoded[0] <= _USUAL[page][1]:
        return 0
    return _UNUSUAL if _RARE[page][0] <= encoded[0] <= _RARE[page][1] else _WRONG


def _script(char: str) -> str:
    """Give the script of a letter; those that East Asian words mix are one."""
    first = unicodedata.name(char, "NONE").partition(" ")[0]
    if first in {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}:
        return "KANA"
    return first
