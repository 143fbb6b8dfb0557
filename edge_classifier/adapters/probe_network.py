"""Find out in a process of its own whether a TFLite file can be run at all.

LiteRT trusts the offsets in a file: a damaged one can end the whole process (measured with
`tools/fuzz.py --target tflite`), which no `except` catches. So a file that nobody has vouched for
by its hash is run once by a child process first. Run as
`python -m edge_classifier.adapters.probe_network FILE`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.adapters.child_process import child_environment
from edge_classifier.adapters.files import describe, read_regular
from edge_classifier.device.classify import Interpreter
from edge_classifier.errors import BackboneError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NETWORK_BYTES: Final = 512 * 1024 * 1024
"""The largest MobileNet has 20 MB."""

_IDENTIFIER: Final = b"TFL3"
_MAX_TENSOR_BYTES: Final = 256 * 1024 * 1024
_TIMEOUT_S: Final = 30.0
_REFUSED: Final = 1


def read_network(path: Path) -> bytes:
    """Read a TFLite file from anywhere, after a child process has run it once.

    Raises:
        BackboneError: if it cannot be read, is none, or cannot be run.
    """
    try:
        content = read_regular(path, MAX_NETWORK_BYTES)
    except OSError as error:
        raise BackboneError(f"{path} cannot be read: {describe(error)}.") from error
    check_identifier(content, str(path))
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "edge_classifier.adapters.probe_network", str(path.absolute())],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            env=child_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise BackboneError(f"{path} takes longer than {_TIMEOUT_S:.0f} s for a run.") from error
    if done.returncode == 0:
        return content
    if done.returncode == _REFUSED:
        reason = done.stdout.decode("utf-8", "replace").strip()
        raise BackboneError(f"{path} cannot be run: {reason}")
    raise BackboneError(
        f"{path} is damaged: it made the TFLite runtime crash in the process that tried it "
        f"(status {done.returncode}); get the file again."
    )


def check_identifier(content: bytes, name: str) -> None:
    """Refuse what is no TFLite file at the first look.

    Raises:
        BackboneError: if it is none.
    """
    if content[4:8] != _IDENTIFIER:
        raise BackboneError(f"{name} is no TFLite model: its identifier is not TFL3.")


def run_once(content: bytes) -> None:
    """Run a network on a grey picture.

    Raises:
        BackboneError: if it cannot be run, or asks for absurd amounts of memory.
    """
    check_identifier(content, "the file")
    try:
        interpreter = Interpreter(content)
        details = [interpreter.input_details, *interpreter.output_details]
        sizes = [int(np.prod(d["shape"], dtype=np.int64)) for d in details]
        if min(sizes) < 1 or max(sizes) > _MAX_TENSOR_BYTES:
            raise BackboneError(f"its inputs and outputs have {sizes} values")
        interpreter.run(np.zeros(interpreter.input_details["shape"], details[0]["dtype"]))
    except (ValueError, RuntimeError, ImportError, TypeError, MemoryError, IndexError) as error:
        raise BackboneError(str(error) or type(error).__name__) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a file once; returns 0, or 1 after a line that says why it cannot be run."""
    (path,) = arguments if arguments is not None else sys.argv[1:]
    try:
        run_once(Path(path).read_bytes())
    except BackboneError as error:
        sys.stdout.write(" ".join(str(error).split())[:400] + "\n")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
