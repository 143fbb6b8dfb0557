"""The files of a bundle: whole in a new folder, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2

from edge_classifier import device
from edge_classifier.device import adaptation_state, taught
from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.device.console import one_line
from edge_classifier.errors import ExportError
from edge_classifier.export import runtimes
from edge_classifier.export.new_folder import FolderKind, new_folder
from edge_classifier.export.texts import fill_in
from edge_classifier.project.folder import is_project
from edge_classifier.project.importers.other_models import recognise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from edge_classifier.device.preprocessing import Image

SPEC: Final = "spec.json"
REQUIREMENTS: Final = """\
ai-edge-litert>=2.1
numpy>=1.24
opencv-python>=4.8
"""
"""LiteRT runs the model (36 MB); any OpenCV that is already there will do as well."""

_README: Final = Path(__file__).with_name("bundle_readme.md")
_START: Final = Path(__file__).with_name("bundle_start.py")
_DEVICE: Final = Path(device.__file__).parent

_RUNNER: Final = "edge_device"
"""The folder of the modules that run it."""

BUNDLE: Final = FolderKind(
    "a bundle",
    SPEC,
    BUNDLE_FORMAT,
    (
        SPEC,
        "README.md",
        "__pycache__",
        "classify.py",
        _RUNNER,
        "labels.txt",
        "reference",
        "requirements.txt",
        adaptation_state.NAME,
        taught.NAME,
        "model*.tflite",
        "heat-*.bin",
    ),
)


def check_no_part(path: Path) -> None:
    """Refuse a file of a bundle.

    Raises:
        ExportError: if it is one.
    """
    if path.is_file() and (path.parent / SPEC).is_file() and (path.parent / _RUNNER).is_dir():
        raise ExportError(f"{path} is a part of a bundle; name its folder, {path.parent}.")


def check_bundle(folder: Path) -> None:
    """Say what a folder is that is no bundle, and what makes one.

    Raises:
        ExportError: if it is none.
    """
    if (folder / SPEC).exists():
        return
    if not folder.exists():
        raise ExportError(
            f"There is no bundle at {folder}; `edge-classifier export PROJECT -o {folder}` "
            "writes one."
        )
    check_no_part(folder)
    if is_project(folder):
        raise ExportError(
            f"{folder} is a project, not a bundle; `edge-classifier export {folder}` writes the "
            "bundle of it."
        )
    if model := recognise(folder):
        raise ExportError(model.line)
    raise ExportError(f"{folder} is no bundle: there is no {SPEC} in it.")


def new_bundle(target: Path) -> AbstractContextManager[Path]:
    """Give a temporary folder that takes the bundle's name, as `new_folder` does."""
    return new_folder(Path(target), BUNDLE)


def write_spec(folder: Path, spec: dict[str, Any]) -> None:
    """Write what `classify.py` has to know."""
    text = json.dumps(spec, indent=1, ensure_ascii=False)
    (folder / SPEC).write_text(f"{text}\n", encoding="utf-8")


def write_texts(folder: Path, *, name: str, class_names: Sequence[str]) -> None:
    """Write the files that are there for people."""
    (folder / "labels.txt").write_text("".join(f"{n}\n" for n in class_names), encoding="utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    readme = fill_in(
        _README.read_text(encoding="utf-8"),
        name=one_line(name),
        classes=", ".join(class_names),
        runtimes=runtimes.as_table(),
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")


def write_device(folder: Path) -> None:
    """Write `classify.py`, and beside it this package's `device` under the name `edge_device`."""
    files = {
        path.relative_to(_DEVICE).as_posix(): path.stat().st_size
        for path in sorted(_DEVICE.rglob("*.py"))
    }
    start = _START.read_text(encoding="utf-8").replace('{"files": 0}', json.dumps(files))
    (folder / "classify.py").write_text(start, encoding="utf-8")
    for file in files:
        target = folder / _RUNNER / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_DEVICE / file, target)


def write_reference(folder: Path, number: int, image: Image) -> str:
    """Write a reference frame without loss, and return its name in the bundle.

    JPEG would be a fifth of the size, but its decoders differ between machines.
    """
    name = f"reference/{number}.png"
    (folder / "reference").mkdir(exist_ok=True)
    (folder / name).write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return name
