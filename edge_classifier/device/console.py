"""Status lines on standard error, in which no name of a file or a class can steer a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from typing import Final, TextIO

SOME_REFUSED: Final = 3
"""Exit code: the work was done, but some pictures were refused; each is named with its reason."""

_STEERING: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of characters that steer, are invisible, or change the direction of what follows, so
that `gpj.exe` looks like `exe.jpg`."""

_CONTROL_BYTES: Final = frozenset(map(chr, range(0xDC80, 0xDCA0)))
"""What Python makes of bytes that are no text and that some terminals take for controls."""

_JOINERS: Final = "\u200c\u200d"
"""Emoji and Persian need these."""

_SHORT: Final = 300


def one_line(text: str) -> str:
    """Escape the characters that could steer a terminal, break a line or turn its direction."""
    return "".join(
        ascii(c)[1:-1]
        if c in _CONTROL_BYTES or (unicodedata.category(c) in _STEERING and c not in _JOINERS)
        else c
        for c in text
    )


def as_text(text: str) -> str:
    """Spell what is no text in a name of any bytes; OpenCV crashes on it."""
    return text.encode("utf-8", "backslashreplace").decode()


def shortened(text: str, length: int = _SHORT) -> str:
    """Take the middle out of a text that nobody would read whole."""
    half = length // 2
    return text if len(text) <= length else f"{text[:half]} … {text[-half:]}"


def say(text: str) -> None:
    """Print a status line to standard error; a log that is full or closed stops nothing."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{one_line(text)}\n")
        sys.stderr.flush()


def open_closed_streams() -> None:
    """Let standard input, output and error lead nowhere where they are closed (`>&-`).

    Python has `None` in their place, and the next file or socket would get their number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # which is of the lowest number that is free
            setattr(sys, name, open(nowhere, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - of a descriptor, until the end


def drop(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: Python would complain when it flushes it at the end."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def settle(stream: TextIO) -> None:
    """Write out what a stream still holds, or drop it where that cannot be."""
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):  # none, full, closed
        drop(stream)
