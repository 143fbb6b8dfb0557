"""Where added pictures came from, and which unlabelled ones nobody wants: `sources.jsonl`."""

from __future__ import annotations

import io
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import open_regular
from edge_classifier.project.files import NOFOLLOW, reported
from edge_classifier.project.folder import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from edge_classifier.values import Sample

_LONGEST_LINE: Final = 65_536


def note_source(project: Path, sample: Sample, source: str) -> None:
    """Write down, for people, where a sample that was just added came from.

    One JSON object a line of `sources.jsonl`: `{"sample": "b0000012-0000.jpg", "source": "a.jpg"}`.
    The name of a sample's file is never given twice in a project, and stays when its class is
    renamed; so it is enough to find the line. The file only tells: a project works without it.

    Raises:
        ProjectError: if it cannot be written.
    """
    _append(project, [{"sample": sample.path.name, "source": source}])


def note_answers(
    project: Path, pictures: Iterable[tuple[str, str]], sample: str | None = None
) -> None:
    """Write down what became of pictures that came without a label, so that it is asked once.

    Args:
        project: Its folder.
        pictures: The source of each, and the SHA-256 of its file.
        sample: The name of the sample's file; `None` where they are not wanted, and empty where
            that was taken back.

    Raises:
        ProjectError: if it cannot be written.
    """
    _append(project, [{"sample": sample, "source": s, "sha256": h} for s, h in pictures])


def _append(project: Path, records: Iterable[Mapping[str, str | None]]) -> None:
    path = project / SOURCES
    lines = "".join(json.dumps(record) + "\n" for record in records)
    with reported("write", path):
        # A link in its place could make us write outside the project.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o666), "ab") as file:
            file.write(lines.encode())


def answered_before(project: Path) -> dict[str, str | None]:
    """Say what became of pictures that came without a label, by the SHA-256 of their files.

    Returns:
        What `note_answers` was last given as the sample.
    """
    found: dict[str, str | None] = {}
    with suppress(OSError), io.BufferedReader(open_regular(project / SOURCES)) as file:  # type: ignore[type-var]  # a raw file
        while line := file.readline(_LONGEST_LINE):
            with suppress(ValueError, RecursionError):
                about = json.loads(line)
                if isinstance(about, dict) and isinstance(about.get("sha256"), str):
                    sample = about.get("sample")
                    found[about["sha256"]] = sample if isinstance(sample, str) else None
    return found
