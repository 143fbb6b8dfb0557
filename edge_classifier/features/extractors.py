"""The cache of compiled extractors, filled by a child process that has TensorFlow."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import BackboneError
from edge_classifier.features.child_process import require_tensorflow, run_child
from edge_classifier.features.weights import record_of, recorded_hash
from edge_classifier.project.files import write_atomic

if TYPE_CHECKING:
    from edge_classifier.features.weights import Weights
    from edge_classifier.protocols import Cancelled, Progress

CONVERTER_VERSION: Final = 1
"""Part of the cache's file names: raise it when `compile_extractor` gives other files."""

_log = logging.getLogger(__name__)


def extractor_path(folder: Path, name: str, weights_sha256: str) -> Path:
    """Where the extractor of these weights is cached."""
    return folder / f"{name}-{weights_sha256[:16]}-{CONVERTER_VERSION}.tflite"


def obtain_extractor(
    name: str, weights: Weights, *, folder: Path, progress: Progress, cancelled: Cancelled
) -> bytes:
    """Return the TFLite file of an official backbone, compiled at the first time only.

    `cancelled` is asked ten times a second while the compiler works.

    Raises:
        WeightsMismatchError: if the weights belong to another backbone, or are damaged.
        CancelledError: if asked to stop.
        BackboneError: if it cannot be compiled or kept, or needs TensorFlow where there is none.
    """
    content = cached_extractor(folder, name, weights.sha256)
    if content is None:
        require_tensorflow(f"Compiling {name}")
        path = extractor_path(folder, name, weights.sha256)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            content = _compile(name, weights.path, progress, cancelled)
            write_atomic(path, content)
            write_atomic(record_of(path), hashlib.sha256(content).hexdigest().encode())
        except OSError as error:
            raise BackboneError(
                f"The compiled backbone cannot be kept in {folder}: {error.strerror or error}. "
                "Make room there, or make the folder writable."
            ) from error
    return content


def cached_extractor(folder: Path, name: str, weights_sha256: str) -> bytes | None:
    """Read a cached extractor, or `None` if it is absent or not what was once written."""
    path = extractor_path(folder, name, weights_sha256)
    if not path.exists():
        return None
    with suppress(OSError):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == recorded_hash(path):
            return content
    _log.warning("%s is damaged and is not used.", path)
    return None


def _compile(name: str, weights: Path, progress: Progress, cancelled: Cancelled) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "extractor.tflite")
        failure = run_child(
            "edge_classifier.graphs.compile_extractor",
            [name, str(weights.resolve()), str(target)],
            progress=lambda done, what=None: progress(done, f"preparing {name}: {what}"),
            cancelled=cancelled,
            stopped="Preparing the backbone was cancelled; nothing was kept.",
        )
        if failure:
            raise failure.as_error(f"TensorFlow could not compile {name}")
        return target.read_bytes()
