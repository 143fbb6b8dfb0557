"""A TFLite file as it runs on small machines: by plain kernels, without XNNPACK."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

if TYPE_CHECKING:
    import numpy.typing as npt


class PlainRun:
    """A file with one input, run by the kernels that TensorFlow Lite Micro has, too.

    In int8 they nearly always give the same bytes, while XNNPACK's rounding moved scores by up to
    0.05. May be asked from several threads.
    """

    def __init__(self, content: bytes) -> None:
        self._interpreter: Any = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        self._lock = Lock()

    def stored(self, pixels: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Ask about an input without its batch axis; returns each output as it is stored."""
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], pixels[None])
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(about["index"])[0] for about in self._outputs]

    def __call__(self, pixels: npt.NDArray[Any]) -> list[npt.NDArray[np.float32]]:
        """Ask the same; returns each output in real numbers."""
        scales = [about["quantization"] for about in self._outputs]
        return [
            (values.astype(np.float32) - np.float32(zero_point)) * np.float32(step)
            for values, (step, zero_point) in zip(self.stored(pixels), scales, strict=True)
        ]
