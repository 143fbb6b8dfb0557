"""Numbers in words."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Count things: `1 picture`, `12 pictures`, `2 classes`.

    Args:
        count: How many.
        noun: What one is called.
        plural: What several are called, where that is not the noun with an s.
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
