"""The oldest runtimes that read each format, as measured with `tools/check_runtimes.py`.

`min_runtime_version` in a file is the converter's table of when an operator came, and promises too
much: it does not know what a runtime gets wrong.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ_BY: Final[Mapping[str, str]] = MappingProxyType(
    {"ai-edge-litert": "1.0", "tflite-runtime": "2.7"}
)

OLDEST: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"float32": _READ_BY, "float16": _READ_BY, "dynamic": _READ_BY, "int8": _READ_BY}
)
"""By format, then by the runtime's package; older ones than these were not to be had."""


def as_table() -> str:
    """Write it as a table in Markdown."""
    packages = list(dict.fromkeys(package for oldest in OLDEST.values() for package in oldest))
    rows = [["model", *packages], ["---"] * (1 + len(packages))]
    for model_format, oldest in OLDEST.items():
        versions = [f"from {oldest[p]} on" if p in oldest else "no version" for p in packages]
        rows.append([model_format, *versions])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
