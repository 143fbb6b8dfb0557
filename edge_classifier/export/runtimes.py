"""The oldest runtimes that read each format, as measured with `tools/check_runtimes.py`.

`min_runtime_version` in a file is the converter's table of when an operator came, and promises too
much: it does not know what a runtime gets wrong.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "float32": MappingProxyType({"ai-edge-litert": "1.0.1", "tflite-runtime": "2.7"}),
        "float16": MappingProxyType({"ai-edge-litert": "1.0.1", "tflite-runtime": "2.7"}),
        "dynamic": MappingProxyType({"ai-edge-litert": "1.0.1"}),
        "int8": MappingProxyType({"ai-edge-litert": "1.0.1", "tflite-runtime": "2.10"}),
    }
)
"""By format, then by the runtime's package. Older ones than these were not to be had, do not read
the file, or, as `tflite-runtime` 2.7 to 2.9 with int8, read it and answer wrongly."""


def as_table() -> str:
    """Write it as a table in Markdown."""
    packages = list(dict.fromkeys(package for oldest in OLDEST.values() for package in oldest))
    rows = [["model", *packages], ["---"] * (1 + len(packages))]
    for model_format, oldest in OLDEST.items():
        versions = [f"from {oldest[p]} on" if p in oldest else "no version" for p in packages]
        rows.append([model_format, *versions])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
