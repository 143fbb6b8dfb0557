"""Status lines on standard error, in which no name of a file or a class can steer a terminal."""

from __future__ import annotations

import sys
import unicodedata
from typing import Final

SOME_REFUSED: Final = 3
"""Exit code: the work was done, but some pictures were refused; each is named with its reason."""

_STEERING: Final = frozenset({"Cc", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Change the direction of what follows: `gpj.exe` can be made to look like `exe.jpg`."""


def one_line(text: str) -> str:
    """Escape the characters that could steer a terminal, break a line or turn its direction."""
    return "".join(
        ascii(c)[1:-1] if unicodedata.category(c) in _STEERING or c in _TURNING else c for c in text
    )


def say(text: str) -> None:
    """Print a status line to standard error."""
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()
