"""The cache of compiled extractors, filled by a child process that has TensorFlow."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import read_regular
from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.child_process import has_tensorflow, require_tensorflow, run_child
from edge_classifier.features.tuned import MAX_BYTES, is_hash
from edge_classifier.features.weights import record_of, recorded_hash
from edge_classifier.languages.text import Text, as_text
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
        WeightsMismatchError: if the weights belong to another backbone, or are damaged; or what is
            cached is, and there is no TensorFlow to compile it anew.
        CancelledError: if asked to stop.
        BackboneError: if it cannot be compiled or kept, or needs TensorFlow where there is none.
    """
    path, content = extractor_path(folder, name, weights.sha256), None
    try:
        content = read_extractor(folder, name, weights.sha256)
    except WeightsMismatchError:
        if not has_tensorflow():
            raise
        _log.warning("%s is damaged and is not used.", path)
    if content is None:
        require_tensorflow(f"Compiling {name}")
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


def read_extractor(folder: Path, name: str, weights_sha256: str) -> bytes | None:
    """Read a cached extractor, or return `None` where there is none.

    Raises:
        WeightsMismatchError: if it is not what was once written.
        BackboneError: if there is a folder in its place, where nothing could be kept.
    """
    if not is_hash(weights_sha256):  # a project's file may name anything
        return None
    path = extractor_path(folder, name, weights_sha256)
    for file in (path, record_of(path)):
        if file.is_dir():
            raise BackboneError(f"{file} is a folder where a file of the cache belongs: delete it.")
    try:
        content = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != recorded_hash(path):
        raise WeightsMismatchError(
            f"{path} is damaged: delete it to have it compiled anew, which needs TensorFlow, or go "
            "on with a copy of the project that `edge-classifier save --portable` makes elsewhere."
        )
    return content


def cached_extractor(folder: Path, name: str, weights_sha256: str) -> bytes | None:
    """Read a cached extractor; what is damaged counts as absent, and is named in the log."""
    try:
        return read_extractor(folder, name, weights_sha256)
    except BackboneError as error:
        _log.warning("%s", error)
        return None


def _compile(name: str, weights: Path, progress: Progress, cancelled: Cancelled) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "extractor.tflite")
        failure = run_child(
            "edge_classifier.graphs.compile_extractor",
            [name, str(weights.resolve()), str(target)],
            progress=lambda done, what=None: progress(
                done, Text("preparing {name}: {what}", name=name, what=as_text(what or ""))
            ),
            cancelled=cancelled,
            stopped="Preparing the backbone was cancelled; nothing was kept.",
        )
        if failure:
            raise failure.as_error(f"TensorFlow could not compile {name}")
        return target.read_bytes()
