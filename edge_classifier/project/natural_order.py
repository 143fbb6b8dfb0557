"""The order in which people expect names: by the numbers in them."""

from __future__ import annotations

import re
from typing import Final

_NUMBER_RUNS: Final = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Give a key that sorts `class2` before `class10`, whatever the case."""
    runs = _NUMBER_RUNS.split(text.casefold())
    return tuple(
        (len(run.lstrip("0")) + 1, run.lstrip("0")) if odd % 2 else (0, run)
        for odd, run in enumerate(runs)
    )
