"""Status lines on standard error."""

from __future__ import annotations

import sys
from typing import Final

SOME_REFUSED: Final = 3
"""Exit code: the work was done, but some pictures were refused; each is named with its reason."""


def say(text: str) -> None:
    """Print a status line to standard error; nothing in it can steer a terminal."""
    safe = (c if c.isprintable() or c in "\u200c\u200d" else ascii(c)[1:-1] for c in text)
    sys.stderr.write(f"{''.join(safe)}\n")
    sys.stderr.flush()
