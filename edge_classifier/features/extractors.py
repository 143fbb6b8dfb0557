"""The cache of compiled extractors, and the child process that fills it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.child_process import run_child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.features.weights import Weights
    from edge_classifier.protocols import Cancelled

LoadProgress: TypeAlias = "Callable[[str, float], None]"
"""Is told what is being done, and how much of it is done, from 0.0 to 1.0."""

CONVERTER_VERSION: Final = 1
"""Part of the cache's file names: raise it when `compile_extractor` gives other files."""

_log = logging.getLogger(__name__)


def extractor_path(folder: Path, name: str, weights_sha256: str) -> Path:
    """Where the extractor of these weights is cached."""
    return folder / f"{name}-{weights_sha256[:16]}-{CONVERTER_VERSION}.tflite"


def obtain_extractor(
    name: str,
    weights: Weights,
    *,
    folder: Path,
    progress: LoadProgress,
    cancelled: Cancelled,
) -> bytes:
    """Return the TFLite file of an official backbone, compiled at the first time only.

    Args:
        name: Of the backbone.
        weights: Its weights.
        folder: The cache of extractors.
        progress: Told what the compiler is doing.
        cancelled: Asked ten times a second while it works.

    Raises:
        WeightsMismatchError: if the weights belong to another backbone, or are damaged.
        CancelledError: if asked to stop.
        BackboneError: if it cannot be compiled or kept.
    """
    path = extractor_path(folder, name, weights.sha256)
    content = _read_whole(path)
    if content is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _compile(name, weights.path, path, progress, cancelled)
            content = path.read_bytes()
            write_whole(_record(path), hashlib.sha256(content).hexdigest().encode())
        except OSError as error:
            raise BackboneError(
                f"The compiled backbone cannot be kept in {folder}: {error.strerror or error}. "
                "Make room there, or make the folder writable."
            ) from error
    return content


def _read_whole(path: Path) -> bytes | None:
    """Read a cached file, or `None` if it is absent or not what was once written."""
    if not path.exists():
        return None
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == _record(path).read_text(encoding="ascii"):
            return content
    except (OSError, ValueError):
        pass
    _log.warning("%s is damaged and is compiled again.", path)
    return None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _compile(
    name: str, weights: Path, target: Path, progress: LoadProgress, cancelled: Cancelled
) -> None:
    """Run the compiler and wait for it."""

    def clean_up(pid: int) -> None:
        with contextlib.suppress(OSError):
            part_of(target, pid).unlink(missing_ok=True)

    failure = run_child(
        "edge_classifier.graphs.compile_extractor",
        [name, str(weights.resolve()), str(target.resolve())],
        progress=lambda done, what=None: progress(f"preparing {name}: {what}", done),
        cancelled=cancelled,
        stopped="Preparing the backbone was cancelled; nothing was kept.",
        on_end=clean_up,
    )
    if failure is None:
        return
    if failure.kind == "mismatch":
        raise WeightsMismatchError(failure.message)
    if failure.kind == "failed":
        raise BackboneError(failure.message)
    raise BackboneError(f"TensorFlow could not compile {name}: {failure.message}")


def write_whole(target: Path, content: bytes) -> None:
    """Write a file that is either whole or not there."""
    part = part_of(target, os.getpid())
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def part_of(target: Path, pid: int) -> Path:
    """Where a process writes a file before it is whole."""
    return target.with_name(f"{target.name}.{pid}.part")
