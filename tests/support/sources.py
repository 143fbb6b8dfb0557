"""Reads `sources.jsonl`, as another program would that looks for where samples came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge_classifier.project.folder import SOURCES

if TYPE_CHECKING:
    from pathlib import Path


def read_sources(project: Path) -> dict[str, str]:
    """Give the original names of imported samples by the names of their files.

    Lines that a crash cut off are left out.
    """
    path = project / SOURCES
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        found[entry["sample"]] = entry["source"]
    return found
