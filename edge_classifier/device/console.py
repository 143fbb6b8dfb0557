"""Status lines on standard error, in which nothing can steer a terminal."""

from __future__ import annotations

import sys
from typing import Final

SOME_REFUSED: Final = 3
"""Exit code: the work was done, but some pictures were refused; each is named with its reason."""


def one_line(text: str) -> str:
    """Escape what could steer a terminal, break a line or turn its direction."""
    return "".join(c if c.isprintable() or c in "\u200c\u200d" else ascii(c)[1:-1] for c in text)


def say(text: str) -> None:
    """Print a status line to standard error."""
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()
