"""A TFLite file, run by LiteRT."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt


MOST_THREADS: Final = 64
"""Far more than these networks gain from. Where there can be no more the runtime crashes."""


class Interpreter:
    """A TFLite file with one image input, run by LiteRT with XNNPACK.

    Falls back from `ai_edge_litert` to `tflite_runtime` to TensorFlow, whichever is installed.
    One interpreter serves one thread at a time.

    Without a copy in between: fill `input_view()`, `invoke()`, read `output_view()`. A view must
    be let go before the next `invoke`, which refuses to run while one is held.

    `model` is a file's path or its bytes; LiteRT's own default is one thread.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no TFLite model.
        InvalidValueError: if there are too few or too many threads.
        ImportError: if no runtime is installed.
    """

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        if not 1 <= threads <= MOST_THREADS:
            raise InvalidValueError(
                f"Expected 1 to {MOST_THREADS} threads for a network, received {threads}."
            )
        interpreter_class = load_runtime()
        content = model.read_bytes() if isinstance(model, Path) else model
        name = str(model) if isinstance(model, Path) else "the model"
        try:
            with _native_chatter_silenced():
                self._interpreter = interpreter_class(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise ValueError(f"{name} is no TFLite model that can run here: {reason}") from error
        self.input_details: dict[str, Any] = self._interpreter.get_input_details()[0]
        self.output_details: list[dict[str, Any]] = self._interpreter.get_output_details()
        # A function from `tensor()` may be kept; the arrays that it gives may not.
        self._input = self._interpreter.tensor(self.input_details["index"])
        self._outputs = [self._interpreter.tensor(o["index"]) for o in self.output_details]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, `(1, H, W, 3)`."""
        return tuple(int(n) for n in self.input_details["shape"])

    def input_view(self) -> npt.NDArray[Any]:
        """Give the input itself to write to, `(1, H, W, 3)` in its own dtype."""
        view: npt.NDArray[Any] = self._input()
        return view

    def output_view(self, index: int = 0) -> npt.NDArray[Any]:
        """Give an output itself to read from, as the last `invoke` left it."""
        view: npt.NDArray[Any] = self._outputs[index]()
        return view

    def output(self, index: int = 0) -> npt.NDArray[np.float32]:
        """Copy an output as float32; what is quantised is brought back to its real values."""
        values = self.output_view(index)
        if values.dtype == np.float32:
            return np.array(values, np.float32)
        scale, zero_point = self.output_details[index]["quantization"]
        real: npt.NDArray[np.float32] = (
            values.astype(np.float32) - np.float32(zero_point)
        ) * np.float32(scale)
        return real

    def invoke(self) -> None:
        """Run the network on what is in the input; lets other Python threads run meanwhile."""
        self._interpreter.invoke()

    def run(self, pixels: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run the network on `(1, H, W, 3)` in the input's own dtype; copies each output."""
        self._interpreter.set_tensor(self.input_details["index"], pixels)
        self.invoke()
        return [self._interpreter.get_tensor(o["index"]) for o in self.output_details]


_chatter = threading.Lock()
_chattered = False


@contextlib.contextmanager
def _native_chatter_silenced() -> Iterator[None]:
    """Keep the runtime's "INFO: Created TensorFlow Lite XNNPACK delegate" off the terminal.

    Native code writes it to file descriptor 2, once a process, and has no switch for it; so the
    descriptor points elsewhere for the milliseconds in which the first interpreter is made.
    """
    global _chattered  # noqa: PLW0603 - once a process is what it is about
    with _chatter:
        if _chattered:
            yield
            return
        _chattered = True
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error at all
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def load_runtime() -> Any:  # noqa: ANN401 - the runtimes are untyped
    """Import the first runtime that is installed.

    Returns:
        Its class `Interpreter`.

    Raises:
        ImportError: if there is none.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.suppress(ImportError):
        from ai_edge_litert.interpreter import Interpreter as LiteRT  # noqa: PLC0415 - optional

        return LiteRT
    with contextlib.suppress(ImportError):
        from tflite_runtime.interpreter import Interpreter as TFLite  # noqa: PLC0415 - optional

        return TFLite
    with contextlib.suppress(ImportError):
        import tensorflow as tf  # noqa: PLC0415 - optional, and slow to import

        return tf.lite.Interpreter
    raise ImportError("No TFLite runtime is installed; `pip install ai-edge-litert` gives one.")


def core_count() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on Windows and macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fastest_interpreter(content: bytes) -> Interpreter:
    """Try 1 to 4 threads on this machine; three can beat four, and one can beat two."""
    best: tuple[float, Interpreter] | None = None
    for threads in range(1, min(4, core_count()) + 1):
        interpreter = Interpreter(content, threads)
        times = []
        for _ in range(12):
            started = time.perf_counter()
            interpreter.invoke()
            times.append(time.perf_counter() - started)
        middle = sorted(times)[len(times) // 2]
        if best is None or middle < best[0]:
            best = (middle, interpreter)
    assert best is not None  # noqa: S101 - a machine has one processor at least
    return best[1]
