"""A trained model on disk: one `.npz` without pickles, written whole or not at all."""

from __future__ import annotations

import json
import logging
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.npz import MAX_NUMBER, npz_bytes, read_arrays
from edge_classifier.device.taught import MAX_BYTES
from edge_classifier.device.unknown_detector import DEFAULT_STEP, UnknownDetector
from edge_classifier.errors import ProjectFormatError
from edge_classifier.learning.head import DenseHead, Head, LinearHead
from edge_classifier.learning.model import Model
from edge_classifier.project.files import reported, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

_FORMAT: Final = 1
_NAME: Final = "model.npz"
_MAX_THRESHOLD: Final = 100.0  # far out, but a user's steps may lead beyond [-1, 1]

_log = logging.getLogger(__name__)


class FileModelStore:
    """Keeps a project's model in a folder, made with the first one, and none if not `writable`.

    `check`, called before anything is written, raises `ProjectError` where that may not be.
    """

    def __init__(
        self, folder: Path, *, writable: bool = True, check: Callable[[], None] = lambda: None
    ) -> None:
        self._path = folder / _NAME
        self._writable = writable
        self._check = check

    def save(self, model: Model, *, backbone_key: str, fingerprint: str) -> None:
        """Store a model; whole or not at all.

        Raises:
            ProjectError: if it cannot be written.
        """
        if not self._writable:
            return
        meta, arrays = model_as_arrays(model)
        meta |= {"format": _FORMAT, "backbone_key": backbone_key, "fingerprint": fingerprint}
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        content = npz_bytes({"meta": text, **arrays})
        self._check()
        with reported("write", self._path):
            self._path.parent.mkdir(exist_ok=True)
            write_atomic(self._path, content)

    def load(self, *, backbone_key: str) -> tuple[Model, str] | None:
        """Return the model and the fingerprint of what it was trained on.

        `None` if there is no model for this backbone. A damaged file counts as none, with a warning
        in the log: training again from the samples brings it back.
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
    head, unknown = model.head, model.unknown
    meta: dict[str, Any] = {
        "kind": "linear" if isinstance(head, LinearHead) else "dense",
        "class_names": model.class_names,
    }
    arrays = {
        field.name: getattr(head, field.name)
        for field in fields(head)
        if field.name != "class_names"
    }
    if unknown:
        meta |= {
            "threshold": unknown.measured_threshold,
            "threshold_step": unknown.step,
            "threshold_steps": unknown.steps,
            "measured_on_bursts": unknown.measured_on_bursts,
            "hesitation_weight": unknown.hesitation_weight,
        }
        # What models from before lack is left out: bundles of them know them by a hash of all this.
        if unknown.class_ids is not None:
            meta["reference_classes"] = unknown.class_ids.tolist()
            meta["bursts"] = unknown.bursts
        if unknown.stranger_level is not None:
            meta["stranger_level"] = unknown.stranger_level
        arrays |= {"references": unknown.references, "scales": unknown.scales}
        if unknown.shift is not None:
            arrays["shift"] = unknown.shift
    return meta, arrays


def model_from_arrays(meta: dict[str, Any], arrays: dict[str, npt.NDArray[np.float32]]) -> Model:
    """Put a model together again.

    Raises:
        ValueError: if something in it cannot be; a KeyError or TypeError if a part is missing or
            another thing.
    """
    for array in arrays.values():
        if array.dtype != np.float32 or not (np.abs(array) <= MAX_NUMBER).all():
            raise ValueError("not all numbers are finite 32-bit floats of a usual size")
    names = meta["class_names"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("its class names are no list of texts")
    if len(set(names)) != len(names):
        raise ValueError("two of its classes have the same name")
    names = tuple(names)
    parts = dict(arrays)
    detector = None
    if "references" in parts:
        references = parts.pop("references")
        # Files from before these were measured lack some.
        scales = parts.pop("scales", np.ones(len(references), np.float32))
        classes = meta.get("reference_classes")
        level = meta.get("stranger_level")
        detector = UnknownDetector(
            references,
            scales,
            measured_threshold=float(meta["threshold"]),
            measured_on_bursts=bool(meta["measured_on_bursts"]),
            step=float(meta.get("threshold_step", DEFAULT_STEP)),
            steps=int(meta.get("threshold_steps", 0)),
            hesitation_weight=float(meta.get("hesitation_weight", 0.0)),
            stranger_level=None if level is None else float(level),
            bursts=int(meta.get("bursts", 1)),
            class_ids=None if classes is None else np.array(classes, np.int64),
            shift=parts.pop("shift", None),
        )
    head: Head = (
        LinearHead(names, **parts) if meta["kind"] == "linear" else DenseHead(names, **parts)
    )
    if detector is not None:
        if detector.references.shape[1] != head.feature_dim:
            raise ValueError("its references have another length than its head takes")
        if not np.isin(detector.reference_ids, np.arange(-1, len(names))).all():
            raise ValueError("its references are of classes that it does not have")
        weight, level = detector.hesitation_weight, detector.stranger_level or 0.0
        numbers = (detector.measured_threshold, detector.threshold, level)
        if not all(abs(number) <= _MAX_THRESHOLD for number in (*numbers, weight)) or weight < 0:
            raise ValueError("its measure of unknown is no similarity")
    return Model(head, detector)


def _read(path: Path) -> tuple[Model, dict[str, Any]]:
    """Read a model file.

    Raises:
        ProjectFormatError: if it is damaged or was written by a newer version.
    """
    try:
        arrays = read_arrays(read_regular(path, MAX_BYTES))
        meta = json.loads(arrays.pop("meta").tobytes())
        if not all(isinstance(meta[key], str) for key in ("backbone_key", "fingerprint")):
            raise TypeError(  # noqa: TRY301 - told below like everything else
                "it does not say what it was trained on"
            )
        if meta["format"] == _FORMAT:
            return model_from_arrays(meta, arrays), meta
    except (ValueError, KeyError, TypeError, OSError, OverflowError, RecursionError) as error:
        raise ProjectFormatError(
            f"{path} is damaged ({error}); it will be trained again from the samples."
        ) from error
    raise ProjectFormatError(
        f"{path} has format {meta['format']}, this version reads {_FORMAT}; "
        "it will be trained again."
    )
