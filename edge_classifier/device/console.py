"""What is told beside the answers, on standard error."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Tell the user something, on standard error; nothing in it can steer a terminal."""
    safe = (c if c.isprintable() or c in "\u200c\u200d" else ascii(c)[1:-1] for c in text)
    sys.stderr.write(f"{''.join(safe)}\n")
    sys.stderr.flush()
