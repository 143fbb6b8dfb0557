"""A trained model on disk: one `.npz` without pickles, written whole or not at all."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.adapters.files import reported, write_atomic
from edge_classifier.errors import ProjectFormatError
from edge_classifier.head import DenseHead, Head, LinearHead
from edge_classifier.model import Model
from edge_classifier.unknown import DEFAULT_STEP, UnknownDetector

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_FORMAT: Final = 1
_NAME: Final = "model.npz"

_log = logging.getLogger(__name__)


class FileModelStore:
    """Keeps a project's model in a folder; implements `protocols.ModelStore`.

    Args:
        folder: Made when the first model is saved.
        writable: Whether to keep anything; otherwise what is saved is forgotten.
    """

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self._path = folder / _NAME
        self._writable = writable

    def save(self, model: Model, *, backbone_key: str, fingerprint: str) -> None:
        """Store a model; whole or not at all.

        Raises:
            ProjectError: if it cannot be written.
        """
        if not self._writable:
            return
        meta, arrays = model_as_arrays(model)
        meta |= {"format": _FORMAT, "backbone_key": backbone_key, "fingerprint": fingerprint}
        buffer = io.BytesIO()
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        # NumPy's stub mistakes the arrays for its own keyword arguments.
        np.savez(buffer, meta=text, **arrays)  # type: ignore[arg-type]
        with reported("write", self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, buffer.getvalue())

    def load(self, *, backbone_key: str) -> tuple[Model, str] | None:
        """Return the model and the fingerprint of what it was trained on.

        Returns:
            `None` if there is no model for this backbone. A damaged file counts as none, with
            a warning in the log: training again from the samples brings it back.
        """
        if not self._path.exists():
            return None
        try:
            model, meta = _read(self._path)
        except ProjectFormatError as error:
            _log.warning("%s", error)
            return None
        if meta["backbone_key"] != backbone_key:
            return None
        return model, str(meta["fingerprint"])


def model_as_arrays(model: Model) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.float32]]]:
    """Take a model apart: what JSON can hold, and arrays by name."""
    meta: dict[str, Any] = {
        "kind": "linear" if isinstance(model.head, LinearHead) else "dense",
        "class_names": model.class_names,
    }
    arrays = _head_arrays(model.head)
    if model.unknown:
        meta["threshold"] = model.unknown.measured_threshold
        meta["threshold_step"] = model.unknown.step
        meta["threshold_steps"] = model.unknown.steps
        meta["measured_on_bursts"] = model.unknown.measured_on_bursts
        arrays["references"] = model.unknown.references
    return meta, arrays


def model_from_arrays(meta: dict[str, Any], arrays: dict[str, npt.NDArray[np.float32]]) -> Model:
    """Put a model together again.

    Raises:
        ValueError: if something in it cannot be.
        KeyError: if something is missing.
        TypeError: if there is something else.
    """
    if any(a.dtype != np.float32 or not np.isfinite(a).all() for a in arrays.values()):
        raise ValueError("not all numbers are finite 32-bit floats")
    names = tuple(str(name) for name in meta["class_names"])
    parts = dict(arrays)
    detector = None
    if "references" in parts:
        detector = UnknownDetector(
            parts.pop("references"),
            measured_threshold=float(meta["threshold"]),
            measured_on_bursts=bool(meta["measured_on_bursts"]),
            # Files from before users could move it have neither.
            step=float(meta.get("threshold_step", DEFAULT_STEP)),
            steps=int(meta.get("threshold_steps", 0)),
        )
    head: Head = (
        LinearHead(names, **parts) if meta["kind"] == "linear" else DenseHead(names, **parts)
    )
    return Model(head, detector)


def _head_arrays(head: Head) -> dict[str, npt.NDArray[np.float32]]:
    if isinstance(head, LinearHead):
        return {"weights": head.weights, "bias": head.bias}
    return {
        "hidden_weights": head.hidden_weights,
        "hidden_bias": head.hidden_bias,
        "weights": head.weights,
    }


def _read(path: Path) -> tuple[Model, dict[str, Any]]:
    """Read a model file.

    Raises:
        ProjectFormatError: if it is damaged or was written by a newer version.
    """
    try:
        return _parse(path)
    except ProjectFormatError:
        raise
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ProjectFormatError(
            f"{path} is damaged ({error}); it will be trained again from the samples."
        ) from error


def _parse(path: Path) -> tuple[Model, dict[str, Any]]:
    # From memory, as NumPy leaves the file open where it turns out to be damaged.
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        meta = json.loads(file["meta"].tobytes())
        arrays = {name: file[name] for name in file.files if name != "meta"}
    if meta["format"] != _FORMAT:
        raise ProjectFormatError(
            f"{path} has format {meta['format']}, this version reads {_FORMAT}; "
            "it will be trained again."
        )
    return model_from_arrays(meta, arrays), meta
