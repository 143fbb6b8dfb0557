"""The cache of compiled extractors, and the child process that fills it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.adapters.compile_extractor import part_of, write_whole
from edge_classifier.errors import BackboneError, CancelledError, WeightsMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.adapters.weights import Weights
    from edge_classifier.protocols import Cancelled

LoadProgress: TypeAlias = "Callable[[str, float], None]"
"""Is told what is being done, and how much of it is done, from 0.0 to 1.0."""

CONVERTER_VERSION: Final = 1
"""Part of the cache's file names: raise it when `compile_extractor` gives other files."""

_log = logging.getLogger(__name__)
_POLL_S: Final = 0.1
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]


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
    # The child writes to files rather than to pipes: they never fill up, and can be read while
    # it works without a thread for each.
    with tempfile.TemporaryDirectory() as scratch:
        said, complained = Path(scratch, "stdout"), Path(scratch, "stderr")
        with said.open("wb") as stdout, complained.open("wb") as stderr:
            process = subprocess.Popen(  # noqa: S603 - our own module and the user's own paths
                [
                    sys.executable,
                    "-m",
                    "edge_classifier.adapters.compile_extractor",
                    name,
                    str(weights.resolve()),
                    str(target.resolve()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=_environment(),
            )
        try:
            _watch(process, said, f"preparing {name}", progress, cancelled)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with contextlib.suppress(OSError):
                part_of(target, process.pid).unlink(missing_ok=True)
        if process.returncode != 0:
            raise _failure(name, _lines(said), _lines(complained))


def _watch(
    process: subprocess.Popen[bytes],
    said: Path,
    title: str,
    progress: LoadProgress,
    cancelled: Cancelled,
) -> None:
    """Pass the child's steps on until it ends."""
    seen = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_POLL_S)
        ended = process.poll() is not None
        steps = [line for line in _lines(said) if line.startswith("step ")]
        for line in steps[seen:]:
            _, fraction, what = line.split(" ", 2)
            progress(f"{title}: {what}", float(fraction))
        seen = len(steps)
        if ended:
            return
        if cancelled():
            raise CancelledError("Preparing the backbone was cancelled; nothing was kept.")


def _lines(path: Path) -> list[str]:
    """The lines that are complete by now."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return text[: text.rfind("\n") + 1].splitlines()


def _failure(name: str, said: list[str], complained: list[str]) -> BackboneError:
    """Make one line of what the child said in the end."""
    kind, _, message = (said[-1] if said else "").partition(" ")
    if kind == "mismatch":
        return WeightsMismatchError(message)
    if kind == "failed":
        return BackboneError(message)
    for line in complained:
        _log.info("compile_extractor: %s", line)
    last = complained[-1] if complained else "it ended without a word"
    return BackboneError(f"TensorFlow could not compile {name}: {last}")


def _environment() -> dict[str, str]:
    """The child's environment: it must import this very package, installed or not."""
    environment = dict(os.environ)
    if str(_PACKAGE_ROOT) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        paths = [str(_PACKAGE_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    return environment
