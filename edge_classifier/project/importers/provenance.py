"""Where imported samples came from: `sources.jsonl` in a project, one JSON object a line.

::

    {"sample": "b0000012-0000.jpg", "source": "photos/dog 3.jpg"}

The name of a sample's file is never given twice in a project, and stays when its class is
renamed; so it is enough to find the line. The file only tells: a project works without it.
"""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import read_regular
from edge_classifier.project.files import NOFOLLOW, reported
from edge_classifier.project.folder import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import Sample

_MAX_BYTES: Final = 64 * 1024 * 1024


def note_source(project: Path, sample: Sample, source: str) -> None:
    """Write down the original name, for people, of a sample that was just added.

    Raises:
        ProjectError: if it cannot be written.
    """
    path = project / SOURCES
    line = json.dumps({"sample": sample.path.name, "source": source}) + "\n"
    with reported("write", path):
        # A link in its place could make us write outside the project.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o666), "ab") as file:
            file.write(line.encode())


def read_sources(project: Path) -> dict[str, str]:
    """Give the original names of imported samples by the names of their files.

    Lines that a crash cut off are left out.

    Raises:
        ProjectError: if the file is there and cannot be read.
    """
    path = project / SOURCES
    with reported("read", path):
        try:
            data = read_regular(path, _MAX_BYTES)
        except FileNotFoundError:
            return {}
    return dict(entry for line in io.BytesIO(data) if (entry := _entry(line)))


def _entry(line: bytes) -> tuple[str, str] | None:
    try:
        entry = json.loads(line)
        return str(entry["sample"]), str(entry["source"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
