"""Status lines on standard error, in which no name of a file or a class can steer a terminal."""

from __future__ import annotations

import sys
import unicodedata
from typing import Final

SOME_REFUSED: Final = 3
"""Exit code: the work was done, but some pictures were refused; each is named with its reason."""

_STEERING: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of characters that steer, are invisible, or change the direction of what follows, so
that `gpj.exe` looks like `exe.jpg`."""

_CONTROL_BYTES: Final = frozenset(map(chr, range(0xDC80, 0xDCA0)))
"""What Python makes of bytes that are no text and that some terminals take for controls."""

_JOINERS: Final = "\u200c\u200d"
"""Emoji and Persian need these."""


def one_line(text: str) -> str:
    """Escape the characters that could steer a terminal, break a line or turn its direction."""
    return "".join(
        ascii(c)[1:-1]
        if c in _CONTROL_BYTES or (unicodedata.category(c) in _STEERING and c not in _JOINERS)
        else c
        for c in text
    )


def say(text: str) -> None:
    """Print a status line to standard error."""
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()
