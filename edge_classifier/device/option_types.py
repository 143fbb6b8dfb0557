"""What the values of options can be."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .console import shortened

if TYPE_CHECKING:
    from collections.abc import Callable


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a type of option: a whole number from `low` to `high`, in plain digits."""

    def parse(text: str) -> int:
        # Not what `int` reads: it knows other scripts' digits, and refuses more than 4,300.
        digits = text.lstrip("0") or "0"
        plain = text.isascii() and text.isdigit() and len(digits) <= len(str(high))
        if not plain or not low <= int(digits) <= high:
            raise argparse.ArgumentTypeError(
                f"expected a whole number from {low} to {high:,}, received {shortened(text, 40)!r}"
            )
        return int(digits)

    parse.__name__ = "whole number"
    return parse
