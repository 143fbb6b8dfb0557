"""Models that other programs made: known by their files, and told for what they are.

They hold no pictures, so nothing can be learned from them. Of Teachable Machine and Lobe, TFLite
files can be run (see `export.other_models`).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.device.console import one_line
from edge_classifier.device.files import read_regular
from edge_classifier.device.media import PICTURE_SUFFIXES, is_junk
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.project.importers.archives import open_archive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.project.importers.tree import FileTree

TEACHABLE_MACHINE: Final = "Teachable Machine"
LOBE: Final = "Lobe"
TFLITE: Final = ".tflite"

_NAMED: Final = 3
_LOOK_AT: Final = 1000  # entries of a folder, before giving up to say what it holds
_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
_MAX_MODEL_BYTES: Final = 512 * 1024 * 1024
_EDGE_TPU: Final = "edgetpu"
_SIGNATURE: Final = "signature.json"
_LABELS: Final = ("labels.txt", "label.txt", "labelmap.txt")
_SAVED_MODEL: Final = "saved_model.pb"
_LOBE_TFLITE: Final = "tf_lite"

_RUNS: Final = "a TFLite model"
_SEVERAL: Final = "several models"
_OF_POSES: Final = "a TensorFlow.js model of poses"
_OF_SOUNDS: Final = "a TensorFlow.js model of sounds"
_SUFFIXES: Final = {
    ".h5": "a Keras model",
    ".hdf5": "a Keras model",
    ".keras": "a Keras model",
    ".pb": "a TensorFlow model",
    ".onnx": "an ONNX model",
    ".mlmodel": "a Core ML model",
    ".mlpackage": "a Core ML model",
    ".pt": "a PyTorch model",
    ".pth": "a PyTorch model",
    ".eim": "an Edge Impulse model",
    ".task": "a MediaPipe model",
    ".joblib": "a scikit-learn model",
}
_MAKERS: Final = {
    "keras_model.h5": TEACHABLE_MACHINE,
    "model.savedmodel": TEACHABLE_MACHINE,
    "model_unquant.tflite": TEACHABLE_MACHINE,
}


@dataclass(frozen=True, slots=True, eq=False)
class OtherModel:
    """A model that another program made.

    Attributes:
        path: As the user named it.
        kind: What it is, for the user: `a Keras model`.
        maker: The program that made it; empty where that is not known.
        file: The file that holds it.
        labels: Its file of labels, if there is one.
        signature: What Lobe says of it.
    """

    path: Path
    kind: str
    maker: str
    file: str
    labels: str | None
    signature: dict[str, Any] | None
    files: _Files

    @property
    def runs(self) -> bool:
        """Whether it may be run here."""
        return self.kind == _RUNS

    @property
    def line(self) -> str:
        """What it is, and what can be done with it."""
        name = f"{self.path} is {self.kind}" + (f" of {self.maker}" if self.maker else "")
        if self.runs:
            return (
                f"{name}, not pictures: `edge-classifier run {self.path}` and `edge-classifier "
                f"predict {self.path} PICTURES` run it; to teach it more, add the pictures that it "
                "was made of."
            )
        if self.kind == _SEVERAL:
            return f"{self.path} holds several models ({self.file}): name the file of one."
        if self.kind == _OF_SOUNDS:
            return f"{name} ({self.file}): here only pictures are classified."
        instead = "add the pictures that it was made of, to teach a model here"
        if self.kind == _OF_POSES:
            instead = "add its project file (.tm), to teach a model of its pictures here"
        elif self.maker == TEACHABLE_MACHINE:
            instead = (
                "export it as TensorFlow Lite, floating point, to run it, and add its project file "
                "(.tm) to teach it more"
            )
        elif self.maker == LOBE:
            instead = (
                "export it as TensorFlow Lite to run it, and add its pictures to teach it more"
            )
        return f"{name} ({self.file}), which is neither run nor learned from here: {instead}."

    def read(self, file: str) -> bytes:
        """Read one of its files.

        Raises:
            OSError: if it cannot be read.
            EdgeClassifierError: if it is damaged in an archive.
        """
        limit = _MAX_MODEL_BYTES if file == self.file else _MAX_TEXT_BYTES
        return self.files.read(file, limit)


def recognise(path: Path) -> OtherModel | None:
    """Say what model of another program a folder, archive or file is, or `None` if it is none.

    Looked at are the folder itself and those in it; what belongs together lies in one folder.
    """
    try:
        files = _files_of(path)
    except (OSError, ValueError, EdgeClassifierError):
        return None
    folders = dict.fromkeys(PurePosixPath(name).parent for name in files.names)
    models = [_recognised(path, files.of(folder)) for folder in folders]
    found = [model for model in models if model is not None]
    running = [model for model in found if model.runs]
    if len(running) > 1:
        names = ", ".join(model.file for model in running[:_NAMED])
        return replace(running[0], kind=_SEVERAL, file=names)
    pictures = any(PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES for name in files.names)
    if pictures and not running:  # beside which somebody keeps a model
        found = [model for model in found if model.file.endswith(".json")]
    return next(iter(running or found), None)


def _recognised(path: Path, files: _Files) -> OtherModel | None:
    """Say what the files of one folder are."""
    by_name = {PurePosixPath(name).name.lower(): name for name in files.names}
    labels = next((by_name[name] for name in _LABELS if name in by_name), None)
    signature = _json(files, by_name.get(_SIGNATURE))
    if signature and isinstance(signature.get("format"), str) and "inputs" in signature:
        return _of_lobe(path, files, signature, labels)
    if found := _tflite(files.names):
        maker = TEACHABLE_MACHINE if PurePosixPath(found).name in _MAKERS else ""
        return OtherModel(path, _RUNS, maker, found, labels, None, files)
    topology = _json(files, by_name.get("model.json"))
    beside = any(name.endswith(".bin") for name in by_name)  # its weights
    if topology is not None and (beside or {"modelTopology", "weightsManifest"} & set(topology)):
        return _of_the_web(path, files, by_name)
    for name in sorted(files.names, key=lambda name: not name.endswith(_SAVED_MODEL)):
        place = PurePosixPath(name)
        if kind := _SUFFIXES.get(place.suffix.lower()):
            maker = next((_MAKERS[part] for part in place.parts if part in _MAKERS), "")
            return OtherModel(path, kind, maker, name, labels, None, files)
    return None


def _of_lobe(
    path: Path, files: _Files, signature: dict[str, Any], labels: str | None
) -> OtherModel:
    named = [name for name in files.names if PurePosixPath(name).name == signature.get("filename")]
    file, kind = _tflite(named or files.names), str(signature["format"])
    if kind == _LOBE_TFLITE and file:
        return OtherModel(path, _RUNS, LOBE, file, labels, signature, files)
    return OtherModel(
        path, f"a model ({one_line(kind[:20])})", LOBE, _SIGNATURE, labels, signature, files
    )


def _of_the_web(path: Path, files: _Files, by_name: dict[str, str]) -> OtherModel:
    """Say what a model for TensorFlow.js is of: pictures, poses or sounds."""
    about = _json(files, by_name.get("metadata.json")) or {}
    package = str(about.get("packageName", ""))
    maker, kind = "", "a TensorFlow.js model"
    if package.startswith("@teachablemachine") or "tmVersion" in about or "wordLabels" in about:
        maker = TEACHABLE_MACHINE
    if package.endswith("/pose"):
        kind = _OF_POSES
    elif "wordLabels" in about:
        kind = _OF_SOUNDS
    return OtherModel(path, kind, maker, by_name["model.json"], None, None, files)


def _tflite(names: Sequence[str]) -> str | None:
    """Choose a TFLite file: floating point before rounded, and for an Edge TPU the last."""
    found = [name for name in names if name.lower().endswith(TFLITE)]
    return min(
        found, key=lambda n: (_EDGE_TPU in n.lower(), "unquant" not in n.lower()), default=None
    )


def _json(files: _Files, name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    try:
        read = json.loads(files.read(name, _MAX_TEXT_BYTES))
    except (OSError, ValueError, RecursionError, EdgeClassifierError):
        return None
    return read if isinstance(read, dict) else None


class _Files:
    """The files of a folder or archive, by their relative names."""

    def __init__(self, names: Sequence[str], folder: Path, tree: FileTree | None = None) -> None:
        self.names = names
        self._folder = folder
        self._tree = tree

    def of(self, folder: PurePosixPath) -> _Files:
        """Give those that lie in one of its folders."""
        names = [name for name in self.names if PurePosixPath(name).parent == folder]
        return _Files(names, self._folder, self._tree)

    def read(self, name: str, limit: int) -> bytes:
        """Read one, of no more than so many bytes; an archive has its own limit."""
        if self._tree is not None:
            return self._tree.read(name)
        return read_regular(self._folder / name, limit)


def _files_of(path: Path) -> _Files:
    if path.is_dir():
        return _Files(_listed(path), path)
    if path.suffix.lower() == TFLITE:  # its labels lie beside it
        beside = [name for name in _listed(path.parent) if name in (*_LABELS, _SIGNATURE)]
        return _Files([path.name, *beside], path.parent)
    if path.suffix.lower() in _SUFFIXES:
        return _Files([path.name] if path.is_file() else [], path.parent)
    tree = open_archive(path, None)
    return _Files(tree.paths[:_LOOK_AT], path, tree)


def _listed(folder: Path) -> list[str]:
    """List what lies in a folder, and in folders in it."""
    entries = sorted(islice(os.scandir(folder), _LOOK_AT), key=lambda entry: entry.name)
    entries = [entry for entry in entries if not is_junk(entry.name)]
    names = [entry.name for entry in entries if not entry.is_dir()]
    for inner in [entry for entry in entries if entry.is_dir(follow_symlinks=False)]:
        if len(names) < _LOOK_AT and os.access(inner, os.R_OK | os.X_OK):
            found = islice(os.scandir(inner), _LOOK_AT - len(names))
            names += sorted(
                f"{inner.name}/{entry.name}"
                for entry in found
                if entry.is_file() and not is_junk(entry.name)
            )
    return names
