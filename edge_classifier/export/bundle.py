"""The files of a bundle: whole in a new folder, or not at all."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2

from edge_classifier import device
from edge_classifier.device import adaptation_state, taught
from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.device.files import is_temporary, read_regular
from edge_classifier.errors import EdgeClassifierError, ExportError
from edge_classifier.export import runtimes
from edge_classifier.project.files import FileLock, describe
from edge_classifier.project.folder import is_project

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_classifier.device.preprocessing import Image

SPEC: Final = "spec.json"
REQUIREMENTS: Final = """\
ai-edge-litert>=2.1
numpy>=1.24
opencv-python>=4.8
"""
"""LiteRT runs the model (36 MB); any OpenCV that is already there will do as well."""

_MAX_SPEC_BYTES: Final = 16 * 1024 * 1024
_README: Final = Path(__file__).with_name("bundle_readme.md")
_START: Final = Path(__file__).with_name("bundle_start.py")
_DEVICE: Final = Path(device.__file__).parent

_OLD: Final = "-old"
_AT_WORK: Final = ".lock"
"""Held while a bundle is being written, so that nobody takes it for one that was cut short."""

_OURS: Final = frozenset(
    {
        SPEC,
        _AT_WORK,
        "README.md",
        "__pycache__",
        "classify.py",
        "edge_device",
        "labels.txt",
        "reference",
        "requirements.txt",
        adaptation_state.NAME,
        taught.NAME,
    }
)
_OUR_PATTERNS: Final = ("model*.tflite", "heat-*.bin")
"""What a bundle consists of; anything else in its folder is somebody's own."""


def check_bundle(folder: Path) -> None:
    """Say what a folder is that is no bundle, and what makes one.

    Raises:
        ExportError: if it is none.
    """
    if (folder / SPEC).exists():
        return
    if not folder.is_dir():
        raise ExportError(
            f"There is no bundle at {folder}; `edge-classifier export PROJECT -o {folder}` "
            "writes one."
        )
    if is_project(folder):
        raise ExportError(
            f"{folder} is a project, not a bundle; `edge-classifier export {folder}` writes the "
            "bundle of it."
        )
    raise ExportError(f"{folder} is no bundle: there is no {SPEC} in it.")


@contextmanager
def new_bundle(target: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the bundle's name at the end of the block.

    An older bundle that is there is replaced.

    Raises:
        ExportError: if something else is there, or it cannot be written; then nothing was.
    """
    target = Path(target)
    folder = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    at_work = FileLock(folder / _AT_WORK)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_up_after_kills(target)
        _check_target(target)
        folder.mkdir()
        at_work.acquire()
        yield folder
        if sys.platform == "win32":  # which renames no folder in which a file is open
            at_work.release()
        _take_place(folder, target)
        at_work.release()
        (target / _AT_WORK).unlink()
    except EdgeClassifierError:
        raise
    except OSError as error:
        raise ExportError(f"The bundle {target} cannot be written: {describe(error)}.") from error
    finally:
        at_work.release()
        shutil.rmtree(folder, ignore_errors=True)


def write_spec(folder: Path, spec: dict[str, Any]) -> None:
    """Write what `classify.py` has to know."""
    text = json.dumps(spec, indent=1, ensure_ascii=False)
    (folder / SPEC).write_text(f"{text}\n", encoding="utf-8")


def write_texts(folder: Path, *, name: str, class_names: Sequence[str]) -> None:
    """Write the files that are there for people."""
    (folder / "labels.txt").write_text("".join(f"{n}\n" for n in class_names), encoding="utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    readme = _README.read_text(encoding="utf-8")
    readme = readme.replace("{runtimes}", runtimes.as_table())
    readme = readme.replace("{name}", name).replace("{classes}", ", ".join(class_names))
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
        target = folder / "edge_device" / file
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


def _check_target(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ExportError(f"{target} is a file; name a folder for the bundle with -o.")
    if any(target.iterdir()):
        try:
            known = json.loads(read_regular(target / SPEC, _MAX_SPEC_BYTES))["format"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            known = None
        if known != BUNDLE_FORMAT:
            raise ExportError(
                f"{target} holds something else than a bundle; name another folder with -o."
            )


def _clear_up_after_kills(target: Path) -> None:
    """Take away bundles that were never finished, and end a replacement that was cut short."""
    unfinished = re.compile(rf"\.{re.escape(target.name)}-[0-9a-f]{{8}}")
    for folder in [path for path in target.parent.iterdir() if path.is_dir()]:
        new_name = folder.name.removesuffix(_OLD)
        if not unfinished.fullmatch(new_name):
            continue
        if any(_is_at_work(place) for place in (folder.with_name(new_name), target)):
            continue
        if folder.name == new_name:
            shutil.rmtree(folder, ignore_errors=True)
        elif target.exists():
            _keep_what_is_not_ours(folder, target)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            folder.rename(target)


def _is_at_work(folder: Path) -> bool:
    if not (folder / _AT_WORK).exists():
        return False
    lock = FileLock(folder / _AT_WORK)
    free = lock.acquire()
    lock.release()
    return not free


def _take_place(folder: Path, target: Path) -> None:
    """Let the new folder take the name; the old one goes only when that has worked."""
    if not target.exists():
        folder.rename(target)
        return
    old = target.with_name(f"{folder.name}{_OLD}")
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        with suppress(OSError):
            old.rename(target)
        raise
    _keep_what_is_not_ours(old, target)
    shutil.rmtree(old, ignore_errors=True)


def _keep_what_is_not_ours(old: Path, target: Path) -> None:
    """Move what somebody put into the old bundle, such as a virtual environment, to the new one."""
    for entry in old.iterdir():
        ours = entry.name in _OURS or any(entry.match(pattern) for pattern in _OUR_PATTERNS)
        ours = ours or is_temporary(entry.name)
        if not ours and not (target / entry.name).exists():
            entry.rename(target / entry.name)
