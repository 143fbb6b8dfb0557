"""Formats that are made of the classifier as a Keras model, by a child process."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import EdgeClassifierError, ExportError
from edge_classifier.export.elsewhere.answers import write_answers
from edge_classifier.export.elsewhere.format import FAMILIARITY, ElsewhereFormat
from edge_classifier.export.elsewhere.readme import TEXTS, write_readme
from edge_classifier.export.formats import FLOAT32, LIMITS, SCORES, Replay, compare
from edge_classifier.export.replay import STOPPED
from edge_classifier.features.backbone import weights_file
from edge_classifier.features.child_process import TENSORFLOW, run_child
from edge_classifier.learning.model_file import model_as_arrays
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.export.elsewhere.format import Original
    from edge_classifier.protocols import Cancelled, Progress

OPSET: Final = 17
"""Of ONNX."""

_TFJS: Final = "tfjs"
_PAGE: Final = "index.html"


def _write(
    name: str, original: Original, folder: Path, progress: Progress, cancelled: Cancelled
) -> Sequence[str]:
    """Write one of the formats below, and compare what was written with the live path."""
    project, model, info = original.project, original.model, original.backbone.info
    weights = weights_file(info, original.weights, project=project.path)
    arrays: dict[str, Any] = model_as_arrays(model)[1]
    if model.unknown:
        arrays["offsets"] = model.unknown.offsets
    job = {
        "format": name,
        "target": str(folder.resolve()),
        "backbone": info.as_json(),
        "weights": str(weights.resolve()),
        "hesitation_weight": model.unknown.hesitation_weight if model.unknown else 0.0,
        "about": _about(original),
    }
    said = _run(job, arrays, original.evidence.squares, progress, cancelled)
    unknown = None
    if model.unknown:
        unknown = said[FAMILIARITY][:, 0] < model.unknown.threshold
    evidence = original.evidence
    found = compare(name, Replay(said[SCORES], unknown), evidence.live, evidence.class_ids)
    if problem := found.problem(LIMITS[FLOAT32]):
        raise ExportError(f"{name} is not what the live picture shows: {problem}.")
    write_answers(folder, original, name, evidence.squares)
    versions = {"keras": metadata.version("keras"), "opset": str(OPSET)}
    write_readme(folder, name, original, **versions)
    if name == _TFJS:
        shutil.copyfile(TEXTS / _PAGE, folder / _PAGE)
    note = f"compared with the live picture on {found.samples} samples: the same labels"
    if found.difference:  # those of a single class are always 1
        note += f", scores within {found.difference:.1g}"
    return (note,)


def _about(original: Original) -> dict[str, str]:
    """What goes into files that have a place for it."""
    about = {
        "name": original.project.name,
        "class_names": json.dumps(original.model.class_names, ensure_ascii=False),
        "input": "the centred square, RGB, 0 to 255",
    }
    if original.model.unknown:
        about["unknown_below"] = repr(float(original.model.unknown.threshold))
    return about


def _run(
    job: dict[str, Any],
    head: dict[str, Any],
    squares: npt.NDArray[np.uint8],
    progress: Progress,
    cancelled: Cancelled,
) -> dict[str, npt.NDArray[np.float32]]:
    """Let a child process do the job; returns what a reader of its files says of the squares."""
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            work = Path(scratch)
            (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
            np.savez(work / "head.npz", **head)
            # In memory first: of a full disk NumPy says how many bytes it could not write.
            content = io.BytesIO()
            np.save(content, squares)
            (work / "squares.npy").write_bytes(content.getvalue())
            failure = run_child(
                "edge_classifier.graphs.keras_classifier",
                [scratch],
                progress=progress,
                cancelled=cancelled,
                stopped=STOPPED,
            )
            if failure:
                raise failure.as_error(f"TensorFlow could not write {job['format']}", ExportError)
            with np.load(work / "answers.npz", allow_pickle=False) as answers:
                return {name: answers[name] for name in answers.files}
    except EdgeClassifierError:
        raise
    except OSError as error:
        where = tempfile.tempdir or "any of the usual folders"
        raise ExportError(
            f"Temporary files cannot be written in {where}: {describe(error)}. "
            "The environment variable TMPDIR names another folder."
        ) from error


_TENSORFLOW: Final = (("tensorflow", TENSORFLOW), ("keras", TENSORFLOW))
_TF2ONNX: Final = "tf2onnx, which is not installed: pip install 'edge-classifier[onnx]'"

KERAS_FORMATS: Final = tuple(
    ElsewhereFormat(name, partial(_write, name), files, (*_TENSORFLOW, *more))
    for name, files, more in (
        ("keras", ("model.keras",), ()),
        ("saved-model", ("saved_model",), ()),
        ("onnx", ("model.onnx",), (("tf2onnx", _TF2ONNX),)),
        (_TFJS, ("model.json", "weights.bin", _PAGE), ()),
    )
)
