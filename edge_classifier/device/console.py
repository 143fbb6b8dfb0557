"""What is told beside the predictions, on standard error."""

from __future__ import annotations

import sys
from typing import Final

SOME_REFUSED: Final = 3
"""Exit code: some pictures could not be read."""


def say(text: str) -> None:
    """Print a line to standard error; nothing in it can steer a terminal."""
    safe = (c if c.isprintable() or c in "\u200c\u200d" else ascii(c)[1:-1] for c in text)
    sys.stderr.write(f"{''.join(safe)}\n")
    sys.stderr.flush()
